"""The best split of a read into stretches of one class, none shorter than its class allows."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

# C classes, T samples

NO_CLASS = -1


class Before(NamedTuple):
    """What was decided before the first sample."""

    label: int = NO_CLASS
    """Class of the last stretch; `NO_CLASS`: the read begins here."""
    length: int = 0
    """Its samples so far."""


READ_START = Before()


@dataclass(frozen=True)
class StretchRules:
    """Which splits are possible."""

    least_C: NDArray[np.int64]
    """Smallest number of samples of a stretch of each class, at least 1; one stretch may cover a read that is
    shorter."""
    follows_CC: NDArray[np.bool_]
    """Whether a stretch of a class (row) may be followed by one of another (column)."""

    def best(self, gain_CT: NDArray[np.float64], before: Before = READ_START) -> NDArray[np.int64]:
        """Choose the class of each sample so that the sum of the gains is largest; linear in samples.

        Args:
            gain_CT: What each class adds at each sample, such as its log-probability, shape ``(C, T)``; T at least 1.
            before: What was decided before these samples.

        Returns:
            Shape ``(T,)``. Of equally good splits, that in which the last stretch is of the class with the highest
            number and begins first, then likewise the one before it.
        """
        total_CT = _totals(gain_CT)
        start_CT, before_CT, _, best_C = _forward(total_CT, self.least_C, self.follows_CC, *before)
        last = len(best_C) - 1 - int(best_C[::-1].argmax())
        if best_C[last] > -np.inf:
            return _path(start_CT, before_CT, last, total_CT.shape[1] - 1)
        only = len(best_C) - 1 - int(total_CT[::-1, -1].argmax()) if before.label == NO_CLASS else before.label
        return np.full(gain_CT.shape[1], only)

    def certain(self, gain_CT: NDArray[np.float64], before: Before) -> NDArray[np.int64]:
        """Choose the classes of the first samples, as far as they do not depend on what follows.

        Args:
            gain_CT: See `best`.
            before: What was decided before these samples.

        Returns:
            Shape ``(n,)``; n may be 0.
        """
        n_samples = gain_CT.shape[1]
        least = 0 if before.label == NO_CLASS else self.least_C[before.label]
        if n_samples < self.least_C.max() or before.length + n_samples < least:
            return np.zeros(0, np.int64)  # a stretch that begins here may still be too short
        start_CT, before_CT, entered_CT, best_C = _forward(_totals(gain_CT), self.least_C, self.follows_CC, *before)
        return _path(start_CT, before_CT, *_settled(start_CT, before_CT, entered_CT, best_C, self.least_C))


def _totals(gain_CT: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.concatenate([np.zeros((len(gain_CT), 1)), np.cumsum(gain_CT, axis=1)], axis=1)


@njit(cache=True)
def _forward(
    total_CT: NDArray[np.float64], least_C: NDArray[np.int64], follows_CC: NDArray[np.bool_], label: int, length: int
) -> tuple[NDArray[np.int32], NDArray[np.int8], NDArray[np.float64], NDArray[np.float64]]:
    """Return where the best stretch that ends at each sample begins, and the class before one that begins there.

    Also the best total before a stretch that begins at each sample, and of a path that ends with the last one; both
    are -inf where there is none.
    """  # (float64[:, :], int64[:], bool[:, :], int64, int64)
    n_classes, n_edges = total_CT.shape
    entered_CT = np.full((n_classes, n_edges), -np.inf)
    before_CT = np.full((n_classes, n_edges), np.int8(label), np.int8)
    start_CT = np.zeros((n_classes, n_edges), np.int32)
    ahead_C, best_C = np.full(n_classes, -np.inf), np.full(n_classes, -np.inf)
    first_C = np.zeros(n_classes, np.int32)
    for c in range(n_classes):
        if label < 0 or (follows_CC[label, c] and length >= least_C[label]):
            entered_CT[c, 0] = 0.0
    for t in range(1, n_edges):
        for c in range(n_classes):
            s = t - least_C[c]
            if c == label and t == max(least_C[c] - length, 1):
                ahead_C[c], first_C[c] = 0.0, 0
            if s >= 0 and entered_CT[c, s] - total_CT[c, s] > ahead_C[c]:
                ahead_C[c], first_C[c] = entered_CT[c, s] - total_CT[c, s], s
            start_CT[c, t], best_C[c] = first_C[c], ahead_C[c] + total_CT[c, t]
        for c in range(n_classes):
            for other in range(n_classes - 1, -1, -1):
                if follows_CC[other, c] and best_C[other] > entered_CT[c, t]:
                    entered_CT[c, t], before_CT[c, t] = best_C[other], other
    return start_CT, before_CT, entered_CT, best_C


@njit(cache=True)
def _path(
    start_CT: NDArray[np.int32], before_CT: NDArray[np.int8], label: int, end: int
) -> NDArray[np.int64]:  # (int32[:, :], int8[:, :], int64, int64)
    """Class of each sample before ``end``, on the best path whose last stretch ends there."""
    path = np.empty(end, np.int64)
    while end > 0:
        start = start_CT[label, end]
        path[start:end] = label
        label, end = before_CT[label, start], start
    return path


@njit(cache=True)
def _settled(
    start_CT: NDArray[np.int32],
    before_CT: NDArray[np.int8],
    entered_CT: NDArray[np.float64],
    best_C: NDArray[np.float64],
    least_C: NDArray[np.int64],
) -> tuple[int, int]:  # (int32[:, :], int8[:, :], float64[:, :], float64[:], int64[:])
    """Class of the last stretch that is on all paths that may become the best, and the sample at which they part."""
    n_classes, n_samples = start_CT.shape[0], start_CT.shape[1] - 1
    part_CT = np.full(start_CT.shape, n_samples + 1, np.int32)  # of a stretch on such a path: where the first ends
    for c in range(n_classes):
        if best_C[c] > -np.inf:
            _mark(part_CT, start_CT, c, n_samples)
        for s in range(max(n_samples - least_C[c] + 1, 1), n_samples + 1):  # stretches that are still too short
            if entered_CT[c, s] > -np.inf:
                _mark(part_CT, start_CT, before_CT[c, s], s)
    n_alive = (part_CT <= n_samples).sum()
    for s in range(n_samples, -1, -1):
        for c in range(n_classes):
            if part_CT[c, s] <= n_samples:
                if n_alive == 1:
                    return c, part_CT[c, s]
                if s == 0:
                    return 0, 0
                n_alive += _mark(part_CT, start_CT, before_CT[c, s], s) - 1
    return 0, 0


@njit(cache=True)
def _mark(
    part_CT: NDArray[np.int32], start_CT: NDArray[np.int32], label: int, end: int
) -> int:  # (int32[:, :], int32[:, :], int64, int64)
    """Put the stretch that ends here on a path; return 1 if it was on none."""
    start = start_CT[label, end]
    is_new = int(part_CT[label, start] >= start_CT.shape[1])
    part_CT[label, start] = min(part_CT[label, start], end)
    return is_new
