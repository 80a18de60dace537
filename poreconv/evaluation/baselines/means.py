"""Values that can be had from the current alone: its running mean, and its mean over the read.

The current counts in SDs of the read, and so do the training values; a baseline equates the two.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import uniform_filter1d

from poreconv.events.events import Events
from poreconv.events.targets import value_events
from poreconv.models.recipe import Recipe
from poreconv.reads.read import Read
from poreconv.reads.scaling import normalise_read


def running_mean(read: Read, recipe: Recipe) -> Events:
    """Take the running mean of the normalised current.

    Args:
        read: Any read that is not flat.
        recipe: Recipe of the model; its ``mean_dwell`` is the length of the window, samples.

    Returns:
        Events that cover the read.
    """
    current = normalise_read(recipe.as_trained(read), clip=recipe.normalisation.clip)
    return _as_values(uniform_filter1d(current, max(1, round(recipe.mean_dwell)), mode="nearest"), recipe)


def read_mean(read: Read, recipe: Recipe) -> Events:
    """Take the mean of the read's normalised current at each sample.

    Args:
        read: Any read that is not flat.
        recipe: Recipe of the model.

    Returns:
        One event that covers the read.
    """
    current = normalise_read(recipe.as_trained(read), clip=recipe.normalisation.clip)
    return _as_values(np.full_like(current, current.mean()), recipe)


def _as_values(standard: NDArray[np.float32], recipe: Recipe) -> Events:
    """Convert SDs from the mean to the unit of the training values."""
    return value_events((standard + np.float32(recipe.decoding.bias[0])) / np.float32(recipe.decoding.temperature))
