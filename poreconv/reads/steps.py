"""Where the current steps: two t-statistics, a short and a long one, as scrappie, nanopolish and f5c take them."""

from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Detector:
    """Settings of the detector; pairs are (short, long)."""

    windows: tuple[int, int]
    """Samples on each side of a cut that are compared."""
    thresholds: tuple[float, float]
    """Least t-statistic of a boundary."""
    peak_height: float
    """How far the t-statistic must rise before a peak, and fall after it."""


DNA = Detector(windows=(3, 6), thresholds=(1.4, 9.0), peak_height=0.2)
"""Source: scrappie's and f5c's settings for R9.4 DNA at 4 kHz; f5c keeps them for R10.4.1."""


RNA = Detector(windows=(7, 14), thresholds=(2.5, 9.0), peak_height=1.0)
"""Source: scrappie's and f5c's settings for direct RNA at 3 kHz."""


def boundaries(pa: NDArray[np.float32], detector: Detector = DNA) -> NDArray[np.int64]:
    """Find the samples at which new events begin.

    Args:
        pa: Current in pA, shape ``(n_samples,)``.
        detector: Settings.

    Returns:
        Ascending, without 0, shape ``(n,)``.
    """
    t_2n = np.stack([t_statistic(pa, window) for window in detector.windows])
    windows, thresholds = np.array(detector.windows), np.array(detector.thresholds, np.float32)
    found: NDArray[np.int64] = _peaks(t_2n, windows, thresholds, np.float32(detector.peak_height))
    return found


def t_statistic(pa: NDArray[np.float32], window: int) -> NDArray[np.float32]:
    """Compare the ``window`` samples before each sample with those from it on.

    Args:
        pa: Current in pA, shape ``(n_samples,)``.
        window: Samples on each side.

    Returns:
        ``|difference of means| / sqrt((variance before + variance after) / window)``, shape ``(n_samples,)``; 0 where
        a side does not fit. Variances divide by ``window``; their sum is at least the smallest normal float32.
    """
    t_n = np.zeros(len(pa), np.float32)
    if len(pa) < 2 * window:
        return t_n
    mean, square = _window_means(pa, window), _window_means(pa * pa, window)
    before, after = slice(None, -window), slice(window, None)
    pooled = square[before] - mean[before] ** 2 + square[after] - mean[after] ** 2
    variance_of_mean = np.maximum(pooled, np.finfo(np.float32).tiny) / np.float32(window)
    inside = slice(window, len(pa) - window + 1)
    t_n[inside] = np.abs(mean[after] - mean[before]) / np.sqrt(variance_of_mean, dtype=np.float64)
    return t_n


def _window_means(values: NDArray[np.float32], window: int) -> NDArray[np.float32]:
    """Mean of the ``window`` values from each place on, shape ``(n - window + 1,)``; summed in double precision."""
    total = np.concatenate([[0.0], np.cumsum(values, dtype=np.float64)])
    means: NDArray[np.float32] = (total[window:] - total[:-window]).astype(np.float32) / np.float32(window)
    return means


PLACE, EXTREME, SURE, SILENT = range(4)
"""A tracker follows one statistic: sample of the peak it is in; the least value since the last peak or, in a peak, the
greatest; whether the peak counts; the last sample at which it may not listen."""


NO_PEAK = -1


SHORT, LONG = 0, 1


@njit(cache=True)
def _peaks(
    t_2n: NDArray[np.float32], windows: NDArray[np.int64], thresholds: NDArray[np.float32], height: np.float32
) -> NDArray[np.int64]:  # (float32[:, :], int64[:], float32[:], float32)
    """Follow both statistics; a short one about to fire resets the long one and silences it for a window."""
    trackers = np.array([[NO_PEAK, np.inf, 0, 0], [NO_PEAK, np.inf, 0, 0]])
    found, n_found = np.empty(t_2n.shape[1], np.int64), 0
    for i in range(t_2n.shape[1]):
        for k in (SHORT, LONG):
            tracker, t = trackers[k], t_2n[k, i]
            if i <= tracker[SILENT] or not _in_peak(tracker, i, t, height):
                continue
            if k == SHORT and tracker[EXTREME] > thresholds[k]:
                trackers[LONG] = np.array([NO_PEAK, np.inf, 0, tracker[PLACE] + windows[k]])
            tracker[SURE] = tracker[SURE] or (tracker[EXTREME] > thresholds[k] and tracker[EXTREME] - t > height)
            if tracker[SURE] and i - tracker[PLACE] > windows[k] // 2:
                found[n_found] = int(tracker[PLACE])
                n_found, tracker[PLACE], tracker[EXTREME], tracker[SURE] = n_found + 1, NO_PEAK, t, 0
    return found[:n_found]


@njit(cache=True)
def _in_peak(
    tracker: NDArray[np.float64], i: int, t: np.float32, height: np.float32
) -> bool:  # (float64[:], int64, float32, float32)
    """Take in one value; tell whether a peak had begun before it. One begins when the value has risen by ``height``."""
    was_in_peak = tracker[PLACE] != NO_PEAK
    if was_in_peak:
        begins_or_grows = t > tracker[EXTREME]
    else:
        begins_or_grows = t - tracker[EXTREME] > height
        tracker[EXTREME] = min(tracker[EXTREME], t)
    if begins_or_grows:
        tracker[PLACE], tracker[EXTREME] = i, t
    return bool(was_in_peak)
