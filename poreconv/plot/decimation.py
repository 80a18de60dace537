"""Fewer points that look the same."""

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

V = TypeVar("V", bound=np.generic)


def extremes(values: NDArray[np.generic], n_bins: int) -> NDArray[np.int64]:
    """Choose the points of a line that a picture of limited width needs.

    Args:
        values: Shape ``(n,)``, no NaN.
        n_bins: The line is cut into at most so many bins of equal length, each about a pixel wide.

    Returns:
        Indices of the least and the greatest value of each bin, ascending; all, if that would not be fewer. No extreme
        is lost, whatever the zoom.
    """
    n = len(values)
    width = -(-n // n_bins)
    if width <= 2:
        return np.arange(n)
    bins = binned(values, n_bins)
    first = np.arange(len(bins)) * width
    return np.unique(np.minimum(np.concatenate([first + bins.argmin(1), first + bins.argmax(1)]), n - 1))


def bin_starts(n: int, n_bins: int) -> NDArray[np.int64]:
    """First index of each of at most so many bins of equal length, of ``n`` values."""
    return np.arange(0, n, max(1, -(-n // n_bins)))


def binned(values: NDArray[V], n_bins: int) -> NDArray[V]:
    """Cut values into at most so many rows of equal length; the last value fills up the last row."""
    width = max(1, -(-len(values) // n_bins))
    return np.append(values, np.repeat(values[-1:], -len(values) % width)).reshape(-1, width)
