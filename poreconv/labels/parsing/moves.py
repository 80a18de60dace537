"""Move tables: how many bases the basecaller stepped on in each block of samples."""

from collections import Counter
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from poreconv.errors import LabelError
from poreconv.events.events import Events
from poreconv.labels.bases import BASES, base_index
from poreconv.labels.fit import check_fit, fitted
from poreconv.reads.read import Read


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
    base: NDArray[np.int64]
    """Number of each base in signal order, counted from the first that the basecaller stepped on."""


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
    end = edge[np.append(moved[1:], len(table.move))] if len(moved) else edge[moved]
    return Steps(edge[moved], end, label, np.cumsum(table.move)[moved] - 1)


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
    coverage = inner(found.start, found.end, margin)
    check_margin(read, coverage)
    return fitted(read, found.start, found.end, label=found.label, classes=BASES, coverage=coverage)


def inner(start: NDArray[np.int64], end: NDArray[np.int64], margin: int) -> NDArray[np.int64]:
    """What is left of each event between the margins at its start and at the next one's, shape ``(n, 2)``.

    Of some nothing is left: their end is not after their start.
    """
    next_start = np.append(start[1:], np.iinfo(np.int64).max)
    return np.column_stack([start + margin, np.minimum(end, next_start - margin)])


def check_margin(read: Read, coverage: NDArray[np.int64]) -> None:
    """Raise `LabelError` (``label_margin``) if nothing is left of any event."""
    if not (coverage[:, 1] > coverage[:, 0]).any():
        raise LabelError(
            f"{read.where}: no base is longer than the margins at its sides; leave out move_margin",
            reason="label_margin",
        )
