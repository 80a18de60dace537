"""Changepoints: the steps of the piecewise constant current that fits best, with a penalty for each step."""

import numpy as np
from numpy.typing import NDArray
from ruptures import KernelCPD

from poreconv.evaluation.baselines.tiling import tile
from poreconv.events.events import Events
from poreconv.models.recipe import Recipe
from poreconv.reads.read import Read

PENALTY = 14.0
"""Penalty of a step in units of the noise variance.

Chosen on 8 of the 38 lambda reads (Tombo truth) for the best R-value at 2 samples among 3 to 30; 10 to 20 score alike.
"""
WINDOW, MARGIN = 1000, 200
"""Samples segmented at a time, and samples added on each side, so that a window's edge moves no step inside it.

On a signal without steps, time grows with the square of the window; 1000 still reaches 100,000 samples/s."""
SHORTEST = 2
"""Length of the shortest event in samples."""


def detect(read: Read, recipe: Recipe) -> Events:
    """Cut a read at the changepoints of its signal.

    Args:
        read: Any read; one of fewer than 4 samples, or flat, is one event.
        recipe: Recipe of the model; its task and, but for `boundary`, its classes and their counts are used.

    Returns:
        Events that cover the read.
    """
    return tile(changepoints(read.adc), len(read.adc), recipe)


def at_strength(read: Read, strength: float) -> NDArray[np.int64]:
    """Find the changepoints of a read, or of a piece of one, with another penalty; see `graded`.

    Args:
        read: Any read.
        strength: Penalty of a step, in units of `PENALTY`.

    Returns:
        First sample of each segment but the first, ascending, shape ``(n,)``.
    """
    return changepoints(read.adc, strength)


def changepoints(adc: NDArray[np.int16 | np.float32], strength: float = 1.0) -> NDArray[np.int64]:
    """Find the steps of a squiggle, in counts, since the result does not depend on the unit.

    Args:
        adc: Raw counts, shape ``(n_samples,)``.
        strength: Penalty of a step, in units of `PENALTY`.

    Returns:
        First sample of each segment but the first, ascending, shape ``(n,)``. They minimise the squared deviations from
        the segments' means plus ``strength * PENALTY * noise ** 2`` per step, window by window.

    Source:
        Killick, Fearnhead & Eckley 2012 (PELT), doi:10.1080/01621459.2012.737745; ruptures' C implementation.
    """
    counts_n = adc.astype(np.float64)
    penalty = strength * PENALTY * noise(counts_n) ** 2
    steps = [_window_steps(counts_n, start, penalty) for start in range(0, len(adc), WINDOW)]
    return np.concatenate([np.zeros(0, np.int64), *steps])


def noise(values: NDArray[np.float64]) -> float:
    """Estimate the white noise of a stepped signal from its differences, on which the few steps have little effect.

    Args:
        values: Counts, shape ``(n_samples,)``.

    Returns:
        SD in counts, at least 1, since a count is the resolution of the measurement; 1 for fewer than 2 samples.
    """
    if len(values) < 2:
        return 1.0
    sd_of_differences = 1.4826 * np.median(np.abs(np.diff(values)))  # 1.4826 x MAD is the SD, if Gaussian
    return max(1.0, float(sd_of_differences / np.sqrt(2)))


def _window_steps(counts_n: NDArray[np.float64], start: int, penalty: float) -> NDArray[np.int64]:
    first = max(0, start - MARGIN)
    padded_n = counts_n[first : start + WINDOW + MARGIN]
    if len(padded_n) < 2 * SHORTEST:
        return np.zeros(0, np.int64)
    ends = KernelCPD(kernel="linear", min_size=SHORTEST).fit(padded_n[:, None]).predict(pen=penalty)
    steps = np.array(ends[:-1], np.int64) + first
    return steps[(steps >= start) & (steps < start + WINDOW)]
