"""Labels from the move tables that dorado, guppy and bonito write into BAM: right to about one block, no better."""

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
from poreconv.labels.parsing.bam import Records, int_tag
from poreconv.labels.parsing.moves import MoveTable, Steps, moved_events, steps
from poreconv.reads.read import Read

MODEL = re.compile(r"(?:^|_)(dna|rna)\d*[_\d]", re.IGNORECASE)
"""Molecule in a read group, which basecallers name ``<run id>_<model>``, as in ``..._rna004_130bps_sup@v5.1.0``."""


class BamMoves:
    """Tags ``mv`` (stride, then a move per block) and ``ts`` (samples before the first block) of BAM or SAM records.

    Blocks are in signal order; the sequence, 5' to 3', is walked backwards for RNA. Bases of a record aligned to the
    reverse strand are turned back to the read's own. A read that was split has its labels from all its parts: their
    samples begin at ``sp`` in the signal of the read named by ``pi``. What tells RNA is the signal file, else the
    record's read group; else events have places only (class -1), and the read is counted as ``orientation_unknown``.

    ``ns``, the samples that the basecaller saw, must not exceed those of the read; fewer are fine (dorado passes over
    the end of some reads). Moves of aligned records with clipped-off bases don't fit them: a named drop. With
    `SourceConfig.move_margin` one stride on each side of each base's first sample is uncovered.

    Source:
        https://software-docs.nanoporetech.com/dorado/latest/basecaller/sam_spec; dorado before 2.1 may tell ``sp``
        without the samples it had trimmed (its issue 1613): what then reaches beyond the signal is dropped.
    """

    in_file = False
    classes = BASES
    base_offset: int | None = 0

    def __init__(self, files: Sequence[Path], config: SourceConfig) -> None:
        """Index the files.

        Raises:
            FormatError: A file is no SAM or BAM, or has no move table.
        """
        self.notes: Counter[str] = Counter()
        self._margin = config.move_margin
        hint = "basecall again with move tables (dorado: --emit-moves)"
        self._records = Records(
            files, tag="mv", hint=hint, size=lambda record: record.query_length, notes=self.notes, split=True
        )

    def events(self, read: Read) -> Events | None:
        """Label one read; see `LabelSource.events`."""
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
    """Read the tags of one record.

    Raises:
        LabelError: One is missing (``label_incomplete``) or no move table (``label_unreadable``), or the basecaller saw
            more samples than there are (``label_length``).
    """
    trimmed, seen = int_tag(record, "ts"), int_tag(record, "ns")
    split_at = int_tag(record, "sp") or 0
    if trimmed is None:
        raise LabelError(
            f"{read.where}: {record.query_name} has moves and no number in 'ts', so its first block can't be placed; "
            "basecall the read again",
            reason="label_incomplete",
        )
    if seen is not None and split_at + seen > len(read.adc):
        raise LabelError(
            f"{read.where}: the basecaller saw samples [{split_at}, {split_at + seen}), the read has {len(read.adc)}; "
            "is this the file that was basecalled?",
            reason="label_length",
        )
    stride, move = _moves(read, record)
    sequence = (record.get_forward_sequence() or "").encode("ascii", "replace")
    return MoveTable(move, split_at + trimmed, stride, sequence, is_rna(read, record))


def _moves(read: Read, record: pysam.AlignedSegment) -> tuple[int, NDArray[np.int64]]:
    """Stride, and the moves of all blocks."""
    table = np.atleast_1d(np.asarray(record.get_tag("mv")))
    if table.dtype.kind not in "iu" or len(table) < 2 or table[0] < 1 or table[1:].min() < 0:
        raise LabelError(
            f"{read.where}: its 'mv' tag is no stride followed by moves; basecall the read again",
            reason="label_unreadable",
        )
    return int(table[0]), table[1:].astype(np.int64)


def is_rna(read: Read, record: pysam.AlignedSegment) -> bool | None:
    """Tell whether a read's signal runs 3' to 5', by its file, else by the record's read group; None: unknown."""
    if read.chemistry != "unknown":
        return read.chemistry.startswith("rna")
    told = MODEL.search(str(record.get_tag("RG"))) if record.has_tag("RG") else None
    return None if told is None else told[1].lower() == "rna"
