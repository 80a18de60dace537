"""Segments of a read, true and predicted ones: which overlap, how well, and how far apart their edges are."""

from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

from poreconv.config import IGNORE

START, END = 0, 1

Segments = NDArray[np.int64]
"""Stretches of one class: rows ``(start, end, class)``, shape ``(n, 3)``."""


@dataclass(frozen=True)
class Overlaps:
    """How the segments of a read overlap; only those of one class count."""

    true: Segments
    found: Segments
    """The predicted ones, inside the coverage."""
    iou: NDArray[np.float64]
    """Of each true segment with its partner, the predicted one that it overlaps best; 0 without one."""
    partner: NDArray[np.int64]
    """Number of this partner among the predicted ones; -1: none."""
    pieces: NDArray[np.int64]
    """Number of predicted segments that each true one overlaps."""
    joined: NDArray[np.int64]
    """Number of true segments that each predicted one overlaps."""

    @classmethod
    def of(cls, true_T: NDArray[np.int64], pred_T: NDArray[np.int64]) -> "Overlaps":
        """Compare the segments of one read.

        Args:
            true_T: True class of each sample, ``IGNORE`` where it is not judged, shape ``(T,)``.
            pred_T: Predicted class, ``IGNORE`` for none and where it is not judged, shape ``(T,)``.
        """
        true, found = _segments(true_T), _segments(pred_T)
        return cls(true, found, *_compare(true, found))

    def counts(self, n_classes: int) -> NDArray[np.int64]:
        """Count the segments of each class: true ones, predicted ones, true ones in several pieces, joined true ones.

        Args:
            n_classes: Number of classes.

        Returns:
            Shape ``(4, C)``.
        """
        is_joined = (self.partner >= 0) & (np.append(self.joined, 0)[self.partner] > 1)
        chosen = (self.true, self.found, self.true[self.pieces > 1], self.true[is_joined])
        return np.stack([np.bincount(each[:, 2], minlength=n_classes) for each in chosen])

    def distances(self, true_T: NDArray[np.int64]) -> NDArray[np.int64]:
        """List how far the edges of true segments are from those of their partners.

        An edge at which the labels begin or end is left out: there is nothing to find.

        Args:
            true_T: True class of each sample, shape ``(T,)``.

        Returns:
            Rows ``(class, START or END, samples)``, shape ``(n, 3)``.
        """
        known_T = np.concatenate([[False], true_T != IGNORE, [False]])
        paired = self.partner >= 0
        true, found = self.true[paired], self.found[self.partner[paired]]
        rows = []
        for side, beside in ((START, true[:, START]), (END, true[:, END] + 1)):  # the sample beside the edge
            apart = np.abs(true[:, side] - found[:, side])
            rows.append(np.column_stack([true[:, 2], np.full(len(true), side), apart])[known_T[beside]])
        return np.concatenate(rows)


def _segments(y_T: NDArray[np.int64]) -> Segments:
    """Find the stretches of one class, without those of ``IGNORE``."""
    edges = np.flatnonzero(np.diff(y_T, prepend=IGNORE - 1, append=IGNORE - 1))
    stretches = np.column_stack([edges[:-1], edges[1:], y_T[edges[:-1]]])
    return np.asarray(stretches[stretches[:, 2] != IGNORE], np.int64)


@njit(cache=True)
def _compare(
    true: Segments, found: Segments
) -> tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:  # (int64[:, :], int64[:, :])
    iou, partner = np.zeros(len(true)), np.full(len(true), -1)
    pieces, joined = np.zeros(len(true), np.int64), np.zeros(len(found), np.int64)
    first = 0
    for i in range(len(true)):
        start, end, label = true[i]
        while first < len(found) and found[first, 1] <= start:
            first += 1
        j = first
        while j < len(found) and found[j, 0] < end:
            if found[j, 2] == label:
                shared = min(end, found[j, 1]) - max(start, found[j, 0])
                here = shared / (end - start + found[j, 1] - found[j, 0] - shared)
                if here > iou[i]:
                    iou[i], partner[i] = here, j
                pieces[i] += 1
                joined[j] += 1
            j += 1
    return iou, partner, pieces, joined
