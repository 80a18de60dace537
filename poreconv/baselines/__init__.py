"""Detectors with nothing learnt, to stand beside every model. Adding one: one file here, one line in ``BASELINES``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from poreconv.config import Task

if TYPE_CHECKING:  # the command line reads this table, and numpy is slow to import
    from poreconv.events import Events
    from poreconv.read import Read
    from poreconv.recipe import Recipe


BASELINES = {
    "ttest": "poreconv.baselines.ttest:detect",
    "changepoint": "poreconv.baselines.changepoint:detect",
    "uniform": "poreconv.baselines.uniform:detect",
    "majority": "poreconv.baselines.majority:detect",
}


OF_READS = ("majority",)
"""Those that say something of a whole read; the others look for places in it."""


def baselines_of(task: Task) -> tuple[str, ...]:
    """Those that make sense for a task."""
    return OF_READS if task == "read" else tuple(BASELINES)


class Baseline(Protocol):
    """Labels a read without having learnt anything but what the recipe says of the training data."""

    def __call__(self, read: Read, recipe: Recipe) -> Events:
        """Label one read."""
        ...
