"""Cut at regular steps, blind to the signal: what a score is worth that this reaches too."""

import numpy as np

from poreconv.evaluation.baselines.tiling import tile
from poreconv.events.events import Events
from poreconv.models.recipe import Recipe
from poreconv.reads.read import Read


def detect(read: Read, recipe: Recipe) -> Events:
    """Cut a read every ``round(recipe.mean_dwell)`` samples, from sample 0, at least 1."""
    step = max(1, round(recipe.mean_dwell))
    return tile(np.arange(step, len(read.adc), step), len(read.adc), recipe)
