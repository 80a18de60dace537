"""Detecting steps of the current by two t-statistics, a short and a long one, as scrappie, nanopolish and f5c do."""

from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Detector:
    """Settings of the step detector; pairs are (short, long)."""

    windows: tuple[int, int]
    """Samples compared on each side of a cut."""
    thresholds: tuple[float, float]
    """Least t-statistic of a step."""
    peak_height: float
    """Least rise of the t-statistic before a peak, and least fall after it."""

    @property
    def shortest(self) -> int:
        """Samples of the shortest event that the short window can show: half of it, rounded up."""
        return (self.windows[0] + 1) // 2


DNA = Detector(windows=(3, 6), thresholds=(1.4, 9.0), peak_height=0.2)
"""Source: scrappie's and f5c's settings for R9.4 DNA at 4 kHz; f5c keeps them for R10.4.1."""


RNA = Detector(windows=(7, 14), thresholds=(2.5, 9.0), peak_height=1.0)
"""Source: scrappie's and f5c's settings for direct RNA at 3 kHz."""


def find_steps(pa: NDArray[np.float32], detector: Detector = DNA) -> NDArray[np.int64]:
    """Find the samples at which the current steps, where new events begin.

    Args:
        pa: Current in pA, shape ``(n_samples,)``.
        detector: Settings. Default: those for DNA.

    Returns:
        Samples, ascending, never 0, shape ``(n,)``.
    """
    t_2n = np.stack([t_statistic(pa, window) for window in detector.windows])
    windows, thresholds = np.array(detector.windows), np.array(detector.thresholds, np.float32)
    found: NDArray[np.int64] = _peaks(t_2n, windows, thresholds, np.float32(detector.peak_height))
    return found


def t_statistic(pa: NDArray[np.float32], window: int) -> NDArray[np.float32]:
    """Compute the t-statistic between the samples before each sample and those from it on.

    Args:
        pa: Current in pA, shape ``(n_samples,)``.
        window: Number of samples on each side.

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
    """Return the mean of the ``window`` values from each one on, shape ``(n - window + 1,)``, summed in float64."""
    total = np.concatenate([[0.0], np.cumsum(values, dtype=np.float64)])
    means: NDArray[np.float32] = (total[window:] - total[:-window]).astype(np.float32) / np.float32(window)
    return means


PLACE, EXTREME, CONFIRMED, MUTED_UNTIL = range(4)
"""Fields of a tracker, which follows one statistic: sample of the current peak; greatest value in the peak or, outside
one, least value since the last; whether the peak is confirmed; last sample that the tracker ignores."""


NO_PEAK = -1


SHORT, LONG = 0, 1


@njit(cache=True)
def _peaks(
    t_2n: NDArray[np.float32], windows: NDArray[np.int64], thresholds: NDArray[np.float32], height: np.float32
) -> NDArray[np.int64]:  # (float32[:, :], int64[:], float32[:], float32)
    """Track both statistics; a short one above its threshold resets the long one and mutes it for a window."""
    trackers = np.array([[NO_PEAK, np.inf, 0, 0], [NO_PEAK, np.inf, 0, 0]])
    found, n_found = np.empty(t_2n.shape[1], np.int64), 0
    for i in range(t_2n.shape[1]):
        for k in (SHORT, LONG):
            tracker, t = trackers[k], t_2n[k, i]
            if i <= tracker[MUTED_UNTIL] or not _in_peak(tracker, i, t, height):
                continue
            if k == SHORT and tracker[EXTREME] > thresholds[k]:
                trackers[LONG] = np.array([NO_PEAK, np.inf, 0, tracker[PLACE] + windows[k]])
            falls = tracker[EXTREME] > thresholds[k] and tracker[EXTREME] - t > height
            tracker[CONFIRMED] = tracker[CONFIRMED] or falls
            if tracker[CONFIRMED] and i - tracker[PLACE] > windows[k] // 2:
                found[n_found] = int(tracker[PLACE])
                n_found, tracker[PLACE], tracker[EXTREME], tracker[CONFIRMED] = n_found + 1, NO_PEAK, t, 0
    return found[:n_found]


@njit(cache=True)
def _in_peak(
    tracker: NDArray[np.float64], i: int, t: np.float32, height: np.float32
) -> bool:  # (float64[:], int64, float32, float32)
    """Update a tracker with one value; return whether a peak, a rise by ``height``, had begun before it."""
    was_in_peak = tracker[PLACE] != NO_PEAK
    if was_in_peak:
        begins_or_grows = t > tracker[EXTREME]
    else:
        begins_or_grows = t - tracker[EXTREME] > height
        tracker[EXTREME] = min(tracker[EXTREME], t)
    if begins_or_grows:
        tracker[PLACE], tracker[EXTREME] = i, t
    return bool(was_in_peak)
