"""Detectors with nothing learnt, to stand beside every model. Adding one: one file here, one line in ``BASELINES``."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Protocol

from poreconv.config import Task
from poreconv.runtime.registry import lookup

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


OF_READS = ("majority",)
"""Those that say something of a whole read; the others look for places in it."""


def detectors_for(task: Task, names: Iterable[str] | None = None) -> dict[str, Baseline]:
    """Baselines by their names; default: all that make sense for a task.

    Raises:
        ConfigError: There is none of such a name.
    """
    suitable = OF_READS if task == "read" else tuple(BASELINES)
    return {name: lookup(BASELINES, name, kind="baseline") for name in (suitable if names is None else names)}


class Baseline(Protocol):
    """Labels a read without having learnt anything but what the recipe says of the training data."""

    def __call__(self, read: Read, recipe: Recipe) -> Events:
        """Label one read."""
        ...
