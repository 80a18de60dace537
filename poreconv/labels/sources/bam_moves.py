"""Labels from the move tables that dorado, guppy and bonito write to BAM; they are right to about one block."""

import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pysam
from numpy.typing import NDArray

from poreconv.config import SourceConfig
from poreconv.errors import LabelError
from poreconv.events.events import Events
from poreconv.labels.bases import BASES
from poreconv.labels.parsing.bam import Records, int_tag, tag_of
from poreconv.labels.parsing.moves import MoveTable, Steps, moved_events, steps
from poreconv.reads.read import Read

MODEL = re.compile(r"(?:^|_)(dna|rna)\d*[_\d]", re.IGNORECASE)
"""Molecule in a read group, which basecallers name ``<run id>_<model>``, as in ``..._rna004_130bps_sup@v5.1.0``."""


class BamMoves:
    """Tags ``mv`` (stride, then one move per block) and ``ts`` (samples before the first block) of BAM or SAM records.

    Blocks are in signal order, and the sequence is 5' to 3': for RNA it is read backwards. The bases of a record
    aligned to the reverse strand are reverse-complemented back to the read's own. A split read gets the labels of all
    its parts: the samples of a part begin at ``sp`` in the signal of the read named by ``pi``. Whether a read is RNA is
    stated by the signal file, or else by the record's read group. If neither states it, events have places only (class
    -1), and the read is counted as ``orientation_unknown``.

    ``ns``, the number of samples that the basecaller processed, must not exceed that of the read; it may be smaller
    (dorado omits the end of some reads). A record whose bases were hard-clipped doesn't fit its move table, and the
    read is dropped (``label_moves``). With `SourceConfig.move_margin` one stride on each side of each base's first
    sample is not covered.

    Source:
        https://software-docs.nanoporetech.com/dorado/latest/basecaller/sam_spec; dorado before 2.1 may write ``sp``
        without the samples it had trimmed (its issue 1613): a part that then reaches beyond the signal is dropped.
    """

    in_file = False
    classes = BASES
    base_offset: int | None = 0

    def __init__(self, files: Sequence[Path], config: SourceConfig) -> None:
        """Index the files.

        Args:
            files: SAM or BAM files.
            config: ``move_margin`` is used.

        Raises:
            FormatError: A file is not SAM or BAM, or has no move table.
        """
        self.notes: Counter[str] = Counter()
        self._margin = config.move_margin
        hint = "basecall again with move tables (dorado: --emit-moves)"
        self._records = Records(
            files, tag="mv", hint=hint, size=lambda record: record.query_length, notes=self.notes, split=True
        )

    def events(self, read: Read) -> Events | None:
        """Label one read; see `LabelSource.events`.

        Args:
            read: Its records, or those of its parts, are found by its id; its chemistry, if known, states the molecule.
        """
        tables = [move_table(read, record) for record in self._records.of(read.read_id)]
        tables.sort(key=lambda table: table.first_sample)
        parts = [part for table in tables if len((part := steps(read, table, self.notes)).start)]
        if not parts:
            return None
        whole = Steps(*(np.concatenate(column) for column in zip(*parts, strict=True)))
        return moved_events(read, whole, max(table.stride for table in tables) if self._margin else 0)

    def close(self) -> None:
        """Close the files."""
        self._records.close()


def move_table(read: Read, record: pysam.AlignedSegment) -> MoveTable:
    """Read the move table of one record.

    Args:
        read: The read whose signal the record is about.
        record: Its tags ``mv``, ``ts``, ``ns`` and ``sp``, its sequence and its read group are read.

    Raises:
        LabelError: ``ts`` is missing (``label_incomplete``), ``mv`` is not a move table (``label_unreadable``), or the
            basecaller processed more samples than the read has (``label_length``).
    """
    trimmed, n_called = int_tag(record, "ts"), int_tag(record, "ns")
    split_at = int_tag(record, "sp") or 0
    if trimmed is None:
        raise LabelError(
            f"{read.where}: {record.query_name} has moves but no number in 'ts', so its first block can't be placed; "
            "basecall the read again",
            reason="label_incomplete",
        )
    if n_called is not None and split_at + n_called > len(read.adc):
        raise LabelError(
            f"{read.where}: samples [{split_at}, {split_at + n_called}) were basecalled, and the read has "
            f"{len(read.adc)} samples; give the file that was basecalled",
            reason="label_length",
        )
    stride, move = _moves(read, record)
    sequence = (record.get_forward_sequence() or "").encode("ascii", "replace")
    return MoveTable(move, split_at + trimmed, stride, sequence, is_rna(read, record))


def _moves(read: Read, record: pysam.AlignedSegment) -> tuple[int, NDArray[np.int64]]:
    """Read the stride, and the moves of all blocks."""
    table = np.atleast_1d(np.asarray(tag_of(record, "mv")))
    if table.dtype.kind not in "iu" or len(table) < 2 or table[0] < 1 or table[1:].min() < 0:
        raise LabelError(
            f"{read.where}: its 'mv' tag is not a stride followed by moves; basecall the read again",
            reason="label_unreadable",
        )
    return int(table[0]), table[1:].astype(np.int64)


def is_rna(read: Read, record: pysam.AlignedSegment) -> bool | None:
    """Return whether a read's signal runs 3' to 5' (RNA).

    Args:
        read: Its chemistry decides, if its file states one.
        record: Else the basecalling model in the name of its read group (``RG``) decides.

    Returns:
        None if neither states it.
    """
    if read.chemistry.molecule:
        return read.chemistry.rna
    molecule = MODEL.search(str(tag_of(record, "RG") or ""))
    return None if molecule is None else molecule[1].lower() == "rna"
