"""Cut at regular steps, blind to the signal: what a score is worth that this reaches too."""

import numpy as np

from poreconv.baselines.tiling import tile
from poreconv.events import Events
from poreconv.read import Read
from poreconv.recipe import Recipe


def detect(read: Read, recipe: Recipe) -> Events:
    """Cut a read every ``round(recipe.mean_dwell)`` samples, from sample 0, at least 1."""
    step = max(1, round(recipe.mean_dwell))
    return tile(np.arange(step, len(read.adc), step), len(read.adc), recipe)
