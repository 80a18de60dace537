"""Cuts at regular intervals that ignore the signal: scores that can be had without looking at it."""

import numpy as np
from numpy.typing import NDArray

from poreconv.evaluation.baselines.tiling import tile
from poreconv.events.events import Events
from poreconv.models.recipe import Recipe
from poreconv.reads.read import Read


def detect(read: Read, recipe: Recipe) -> Events:
    """Cut a read at multiples of the mean dwell.

    Args:
        read: Any read.
        recipe: Recipe of the model; the interval is its ``mean_dwell``, rounded, at least 1 sample.

    Returns:
        Events that cover the read.
    """
    step = max(1, round(recipe.mean_dwell))
    return tile(np.arange(step, len(read.adc), step), len(read.adc), recipe)


def at_strength(read: Read, strength: float) -> NDArray[np.int64]:
    """Cut a read, or a piece of one, at regular intervals of another length; see `graded`.

    Args:
        read: Any read.
        strength: Length of the interval, samples; the cuts are rounded.

    Returns:
        Cuts, ascending, shape ``(n,)``.
    """
    cuts = np.arange(strength, len(read.adc) - 0.5, strength).round().astype(np.int64)
    return np.unique(cuts[cuts > 0])
