"""Levels of events: mean and SD of the current in each event."""

import numpy as np
from numba import njit
from numpy.typing import NDArray

from poreconv.events.events import Events
from poreconv.reads.read import Read


def event_levels(read: Read, events: Events) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Compute the mean and SD of the current in each event, from exact sums of its counts.

    Args:
        read: The read.
        events: Its events.

    Returns:
        ``(mean, sd)`` in pA, shape ``(n_events,)`` each.
    """
    total, squares = _sums(read.adc, events.start, events.end)
    n = events.duration
    mean = total / n
    variance = squares / n - mean**2
    scale = read.calibration.scale
    return (mean + read.calibration.offset) * scale, np.sqrt(np.maximum(variance, 0)) * abs(scale)


@njit(cache=True)
def _sums(
    adc: NDArray[np.int16 | np.float32], start: NDArray[np.int64], end: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:  # (int16[:] or float32[:], int64[:], int64[:])
    """Sum of the counts, or pA, of each event, and of their squares: exact in counts, as far as 2**53."""
    total, squares = np.zeros(len(start), np.float64), np.zeros(len(start), np.float64)
    for i in range(len(start)):
        for sample in range(start[i], end[i]):
            count = np.float64(adc[sample])
            total[i] += count
            squares[i] += count * count
    return total, squares
