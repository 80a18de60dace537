"""Baselines: untrained detectors, scored with every model.

To add one, add a module here and a line in ``BASELINES``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:  # the command line reads this table, and numpy is slow to import
    from poreconv.events.events import Events
    from poreconv.models.recipe import Recipe
    from poreconv.reads.read import Read


BASELINES = {
    "ttest": "poreconv.evaluation.baselines.ttest:detect",
    "changepoint": "poreconv.evaluation.baselines.changepoint:detect",
    "uniform": "poreconv.evaluation.baselines.uniform:detect",
    "majority": "poreconv.evaluation.baselines.majority:detect",
}


class Baseline(Protocol):
    """A function that labels a read without training; all it has of the training data is what the recipe states."""

    def __call__(self, read: Read, recipe: Recipe) -> Events:
        """Return the events of one read."""
        ...
