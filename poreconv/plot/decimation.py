"""Fewer points that look the same."""

import numpy as np
from numpy.typing import NDArray

from poreconv.excerpt import binned


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
