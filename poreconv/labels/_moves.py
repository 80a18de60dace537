"""Move tables: how many bases the basecaller stepped on in each block of samples."""

from collections import Counter
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from poreconv.errors import LabelError
from poreconv.events import Events
from poreconv.labels._bases import BASES, base_index
from poreconv.labels._fit import check_fit, fitted
from poreconv.read import Read


class MoveTable(NamedTuple):
    """One basecall's steps."""

    move: NDArray[np.int64]
    """Bases stepped on in each block, shape ``(n_blocks,)``: 0, 1, rarely more."""
    first_sample: int
    """Raw index of the first block's first sample."""
    stride: int
    """Samples per block."""
    sequence: bytes
    """Called bases, 5' to 3'."""
    rna: bool | None
    """Whether the signal runs 3' to 5'; None where nothing tells."""


class Steps(NamedTuple):
    """Bases on the signal, shape ``(n,)`` each; half-open samples."""

    start: NDArray[np.int64]
    end: NDArray[np.int64]
    label: NDArray[np.int16]


def steps(read: Read, table: MoveTable, notes: Counter[str]) -> Steps:
    """Place bases: each begins at a block with a move and reaches to the next such block.

    A move of 2 steps on two bases in one block: both begin there, and the event is the last one's; the others have no
    place of their own and are counted as ``bases_without_place``. Without orientation every class is -1, and the read
    is counted as ``orientation_unknown``.

    Raises:
        LabelError: Blocks reach outside the signal (``label_outside_signal``), or moves and bases differ in number
            (``label_moves``).
    """
    edge = table.first_sample + np.arange(len(table.move) + 1, dtype=np.int64) * table.stride
    check_fit(read, edge[:-1], edge[1:])
    moved = np.flatnonzero(table.move)
    label = _bases(read, table)[moved]
    without_place = int(table.move.sum()) - len(moved)
    if without_place:
        notes["bases_without_place"] += without_place
    if table.rna is None and len(moved):
        notes["orientation_unknown"] += 1
    return Steps(edge[moved], edge[np.append(moved[1:], len(table.move))] if len(moved) else edge[moved], label)


def _bases(read: Read, table: MoveTable) -> NDArray[np.int16]:
    """The base that each block is in, shape ``(n_blocks,)``; blocks before the first move hold nonsense."""
    move, sequence = table.move, table.sequence
    if move.any() and move.sum() != len(sequence):
        raise LabelError(
            f"{read.where}: {move.sum()} moves for {len(sequence)} bases; basecall the read again",
            reason="label_moves",
        )
    if table.rna is None or not move.any():
        return np.full(len(move), -1, np.int16)
    return base_index(sequence[::-1] if table.rna else sequence)[np.cumsum(move) - 1]


def moved_events(read: Read, found: Steps, margin: int) -> Events:
    """Make events of steps.

    Args:
        read: The read that they label.
        found: Where its bases are.
        margin: Samples on each side of a start that are left uncovered; 0: none.

    Raises:
        LabelError: The steps don't fit (see `fitted`), or no sample is outside the margins (``label_margin``).
    """
    if not margin:
        return fitted(read, found.start, found.end, label=found.label, classes=BASES)
    coverage = _inner(found, margin)
    if not len(coverage):
        raise LabelError(
            f"{read.where}: no base lasts over {2 * margin} samples, so it is all margin; leave out move_margin",
            reason="label_margin",
        )
    return fitted(read, found.start, found.end, label=found.label, classes=BASES, coverage=coverage)


def _inner(found: Steps, margin: int) -> NDArray[np.int64]:
    """What is left of each event between the margins at its start and at the next one's, shape ``(m, 2)``."""
    next_start = np.append(found.start[1:], np.iinfo(np.int64).max)
    inner = np.column_stack([found.start + margin, np.minimum(found.end, next_start - margin)])
    return inner[inner[:, 1] > inner[:, 0]]
