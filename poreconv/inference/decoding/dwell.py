"""How long events last, and the best choice of boundaries given that: a life table, and a semi-Markov path.

Source:
    Life tables with censored lives: Kaplan & Meier 1958, doi:10.1080/01621459.1958.10501452. Explicit durations in the
    path: Ferguson 1980, as in Rabiner 1989, doi:10.1109/5.18626, section IV.D.
"""

from collections.abc import Iterable

import numpy as np
from numba import njit
from numpy.typing import NDArray

from poreconv.errors import ConfigError

EDGES = np.array([*range(1, 17), 20, 25, 31, 39, 49, 61, 76, 95, 119, 149, 186, 232, 256])
"""First dwell, in samples, of each bin in which the hazard is taken as constant; the last bin has no end."""

LONGEST = int(EDGES[-1])
"""Dwell from which on the prior is geometric."""


class LifeTable:
    """Counts of dwells, including those of events whose end was not observed (censored)."""

    def __init__(self) -> None:
        self._ended, self._lived = np.zeros(len(EDGES)), np.zeros(len(EDGES))

    def update(self, dwell: NDArray[np.int64], ended: NDArray[np.bool_]) -> None:
        """Count events.

        Args:
            dwell: Observed samples of each event, shape ``(n,)``.
            ended: Whether the event ended there, shape ``(n,)``; if not, it may have gone on.
        """
        self._ended += np.bincount(np.searchsorted(EDGES, dwell[ended], side="right") - 1, minlength=len(EDGES))
        at_risk = np.where(ended, dwell, dwell - 1)[:, None]
        widths = np.append(np.diff(EDGES), np.iinfo(np.int64).max)
        self._lived += np.clip(at_risk - EDGES + 1, 0, widths).sum(0)

    def hazards(self) -> tuple[float, ...]:
        """Return the hazard of each bin of `EDGES`: the probability that an event which has lasted so long ends there.

        One event that ended at the mean rate is added to each bin, so that no hazard is 0 or 1; without any event, all
        are those of dwells of 2 samples on average.
        """
        mean = (self._ended.sum() + 1) / (self._lived.sum() + 2)
        smooth = (self._ended + 1) / (self._lived + 1 / mean)
        return tuple(float(f"{hazard:.5g}") for hazard in np.minimum(smooth, 0.999))


def log_likelihood_ratios(hazards: Iterable[float]) -> tuple[NDArray[np.float64], float]:
    """Compare the likelihood of each dwell by a life table with that by a constant hazard.

    Args:
        hazards: One per bin of `EDGES`.

    Returns:
        ``log p(dwell) - log q(dwell)`` of a dwell of 0, 1, ... samples, shape ``(LONGEST + 1,)``, where q is geometric
        with the mean of p (that of 0 samples is unused); and what each sample beyond `LONGEST` adds.

    Raises:
        ConfigError: There are more or fewer bins than in `EDGES`.
    """
    per_bin = np.array(tuple(hazards), np.float64)
    if len(per_bin) != len(EDGES):
        raise ConfigError(f"decoding.dwell_hazards: {len(per_bin)} bins, not {len(EDGES)}; train the model anew")
    hazard = np.repeat(per_bin, np.append(np.diff(EDGES), 1))
    lasts = np.concatenate([[1.0], np.cumprod(1 - hazard)])  # longer than 0, 1, ... samples
    chance = 1 / (lasts[:-1].sum() + lasts[-1] / hazard[-1])
    log_p = np.log(hazard) + np.log(lasts[:-1])
    log_q = np.log(chance) + np.arange(LONGEST) * np.log1p(-chance)
    return np.append(0.0, log_p - log_q), float(np.log1p(-hazard[-1]) - np.log1p(-chance))


def best_boundaries(
    position: NDArray[np.int64], gain: NDArray[np.float64], by_dwell: NDArray[np.float64], beyond: float
) -> NDArray[np.int64]:
    """Choose the boundaries for which the sum of their gains and of what the dwells between them add is largest.

    The events before the first and after the last boundary may have any length. Of equally good choices the one whose
    last boundary lies earliest is taken, and from there backwards: no further boundary, else the nearest.

    Args:
        position: Candidates: samples that may be boundaries, ascending, shape ``(n,)``.
        gain: What each candidate adds if chosen, shape ``(n,)``.
        by_dwell: What a dwell of 0, 1, ... samples adds, shape ``(D + 1,)``; that of 0 samples is unused.
        beyond: What each sample of a dwell beyond ``D`` adds.

    Returns:
        Indices of the chosen candidates, ascending; empty if no choice has a sum above 0.
    """
    best, before, _, _ = _forward(position, gain, by_dwell, _suffix(np.maximum, by_dwell), beyond)
    return np.asarray(_traced(best, before))


