"""Conversion of boundaries to events that tile a read, for the detectors of boundaries."""

import numpy as np
from numpy.typing import ArrayLike

from poreconv.events.events import Events
from poreconv.models.recipe import Recipe


def tile(boundaries: ArrayLike, n_samples: int, recipe: Recipe) -> Events:
    """Cut a read at boundaries.

    Args:
        boundaries: Cuts, samples, ascending, each inside ``1..n_samples - 1``, shape ``(n,)``.
        n_samples: Length of the read.
        recipe: Recipe of the model. Where classes are not learnt, events have none; else the most frequent one.

    Returns:
        ``n + 1`` events that cover the read; none if it has no samples.
    """
    edges = np.concatenate([[0], np.asarray(boundaries, np.int64), [n_samples]]) if n_samples else np.zeros(1, np.int64)
    if not recipe.asked.uses_classes:
        return Events.of(edges[:-1], edges[1:])
    label = np.full(len(edges) - 1, most_frequent(recipe))
    return Events.of(edges[:-1], edges[1:], label=label, classes=recipe.classes)


def most_frequent(recipe: Recipe) -> int:
    """Return the index of the class with the most training samples, or reads; the first of equals.

    Args:
        recipe: Recipe of the model.
    """
    return int(np.argmax(recipe.class_counts))
