"""Places of called bases on the signal: from the record's move table, or from an exact alignment in another file."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple, Protocol

import numpy as np
import pysam
from numpy.typing import NDArray

from poreconv.config import SourceConfig
from poreconv.errors import FormatError, LabelError
from poreconv.labels.bases import BASES, base_index
from poreconv.labels.parsing.moves import steps
from poreconv.labels.sources.bam_moves import is_rna, move_table
from poreconv.labels.sources.intervals import Intervals
from poreconv.labels.sources.resquiggle_paf import ResquigglePaf, numbered_events, sequence_mismatch
from poreconv.reads.read import Read


class Called(NamedTuple):
    """The called bases that have a place on the signal, in signal order; arrays of shape ``(n,)``."""

    start: NDArray[np.int64]
    """First sample of each base."""
    end: NDArray[np.int64]
    """Sample after its last."""
    base: NDArray[np.int64]
    """Index of the base in the sequence as it was called, 5' to 3'."""
    stride: int = 0
    """Largest expected error of a place, in samples."""


class CalledBases(Protocol):
    """A way to find the places of called bases on the signal."""

    def place(self, read: Read, record: pysam.AlignedSegment) -> Called | None:
        """Place the bases of a record on the read's signal.

        Args:
            read: The read whose signal it is.
            record: An alignment of the whole read, or of one part of a split read.

        Returns:
            None if there are no places for this read.

        Raises:
            LabelError: The places don't fit the read's signal or the record's sequence.
        """
        ...

    def close(self) -> None:
        """Close the files."""
        ...


class ByMoves:
    """Places from the record's own move table; they are right to about one block, no better.

    Args:
        notes: Takes the counts that `steps` makes, such as ``bases_without_place``.
    """

    def __init__(self, notes: Counter[str]) -> None:
        self._notes = notes

    def place(self, read: Read, record: pysam.AlignedSegment) -> Called:
        """Place the bases of a record; see `CalledBases.place`.

        Args:
            read: Its chemistry gives the direction of the sequence, its number of samples is checked.
            record: Its tags ``mv`` and ``ts`` are read; its read group gives the direction if the read doesn't.

        Raises:
            LabelError: The move table is incomplete, broken or doesn't fit (see `move_table` and `steps`), or the
                direction is not known (``orientation_unknown``).
        """
        table = move_table(read, record)
        known_rna(read, record)  # raises where it is not known: `steps` would return places without bases
        found = steps(read, table, self._notes)
        base = len(table.sequence) - 1 - found.base if table.rna else found.base
        return Called(found.start, found.end, base, table.stride)

    def close(self) -> None:
        """Do nothing: no file is open."""


class ByPaf:
    """Places from a PAF with run strings whose target is the called sequence, as ``f5c resquiggle -c`` writes it.

    Which base each event stands for is computed by `numbered_events`.

    Args:
        files: PAF files, plain or gzip.
        notes: Takes the counts of records that are not used.

    Raises:
        FormatError: A file is not a PAF, or a record has no ``ss`` tag.

    Source:
        https://hasindu2008.github.io/f5c/docs/output.
    """

    def __init__(self, files: Sequence[Path], notes: Counter[str]) -> None:
        self._paf = ResquigglePaf(files, SourceConfig())
        self._paf.notes = notes

    def place(self, read: Read, record: pysam.AlignedSegment) -> Called | None:
        """Place the bases of a record; see `CalledBases.place`.

        Args:
            read: Its PAF record is found by its id.
            record: Only the length of its sequence is used, which must not be hard-clipped.

        Raises:
            LabelError: The PAF record is about another sequence, or ``record`` is hard-clipped (``label_sequence``), or
                the PAF record doesn't fit the read (see `numbered_events`).
        """
        paf_record = self._paf.record(read)
        if paf_record is None:
            return None
        if record.infer_read_length() != record.query_length:
            raise sequence_mismatch(read, record.query_length, "its alignment is hard-clipped")
        return Called(*numbered_events(read, paf_record, record.query_length))

    def close(self) -> None:
        """Close the files."""
        self._paf.close()


class ByTable:
    """Places from a table of exact events, as ``poreconv refine`` writes it: one event per base, labelled with it.

    A read's labels, put together, must spell its called sequence; a few bases at the ends may have no event. Reads for
    which they spell something else are dropped (``label_sequence``): the basecaller's moves left out bases, or the
    events were refined from another basecall.

    Args:
        files: Tables of intervals, see `Intervals`.

    Raises:
        FormatError: A file is not such a table, or the labels are not bases.
    """

    def __init__(self, files: Sequence[Path]) -> None:
        self._table = Intervals(files, SourceConfig())
        if self._table.classes != BASES:
            self._table.close()
            raise FormatError(
                f"{files[0]}: its labels are {', '.join(self._table.classes) or 'empty'}, not bases; give a table of "
                "the called sequence, such as poreconv refine writes"
            )

    def place(self, read: Read, record: pysam.AlignedSegment) -> Called | None:
        """Place the bases of a record; see `CalledBases.place`.

        Args:
            read: Its events are found in the table by its id; its chemistry gives the direction of the sequence.
            record: Its sequence is compared with the labels; its read group gives the direction if the read doesn't.

        Raises:
            LabelError: The labels don't spell one part of the sequence (``label_sequence``), the direction is not known
                (``orientation_unknown``), or the events don't fit the read (see `fitted`).
        """
        events = self._table.events(read)
        if events is None:
            return None
        rna = known_rna(read, record)
        sequence = base_index((record.get_forward_sequence() or "").encode("ascii", "replace"))
        first = spelled(sequence[::-1] if rna else sequence, events.label)
        if first is None:
            raise sequence_mismatch(
                read, len(sequence), f"the labels of its {len(events)} events spell no part of it, or several"
            )
        number = first + np.arange(len(events))
        return Called(events.start, events.end, len(sequence) - 1 - number if rna else number)

    def close(self) -> None:
        """Close the tables."""
        self._table.close()


def spelled(sequence: NDArray[np.int16], label: NDArray[np.int16]) -> int | None:
    """Return where labels spell a part of a sequence; None if they spell no part of it, or several.

    Args:
        sequence: Indices of bases, in the order of the labels, shape ``(n_bases,)``.
        label: Indices of bases, shape ``(n,)``.
    """
    text, part = sequence.astype(np.int8).tobytes(), label.astype(np.int8).tobytes()
    first = text.find(part)
    return None if first < 0 or text.find(part, first + 1) >= 0 else first


def known_rna(read: Read, record: pysam.AlignedSegment) -> bool:
    """Return whether the signal runs 3' to 5' (RNA), where this has to be known.

    Args:
        read: Its chemistry decides, if its file states one; see `is_rna`.
        record: Else the name of its read group decides.

    Raises:
        LabelError: Neither states it (``orientation_unknown``), so no base can be placed.
    """
    rna = is_rna(read, record)
    if rna is None:
        raise LabelError(
            f"{read.where}: neither the signal file nor the record's read group states whether it is RNA or DNA; give "
            "reads whose kit or experiment is known",
            reason="orientation_unknown",
        )
    return rna
