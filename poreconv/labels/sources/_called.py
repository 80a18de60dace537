"""The bases of a called sequence on the signal: by its move table, or by an exact alignment of the two."""

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
from poreconv.labels.sources.resquiggle_paf import ResquigglePaf, numbered, other_sequence
from poreconv.reads.read import Read


class Called(NamedTuple):
    """Called bases that have a place, in signal order, shape ``(n,)`` each."""

    start: NDArray[np.int64]
    end: NDArray[np.int64]
    base: NDArray[np.int64]
    """Number of the base in the sequence as it was called, 5' to 3'."""
    stride: int = 0
    """How far off a place may be, samples."""


class CalledBases(Protocol):
    """Where the called bases of reads are."""

    def of(self, read: Read, record: pysam.AlignedSegment) -> Called | None:
        """Place the bases of a record on the read's signal.

        Returns:
            None if nothing is known of this read.

        Raises:
            LabelError: What is known doesn't fit the read or the record's sequence.
        """
        ...

    def close(self) -> None:
        """Let go of open files."""
        ...


class ByMoves:
    """By the record's own move table: right to about one block, no better."""

    def __init__(self, notes: Counter[str]) -> None:
        self._notes = notes

    def of(self, read: Read, record: pysam.AlignedSegment) -> Called:
        """See `CalledBases.of`."""
        table = move_table(read, record)
        known_rna(read, record)
        found = steps(read, table, self._notes)
        base = len(table.sequence) - 1 - found.base if table.rna else found.base
        return Called(found.start, found.end, base, table.stride)

    def close(self) -> None:
        """Nothing is open."""


class ByPaf:
    """By a PAF of runs, whose target is the called sequence, as ``f5c resquiggle -c`` writes it; see `numbered`.

    Source:
        https://hasindu2008.github.io/f5c/docs/output.
    """

    def __init__(self, files: Sequence[Path], notes: Counter[str]) -> None:
        self._paf = ResquigglePaf(files, SourceConfig())
        self._paf.notes = notes

    def of(self, read: Read, record: pysam.AlignedSegment) -> Called | None:
        """See `CalledBases.of`."""
        line = self._paf.line(read)
        if line is None:
            return None
        if record.infer_read_length() != record.query_length:
            raise other_sequence(read, record.query_length, "its record is clipped")
        return Called(*numbered(read, line, record.query_length))

    def close(self) -> None:
        """Close the files."""
        self._paf.close()


class ByTable:
    """By a table of exact events, as ``poreconv refine`` writes it: an event per base, whose labels spell the sequence.

    A few bases at the ends may have no event. A read whose labels spell anything else is dropped (``label_sequence``):
    one of which the basecaller's moves left bases out, or that was refined from another basecall.

    Raises:
        FormatError: The tables' labels are not bases.
    """

    def __init__(self, files: Sequence[Path]) -> None:
        self._table = Intervals(files, SourceConfig())
        if self._table.classes != BASES:
            self._table.close()
            raise FormatError(
                f"{files[0]}: its labels are {', '.join(self._table.classes) or 'empty'}, not bases; give a table of "
                "the called sequence, such as poreconv refine writes"
            )

    def of(self, read: Read, record: pysam.AlignedSegment) -> Called | None:
        """See `CalledBases.of`."""
        events = self._table.events(read)
        if events is None:
            return None
        rna = known_rna(read, record)
        sequence = base_index((record.get_forward_sequence() or "").encode("ascii", "replace"))
        in_order = (sequence[::-1] if rna else sequence).astype(np.int8).tobytes()
        spelled = events.label.astype(np.int8).tobytes()
        first = in_order.find(spelled)
        if first < 0 or in_order.find(spelled, first + 1) >= 0:
            raise other_sequence(
                read, len(sequence), f"the {len(events)} events of the table spell no or several parts of it"
            )
        number = first + np.arange(len(events))
        return Called(events.start, events.end, len(sequence) - 1 - number if rna else number)

    def close(self) -> None:
        """Close the tables."""
        self._table.close()


def known_rna(read: Read, record: pysam.AlignedSegment) -> bool:
    """Tell whether the signal runs 3' to 5'.

    Raises:
        LabelError: Nothing tells (``orientation_unknown``), so no base has a place.
    """
    rna = is_rna(read, record)
    if rna is None:
        raise LabelError(
            f"{read.where}: neither the signal file nor the record's read group tells RNA from DNA; give reads whose "
            "kit or experiment is known",
            reason="orientation_unknown",
        )
    return rna
