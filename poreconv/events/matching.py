"""One-to-one matching of true and predicted boundaries."""

from collections.abc import Sequence

import numpy as np
from numba import njit
from numpy.typing import NDArray

TOLERANCES = (0, 1, 2, 3, 5)
"""Distances in samples within which a prediction matches; scores are reported at each."""


def match_count(true: NDArray[np.int64], pred: NDArray[np.int64], tolerance: int) -> int:
    """Count the pairs of a maximum one-to-one matching.

    Args:
        true: True boundaries, samples, ascending, shape ``(n_true,)``.
        pred: Predicted boundaries, samples, ascending, shape ``(n_pred,)``.
        tolerance: Largest distance within a pair, samples.

    Returns:
        The largest possible number of pairs with ``|true - pred| <= tolerance`` in which no boundary occurs twice.
        Taking, in order, the earliest prediction within the tolerance gives the maximum, because the tolerance is the
        same for all boundaries.
    """
    return int((partners(true, pred, tolerance) >= 0).sum())


def partners(true: NDArray[np.int64], pred: NDArray[np.int64], tolerance: int) -> NDArray[np.int64]:
    """Find the pairs of a maximum one-to-one matching, those that `match_count` counts.

    Args:
        true: True boundaries, samples, ascending, shape ``(n_true,)``.
        pred: Predicted boundaries, samples, ascending, shape ``(n_pred,)``.
        tolerance: Largest distance within a pair, samples.

    Returns:
        Index into ``pred`` of each true boundary's partner, shape ``(n_true,)``; -1 where it has none.
    """
    return np.asarray(_partners(np.asarray(true, np.int64), np.asarray(pred, np.int64), tolerance))


def match_counts(
    true: NDArray[np.int64], pred: NDArray[np.int64], tolerances: Sequence[int] = TOLERANCES
) -> NDArray[np.int64]:
    """Count the pairs of a maximum one-to-one matching at several tolerances.

    Args:
        true: True boundaries, samples, ascending, shape ``(n_true,)``.
        pred: Predicted boundaries, samples, ascending, shape ``(n_pred,)``.
        tolerances: Largest distances within a pair, samples.

    Returns:
        The counts, see `match_count`; shape ``(len(tolerances),)``.
    """
    return np.array([match_count(true, pred, tolerance) for tolerance in tolerances], np.int64)


def nearest_distance(true: NDArray[np.int64], pred: NDArray[np.int64]) -> NDArray[np.int64]:
    """Compute the distance from each true boundary to its nearest prediction, whether or not the two are matched.

    Args:
        true: True boundaries, samples, ascending, shape ``(n_true,)``.
        pred: Predicted boundaries, samples, ascending, shape ``(n_pred,)``, at least one.

    Returns:
        ``pred - true`` in samples, shape ``(n_true,)``: positive if the prediction is late. Of two equally near
        predictions, the earlier one counts.
    """
    after = np.searchsorted(pred, true)
    late = pred[np.minimum(after, len(pred) - 1)] - true
    early = pred[np.maximum(after - 1, 0)] - true
    return np.asarray(np.where(np.abs(early) <= np.abs(late), early, late), np.int64)


@njit(cache=True)
def _partners(true: NDArray[np.int64], pred: NDArray[np.int64], tolerance: int) -> NDArray[np.int64]:
    found = np.full(len(true), -1)
    i = j = 0
    while i < len(true) and j < len(pred):
        if pred[j] < true[i] - tolerance:
            j += 1
        elif pred[j] > true[i] + tolerance:
            i += 1
        else:
            found[i] = j
            i, j = i + 1, j + 1
    return found
