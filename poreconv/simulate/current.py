"""Convert levels and noise to counts, in one pass over a read.

The noise is an ARMA(1,1) process: neighbouring samples correlate by ``correlation``, and each further sample of
distance multiplies the correlation by ``memory``. If the two are equal, it is AR(1).

Source:
    Box & Jenkins, Time Series Analysis, chapter 3 (the autocorrelation of ARMA(1,1)).
"""

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

OFFSET = np.int32(1 << 15)
LOW, HIGH, TO_POSITIVE = np.float32(-OFFSET), np.float32(OFFSET - 1), np.float32(OFFSET + 0.5)
"""Range of the counts, and the offset that makes them positive, plus half a count for rounding."""


def noise_weights(correlation: float, memory: float) -> tuple[float, float]:
    """Compute the weights of the current and the previous white sample that give such noise an SD of 1.

    Args:
        correlation: Correlation of neighbouring samples, 0 to ``memory``.
        memory: Factor of the correlation per further sample of distance, 0 to below 1.

    Returns:
        Weight of the current and of the previous white sample.
    """
    short = memory - correlation
    # short * (ratio ** 2 + 1) + b * ratio = 0; of its two solutions, the one within -1..1
    b = 1 + memory**2 - 2 * memory * correlation
    ratio = -2 * short / (b + math.sqrt(b * b - 4 * short * short))
    this = math.sqrt((1 - memory**2) / (1 + 2 * memory * ratio + ratio**2))
    return this, this * ratio


def within_event_variance(dwell: NDArray[np.float64], correlation: float, memory: float) -> NDArray[np.float64]:
    """Compute the expected variance of such noise, with SD 1, around its own mean within an event.

    Args:
        dwell: Samples of each event; fewer than 2 count as 2.
        correlation: As for `noise_weights`.
        memory: As for `noise_weights`.

    Returns:
        Variance, 0 to 1, in the shape of ``dwell``.
    """
    n = np.maximum(dwell, 2)
    pairs = correlation * (n / (1 - memory) - (1 - memory**n) / (1 - memory) ** 2)
    return np.asarray(1 - (n + 2 * pairs) / n**2)


@njit(cache=True)
def counts(
    level: NDArray[np.float32],
    sd: NDArray[np.float32],
    dwell: NDArray[np.int64],
    white: NDArray[np.float32],
    weights: NDArray[np.float32],
    spill: np.float32,
    knots: NDArray[np.float32],
) -> NDArray[np.int16]:  # (float32[:], float32[:], int64[:], float32[:], float32[:], float32, float32[:])
    """Digitise a read.

    Args:
        level: Level of each step, counts, shape ``(n,)``.
        sd: SD of the noise of each step, counts, shape ``(n,)``.
        dwell: Samples of each step, at least 1, shape ``(n,)``.
        white: White noise of SD 1, shape ``(n_samples + 1,)``.
        weights: The two weights of `noise_weights`, and the memory of the noise, shape ``(3,)``.
        spill: Share of each sample's level that appears in each of its neighbours.
        knots: Drift at equal distances from the first sample to the last, counts, shape ``(m,)``, m at least 2.

    Returns:
        The counts, shape ``(n_samples,)``.
    """
    n, n_samples = len(dwell), len(white) - 1
    adc = np.empty(n_samples, np.int16)
    between = max(n_samples - 1, 1) / (len(knots) - 1)
    this, before, memory = weights[0], weights[1], weights[2]
    noise, t, knot, next_knot = white[0], 0, -1, 0
    drift, slope = knots[0], np.float32(0)
    for step in range(n):
        step_level, step_sd = level[step], sd[step]
        from_left = spill * (level[max(step - 1, 0)] - step_level)
        from_right = spill * (level[min(step + 1, n - 1)] - step_level)
        end = t + dwell[step]
        for i in range(t, end):
            if i == next_knot:
                knot = min(knot + 1, len(knots) - 2)
                next_knot = math.ceil((knot + 1) * between)
                slope = np.float32((knots[knot + 1] - knots[knot]) / between)
                drift = knots[knot] + slope * np.float32(i - knot * between)
            noise = memory * noise + this * white[i + 1] + before * white[i]
            value = step_level + step_sd * noise + drift
            if i == t:
                value += from_left
            if i == end - 1:
                value += from_right
            drift += slope
            # Truncating a positive number rounds down; with half a count added, it rounds to the nearest.
            adc[i] = np.int32(min(max(value, LOW), HIGH) + TO_POSITIVE) - OFFSET
        t = end
    return adc
