"""Metrics that users bring, scored beside those of the task."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torchmetrics import Metric

from poreconv.config import require
from poreconv.events.events import Events
from poreconv.events.tasks.task import Task
from poreconv.runtime.registry import brought, called, errors_of, name_of, short_name

if TYPE_CHECKING:
    from poreconv.evaluation.criteria import Criterion

MetricFunction = Callable[[Events, Events], float]
"""Returns the score of one read, of the events that were found and the true ones, both with classes where the task has
some; NaN where it is not defined. The score of several reads is the mean."""

OneMetric = str | MetricFunction | Metric | type[Metric]
"""A user's metric: ``my.py:Mine`` or ``package.module:Mine``; a function; or one of torchmetrics, or its class, which
is updated with predicted and true targets of the known samples, shape ``(n,)``, of whole reads one."""

MetricsAsked = Mapping[str, OneMetric] | Sequence[OneMetric]
"""Metrics by the name of their score, or named by themselves."""


class Scorer(Protocol):
    """Scores the reads of one method by one metric."""

    def update(self, target: NDArray[Any], events: Events) -> None:
        """Add one read.

        Args:
            target: The truth, shape ``(n_samples,)``.
            events: What was found.
        """
        ...

    def compute(self) -> float:
        """Return the score of all reads."""
        ...


class OwnMetrics:
    """A user's metrics, for all methods.

    Args:
        asked: The metrics.
        criterion: Of the task; its scores have names that no other may have.
        classes: Names of the network's outputs.

    Raises:
        ConfigError: A metric cannot be imported or made, or its name is taken.
    """

    def __init__(self, asked: MetricsAsked, criterion: Criterion, classes: tuple[str, ...]) -> None:
        task, taken = criterion.task, {*criterion.columns(classes).values(), *criterion.columns(classes)}
        named = asked if isinstance(asked, Mapping) else {short_name(each): each for each in asked}
        require(len(named) == len(asked), f"metrics: several are named {', '.join(named)}; give them as a dict by name")
        clash = next((name for name in named if name in taken), "")
        require(not clash, f"metrics: {clash} is the name of a score of task {task.name}; choose another name")
        self._task, self._classes = task, classes
        self._made = {name: _made(each, classes) for name, each in named.items()}

    @property
    def names(self) -> tuple[str, ...]:
        """Keys of the scores."""
        return tuple(self._made)

    def scorers(self) -> dict[str, Scorer]:
        """Make what scores one method: name of each score -> its scorer."""
        return {name: self._scorer(name, own) for name, own in self._made.items()}

    def _scorer(self, name: str, own: Any) -> Scorer:
        if isinstance(own, Metric):
            return _OfSamples(name, deepcopy(own), self._task)
        return _MeanOfReads(name, own, self._task, self._classes)


def _made(asked: OneMetric, classes: tuple[str, ...]) -> Any:
    name, own = name_of(asked), brought(asked, kind="metric")
    made: Any = own
    if inspect.isclass(own):
        with errors_of(name, "making it"):
            made = called(own, classes=classes, n_classes=len(classes), num_classes=len(classes))
    require(
        isinstance(made, Metric) or callable(made),
        f"metric {name}: a {type(made).__name__}; give a function of found and true events, or one of torchmetrics",
    )
    return made


class _MeanOfReads:
    def __init__(self, name: str, function: MetricFunction, task: Task, classes: tuple[str, ...]) -> None:
        self._name, self._function, self._task, self._classes = name, function, task, classes
        self._scores: list[float] = []

    def update(self, target: NDArray[Any], events: Events) -> None:
        true = self._task.events(target, self._classes)
        with errors_of(f"metric {self._name}", "scoring a read"):
            self._scores.append(float(self._function(events, true)))

    def compute(self) -> float:
        known = [score for score in self._scores if not math.isnan(score)]
        return float(np.mean(known)) if known else math.nan


class _OfSamples:
    def __init__(self, name: str, metric: Metric, task: Task) -> None:
        self._name, self._metric, self._task = name, metric, task

    def update(self, target: NDArray[Any], events: Events) -> None:
        found = self._task.target(events, len(target))
        known = self._task.known(target) & (np.arange(len(target)) < (1 if self._task.whole_reads else len(target)))
        with errors_of(f"metric {self._name}", "scoring a read"):
            self._metric.update(*(torch.from_numpy(_as_numbers(each[known])) for each in (found, target)))

    def compute(self) -> float:
        with errors_of(f"metric {self._name}", "computing it; its result must be one number"):
            return float(self._metric.compute())


def _as_numbers(target: NDArray[Any]) -> NDArray[Any]:
    return target if np.issubdtype(target.dtype, np.floating) else target.astype(np.int64)
