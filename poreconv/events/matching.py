"""Pairing true and predicted boundaries: each is used once."""

from collections.abc import Sequence

import numpy as np
from numba import njit
from numpy.typing import NDArray

TOLERANCES = (0, 1, 2, 3, 5)
"""Samples by which a prediction may miss, at which every score is reported."""


def match_count(true: NDArray[np.int64], pred: NDArray[np.int64], tolerance: int) -> int:
    """Count the pairs of a maximum one-to-one matching.

    Args:
        true: True boundaries, samples, ascending, shape ``(n_true,)``.
        pred: Predicted boundaries, samples, ascending, shape ``(n_pred,)``.
        tolerance: A pair may lie this many samples apart.

    Returns:
        The most pairs with ``|true - pred| <= tolerance`` in which no boundary occurs twice. Taking, in order, the
        earliest partner in reach gives the maximum, because all reaches are equally wide.
    """
    return int((partners(true, pred, tolerance) >= 0).sum())


def partners(true: NDArray[np.int64], pred: NDArray[np.int64], tolerance: int) -> NDArray[np.int64]:
    """Do as `match_count` and tell which: the index of each true boundary's prediction, -1 without one."""
    return np.asarray(_partners(np.asarray(true, np.int64), np.asarray(pred, np.int64), tolerance))


def match_counts(
    true: NDArray[np.int64], pred: NDArray[np.int64], tolerances: Sequence[int] = TOLERANCES
) -> NDArray[np.int64]:
    """Do as `match_count` for several tolerances, shape ``(len(tolerances),)``."""
    return np.array([match_count(true, pred, tolerance) for tolerance in tolerances], np.int64)


def nearest_distance(true: NDArray[np.int64], pred: NDArray[np.int64]) -> NDArray[np.int64]:
    """Measure how far each true boundary's nearest prediction lies from it, whether or not that one is matched.

    Args:
        true: True boundaries, samples, ascending, shape ``(n_true,)``.
        pred: Predicted boundaries, samples, ascending, shape ``(n_pred,)``, at least one.

    Returns:
        ``pred - true`` in samples, shape ``(n_true,)``: positive if the prediction is late. Of two equally near, the
        earlier counts.
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
