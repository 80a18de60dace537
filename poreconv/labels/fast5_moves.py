"""Labels from guppy's move table: right to about one block of the basecaller, no better."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from poreconv.config import LabelConfig
from poreconv.errors import LabelError
from poreconv.events import Events
from poreconv.labels._basecall import Basecall, basecalls_with, needed_segment
from poreconv.labels._bases import BASES, base_index
from poreconv.labels._fast5 import Fast5Groups, rows_of, unreadable_dropped
from poreconv.labels._fit import check_fit, fitted
from poreconv.read import Read


class Fast5Moves:
    """``Basecall_1D_nnn/BaseCalled_template/Move`` of the read's own fast5 file.

    Block i covers ``first_sample_template + i * block_stride``, both of this very basecall. An event begins at each
    block with a move and reaches to the next. A move of 2 pushes two bases in one block: both begin there, and the
    event is the last one's; the others have no place of their own and are counted as ``bases_without_place``. Blocks
    before the first move are not covered.

    The newest basecall with a move table wins; the others are counted as ``other_basecalls``. For RNA, whose signal
    runs 3' to 5', the sequence is walked backwards; where neither the file's chemistry nor a U tells RNA from DNA, the
    events have places only (class -1), and the read is counted as ``orientation_unknown``.
    """

    in_file = True
    classes = BASES
    base_offset: int | None = 0

    def __init__(self, files: Sequence[Path], config: LabelConfig) -> None:
        """Take the arguments of every source; this one needs neither."""
        self.notes: Counter[str] = Counter()
        self._groups = Fast5Groups()

    def events(self, read: Read) -> Events | None:
        """Label one read; see `LabelSource.events`."""
        with unreadable_dropped(read):
            found = basecalls_with(self._groups.of(read), "Move")
            if not found:
                return None
            if len(found) > 1:
                self.notes["other_basecalls"] += len(found) - 1
            return self._events(read, found[0])

    def _events(self, read: Read, basecall: Basecall) -> Events | None:
        move = rows_of(read, basecall.template["Move"]).astype(np.int64)
        edge = _block_edges(read, basecall, len(move))
        moved = np.flatnonzero(move)
        if not len(moved):
            return None
        label = self._bases(read, basecall.sequence, move)[moved]
        without_place = int(move.sum()) - len(moved)
        if without_place:
            self.notes["bases_without_place"] += without_place
        return fitted(read, edge[moved], edge[np.append(moved[1:], len(move))], label=label, classes=BASES)

    def _bases(self, read: Read, sequence: bytes, move: NDArray[np.int64]) -> NDArray[np.int16]:
        """The base that each block is in, shape ``(n_blocks,)``; blocks before the first move hold nonsense."""
        if move.sum() != len(sequence):
            raise LabelError(
                f"{read.where}: {move.sum()} moves for {len(sequence)} bases; basecall the read again",
                reason="label_moves",
            )
        rna = read.chemistry.startswith("rna") or b"U" in sequence
        if read.chemistry == "unknown" and not rna:
            self.notes["orientation_unknown"] += 1
            return np.full(len(move), -1, np.int16)
        return base_index(sequence[::-1] if rna else sequence)[np.cumsum(move) - 1]

    def close(self) -> None:
        """Close the fast5 files."""
        self._groups.close()


def _block_edges(read: Read, basecall: Basecall, blocks: int) -> NDArray[np.int64]:
    """First sample of each block, and the sample after the last, shape ``(blocks + 1,)``."""
    segment, stride = needed_segment(read, basecall), basecall.stride
    if stride is None:
        raise LabelError(
            f"{read.where}: {basecall.group.name} has moves and no block_stride; basecall the read again",
            reason="label_incomplete",
        )
    edge = segment.first_sample + np.arange(blocks + 1, dtype=np.int64) * stride
    check_fit(read, edge[:-1], edge[1:])
    return edge
