"""Baselines: untrained detectors, scored with every model.

To add one, add a module here and a line in ``BASELINES``.
"""

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


READ_BASELINES = ("majority",)
"""Baselines for task `read`: they give the whole read a class; the others find boundaries in it."""


def detectors_for(task: Task, names: Iterable[str] | None = None) -> dict[str, Baseline]:
    """Return baselines by name.

    Args:
        task: Task of the model.
        names: Names in ``BASELINES``; default: all that suit the task.

    Raises:
        ConfigError: A name is not in ``BASELINES``.
    """
    suitable = READ_BASELINES if task == "read" else tuple(BASELINES)
    return {name: lookup(BASELINES, name, kind="baseline") for name in (suitable if names is None else names)}


class Baseline(Protocol):
    """A function that labels a read without training; all it has of the training data is what the recipe states."""

    def __call__(self, read: Read, recipe: Recipe) -> Events:
        """Return the events of one read."""
        ...
