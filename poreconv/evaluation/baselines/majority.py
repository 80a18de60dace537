"""Every sample gets the most frequent class: the accuracy that can be had without looking at the signal."""

import numpy as np

from poreconv.evaluation.baselines.tiling import tile
from poreconv.events.events import Events
from poreconv.models.recipe import Recipe
from poreconv.reads.read import Read


def detect(read: Read, recipe: Recipe) -> Events:
    """Label a read as one event of the most frequent class.

    Args:
        read: Any read.
        recipe: Recipe of the model; its task, its classes and their counts are used.

    Returns:
        One event that covers the read; none where starts of events are learnt, as most samples are no start.
    """
    n_samples = len(read.adc)
    if recipe.asked.needs_starts:
        return Events.of([], [], coverage=[[0, n_samples]] if n_samples else None)
    return tile(np.zeros(0, np.int64), n_samples, recipe)
