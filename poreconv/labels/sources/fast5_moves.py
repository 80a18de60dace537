"""Labels from guppy's move tables in fast5 files; they are right to about one block of the basecaller."""

import numpy as np

from poreconv.errors import LabelError
from poreconv.events.events import Events
from poreconv.labels.bases import BASES
from poreconv.labels.parsing.basecall import Basecall, basecalls_with, needed_segment
from poreconv.labels.parsing.fast5 import InFast5, rows_of, unreadable_dropped
from poreconv.labels.parsing.moves import MoveTable, moved_events, steps
from poreconv.reads.read import Read


class Fast5Moves(InFast5):
    """``Basecall_1D_nnn/BaseCalled_template/Move`` of the read's own fast5 file.

    Block i starts at sample ``first_sample_template + i * block_stride``, both taken from the same basecall; see
    `steps`. Blocks before the first move are not covered; with `SourceConfig.move_margin` neither is one stride on each
    side of each base's first sample.

    Of several basecalls the newest with a move table is used; the others are counted as ``other_basecalls``. For RNA,
    whose signal runs 3' to 5', the sequence is read backwards. RNA is recognised by the file's chemistry or a U in the
    sequence; if the chemistry is unknown and there is no U, events have places only (class -1), and the read is counted
    as ``orientation_unknown``.
    """

    classes = BASES
    base_offset: int | None = 0

    def events(self, read: Read) -> Events | None:
        """Label one read; see `LabelSource.events`.

        Args:
            read: Its fast5 file and id locate the move table; its chemistry, if known, states the molecule.
        """
        with unreadable_dropped(read):
            found = basecalls_with(self._groups.of(read), "Move")
            if not found:
                return None
            if len(found) > 1:
                self.notes["other_basecalls"] += len(found) - 1
            return self._events(read, found[0])

    def _events(self, read: Read, basecall: Basecall) -> Events | None:
        table = _table(read, basecall)
        found = steps(read, table, self.notes)
        return moved_events(read, found, table.stride if self._config.move_margin else 0) if len(found.start) else None


def _table(read: Read, basecall: Basecall) -> MoveTable:
    move = rows_of(read, basecall.template["Move"]).astype(np.int64)
    segment, stride, sequence = needed_segment(read, basecall), basecall.stride, basecall.sequence
    if stride is None:
        raise LabelError(
            f"{read.where}: {basecall.group.name} has moves but no block_stride; basecall the read again",
            reason="label_incomplete",
        )
    rna = read.chemistry.rna or b"U" in sequence
    known = rna or bool(read.chemistry.molecule)
    return MoveTable(move, segment.first_sample, stride, sequence, rna if known else None)