def settled_boundaries(
    position: NDArray[np.int64],
    gain: NDArray[np.float64],
    by_dwell: NDArray[np.float64],
    beyond: float,
    *,
    seen: int,
    due: int,
) -> tuple[NDArray[np.int64], float]:
    """Return the first boundaries of `best_boundaries`, as far as later candidates cannot change them.

    They are shared by every choice that may still turn out best: by each that the gain of some dwell lets catch up with
    the best so far. Only a gap of over `LONGEST` samples without a candidate can undo them, if it costs more than all
    that was gained.

    Args:
        position: Candidates: samples that may be boundaries, ascending, shape ``(n,)``; the first may be a boundary
            that was chosen before.
        gain: What each candidate adds if chosen, shape ``(n,)``; of one that was chosen before, the gain returned with
            it.
        by_dwell: As in `best_boundaries`.
        beyond: As in `best_boundaries`.
        seen: Later candidates lie at this sample or after it.
        due: Before this sample, the best choice so far is taken, certain or not.

    Returns:
        Indices of the chosen candidates, ascending, and the gain up to the last of them (of no meaning without one).
    """
    at_least = _suffix(np.maximum, by_dwell)
    best, before, first_near, far_at = _forward(position, gain, by_dwell, at_least, beyond)
    near = np.arange(len(best)) >= first_near
    near[far_at] |= far_at >= 0
    leader = int(best.argmax())
    dwell = np.minimum(seen - position, len(by_dwell) - 1)
    surely = best[leader] + _suffix(np.minimum, by_dwell)[dwell[leader]]
    catches_up = best + at_least[dwell] + abs(beyond) * np.abs(position - position[leader]) >= surely
    alive = near & catches_up
    alive[leader] = True
    last = _common(alive, before) if surely > 0 else -1  # at 0 or less, a choice that begins later may be best
    path = _traced(best, before)
    last = max([last, *path[position[path] < due][-1:]])
    return _path_to(last, before), float(best[last])


def _suffix(extreme: np.ufunc, by_dwell: NDArray[np.float64]) -> NDArray[np.float64]:
    """Largest or smallest gain of a dwell of at least 0, 1, ... samples, within the table."""
    return np.asarray(extreme.accumulate(by_dwell[::-1])[::-1].copy())


@njit(cache=True)
def _forward(
    position: NDArray[np.int64],
    gain: NDArray[np.float64],
    table: NDArray[np.float64],
    at_least: NDArray[np.float64],
    beyond: float,
) -> tuple[NDArray[np.float64], NDArray[np.int64], int, int]:  # (int64[:], float64[:], float64[:], float64[:], float64)
    """Return the largest gain of a choice that ends with each candidate, and the candidate chosen before it (-1: none).

    Also the first candidate within the table's length of the last, and the best of those before it (-1: none).
    """
    n, longest = len(position), len(table) - 1
    best, top, before = np.empty(n), np.empty(n), np.empty(n, np.int64)
    first_near, far, far_at = 0, -np.inf, -1
    for i in range(n):
        while position[i] - position[first_near] > longest:
            score = best[first_near] - beyond * position[first_near]
            if score >= far:
                far, far_at = score, first_near
            first_near += 1
        most, at = 0.0, -1
        for j in range(i - 1, first_near - 1, -1):
            dwell = position[i] - position[j]
            if top[j] + at_least[dwell] <= most:
                break  # nor can an earlier one be better
            score = best[j] + table[dwell]
            if score > most:
                most, at = score, j
        if far_at >= 0:
            score = far + table[longest] + beyond * (position[i] - longest)
            if score > most:
                most, at = score, far_at
        best[i], before[i] = most + gain[i], at
        top[i] = best[i] if i == 0 else max(top[i - 1], best[i])
    return best, before, first_near, far_at


@njit(cache=True)
def _traced(best: NDArray[np.float64], before: NDArray[np.int64]) -> NDArray[np.int64]:  # (float64[:], int64[:])
    last = -1
    for j in range(len(best)):
        if best[j] > (0.0 if last < 0 else best[last]):
            last = j
    return _path_to(last, before)


@njit(cache=True)
def _path_to(last: int, before: NDArray[np.int64]) -> NDArray[np.int64]:  # (int64, int64[:])
    """Candidates chosen up to this one; none if it is -1."""
    n, j = 0, last
    while j >= 0:
        n, j = n + 1, before[j]
    path = np.empty(n, np.int64)
    while last >= 0:
        n -= 1
        path[n] = last
        last = before[last]
    return path


@njit(cache=True)
def _common(alive: NDArray[np.bool_], before: NDArray[np.int64]) -> int:  # (bool[:], int64[:])
    """The last candidate that is on the paths to all of these; -1: none."""
    n_alive, last = alive.sum(), len(alive) - 1
    while n_alive > 1 or not alive[last]:
        if alive[last]:
            earlier = before[last]
            if earlier < 0:
                return -1
            n_alive -= alive[earlier]
            alive[earlier] = True
        last -= 1
    return last
