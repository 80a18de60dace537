"""Move tables: the number of bases that the basecaller advanced in each block of samples."""

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
    """Move table of one basecall."""

    move: NDArray[np.int64]
    """Bases that begin in each block, shape ``(n_blocks,)``: 0, 1, rarely more."""
    first_sample: int
    """Raw index of the first block's first sample."""
    stride: int
    """Samples per block."""
    sequence: bytes
    """Called bases, 5' to 3'."""
    rna: bool | None
    """Whether the signal runs 3' to 5'; None: unknown."""


class Steps(NamedTuple):
    """Places of bases on the signal, shape ``(n,)`` each; samples ``[start, end)``."""

    start: NDArray[np.int64]
    """First raw sample of each base."""
    end: NDArray[np.int64]
    """Sample after its last."""
    label: NDArray[np.int16]
    """Index of the base into `BASES`; -1: unknown."""
    base: NDArray[np.int64]
    """Number of the base in signal order, counted from the first base of the move table."""


def steps(read: Read, table: MoveTable, notes: Counter[str]) -> Steps:
    """Place bases on the signal: each begins at a block with a move and ends at the next such block.

    Where a block has a move of 2 or more, several bases begin in it, and the event is that of the last one. The others
    have no place of their own and are counted as ``bases_without_place``. If the orientation is unknown, every class
    is -1 and the read is counted as ``orientation_unknown``.

    Args:
        read: The read that was basecalled.
        table: Its move table.
        notes: Counter for the two notes above.

    Raises:
        LabelError: Blocks reach outside the signal (``label_outside_signal``), or the numbers of moves and bases
            differ (``label_moves``).
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
    """The base that each block belongs to, shape ``(n_blocks,)``; values before the first move are meaningless."""
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
    """Build the events of a read from the places of its bases.

    Args:
        read: The read that the events label.
        found: Places of its bases.
        margin: Samples on each side of a base's start that are not covered; 0: all are covered.

    Raises:
        LabelError: The places don't fit the read (see `fitted`), or no sample is outside the margins
            (``label_margin``).
    """
    if not margin:
        return fitted(read, found.start, found.end, label=found.label, classes=BASES)
    coverage = without_margins(found.start, found.end, margin)
    check_margin(read, coverage)
    return fitted(read, found.start, found.end, label=found.label, classes=BASES, coverage=coverage)


def without_margins(start: NDArray[np.int64], end: NDArray[np.int64], margin: int) -> NDArray[np.int64]:
    """Return the interval of each event between the margins after its start and before the next event's start.

    Args:
        start: First sample of each event, ascending, shape ``(n,)``.
        end: Sample after the last of each event, shape ``(n,)``.
        margin: Samples on each side of a start.

    Returns:
        Intervals ``[start, end)``, shape ``(n, 2)``; empty, with an end at or before the start, where the margins
        take up the whole event.
    """
    next_start = np.append(start[1:], np.iinfo(np.int64).max)
    return np.column_stack([start + margin, np.minimum(end, next_start - margin)])


def check_margin(read: Read, coverage: NDArray[np.int64]) -> None:
    """Check that the margins leave some sample covered.

    Args:
        read: The read, for the error message.
        coverage: The intervals of `without_margins`, shape ``(n, 2)``.

    Raises:
        LabelError: All intervals are empty (``label_margin``).
    """
    if not (coverage[:, 1] > coverage[:, 0]).any():
        raise LabelError(
            f"{read.where}: no base is longer than the margins on its sides; leave out move_margin",
            reason="label_margin",
        )
