"""Cut a signal into events of known levels, each within its own band, by dynamic programming.

Source:
    Viterbi 1967, doi:10.1109/TIT.1967.1054010; a left-to-right model whose states have a minimum duration.
"""

import numpy as np
from numba import njit
from numpy.typing import NDArray

IMPOSSIBLE = -1e30
"""Score of a path that does not exist."""


@njit(cache=True)
def best_path(
    z: NDArray[np.float64],
    reward: NDArray[np.float64],
    level: NDArray[np.float64],
    low: NDArray[np.int64],
    high: NDArray[np.int64],
    min_dwell: int,
    weight: float,
) -> NDArray[np.int64]:  # (float64[:], float64[:], float64[:], int64[:], int64[:], int64, float64)
    """Cut a signal into one event per level, minimising squared distances minus rewards.

    Args:
        z: Signal on the scale of the levels, shape ``(n_samples,)``.
        reward: Reward of a cut before each sample, shape ``(n_samples,)``.
        level: Level of each event, shape ``(n,)``.
        low: First sample that each event may contain, ascending, shape ``(n,)``; the first is 0.
        high: Sample after the last that each event may contain, ascending, shape ``(n,)``; the last is ``n_samples``.
        min_dwell: Fewest samples of an event.
        weight: Cost of a sample at distance 1 from its level; the cost grows with the squared distance.

    Returns:
        First sample of each event, then ``n_samples``: shape ``(n + 1,)``, ascending; empty if no cut fits the bands.
    """
    n, n_kmers = len(z), len(level)
    row = np.zeros(n_kmers + 1, np.int64)
    row[1:] = np.cumsum(high - low)
    entered = np.zeros(row[-1], np.bool_)
    before, now = np.full(n + 1, IMPOSSIBLE), np.full(n + 1, IMPOSSIBLE)
    before[0] = 0.0
    for i in range(n_kmers):
        _fill_row(before, now, entered[row[i] : row[i + 1]], z, reward, level[i], low[i], min_dwell, weight)
        before[(0 if i == 0 else low[i - 1]) : (1 if i == 0 else high[i - 1] + 1)] = IMPOSSIBLE
        before, now = now, before
    if before[n] <= IMPOSSIBLE / 2:
        return np.empty(0, np.int64)
    return _traced(entered, row, low, n, min_dwell)


@njit(cache=True)
def _fill_row(
    before: NDArray[np.float64],
    now: NDArray[np.float64],
    entered: NDArray[np.bool_],
    z: NDArray[np.float64],
    reward: NDArray[np.float64],
    level: float,
    low: int,
    min_dwell: int,
    weight: float,
) -> None:
    """Score each prefix of the signal that ends in this k-mer: it continues, or was entered ``min_dwell`` samples ago.

    ``before[e]`` and ``now[e]`` are the best scores of the first e samples, divided among the k-mers up to the previous
    one and up to this one.
    """
    best = IMPOSSIBLE
    for cell in range(len(entered)):
        t = low + cell
        best -= weight * (z[t] - level) ** 2
        first = t - min_dwell + 1
        if first >= low and before[first] > IMPOSSIBLE / 2:
            enter = before[first] + reward[first]
            for u in range(first, t + 1):
                enter -= weight * (z[u] - level) ** 2
            if enter > best:
                best, entered[cell] = enter, True
        now[t + 1] = best


@njit(cache=True)
def _traced(
    entered: NDArray[np.bool_], row: NDArray[np.int64], low: NDArray[np.int64], n: int, min_dwell: int
) -> NDArray[np.int64]:  # (bool[:], int64[:], int64[:], int64, int64)
    """Trace the best path back from the end: each k-mer starts where it was last entered."""
    edge = np.empty(len(low) + 1, np.int64)
    edge[-1] = n
    for i in range(len(low) - 1, -1, -1):
        t = edge[i + 1] - 1
        while not entered[row[i] + t - low[i]]:
            t -= 1
        edge[i] = t - min_dwell + 1
    return edge
