"""Reduction of long lines to fewer points that look the same."""

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

V = TypeVar("V", bound=np.generic)


def extremes(values: NDArray[np.generic], n_bins: int) -> NDArray[np.int64]:
    """Choose the points of a line that a picture of limited width needs.

    Args:
        values: Values of the line, shape ``(n,)``, no NaN.
        n_bins: Most bins of equal length into which the line is cut, each about a pixel wide.

    Returns:
        Indices of the smallest and the largest value of each bin, ascending; all indices if those would not be fewer.
        No extreme is lost, whatever the zoom.
    """
    n = len(values)
    width = -(-n // n_bins)
    if width <= 2:
        return np.arange(n)
    bins = binned(values, n_bins)
    first = np.arange(len(bins)) * width
    return np.unique(np.minimum(np.concatenate([first + bins.argmin(1), first + bins.argmax(1)]), n - 1))


def bin_starts(n: int, n_bins: int) -> NDArray[np.int64]:
    """Return the first index of each bin, as `binned` cuts values.

    Args:
        n: Number of values.
        n_bins: Most bins.
    """
    return np.arange(0, n, max(1, -(-n // n_bins)))


def binned(values: NDArray[V], n_bins: int) -> NDArray[V]:
    """Cut values into rows of equal length; the last row is filled up with the last value.

    Args:
        values: Shape ``(n,)``.
        n_bins: Most rows.

    Returns:
        Shape ``(n_rows, width)``.
    """
    width = max(1, -(-len(values) // n_bins))
    return np.append(values, np.repeat(values[-1:], -len(values) % width)).reshape(-1, width)
