"""Tasks: what a network is asked of every sample of a read, or of the read.

A task is a noun with three parts, each with a table of its own: here what its targets are; in `training.objectives` how
it is learnt; in `evaluation.criteria` how it is judged. Adding one: a line in each of these tables.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
from numpy.typing import DTypeLike, NDArray

from poreconv.config import BOUNDARY, IGNORE, INSIDE
from poreconv.errors import ConfigError, LabelError
from poreconv.events.events import Events
from poreconv.events.matching import partners
from poreconv.events.targets import BASES, boundary_events, coverage_gaps, samples_of, stretch_events
from poreconv.reads.read import Read
from poreconv.runtime.registry import entry

MOST_CLASSES = 127
"""Targets of classes are int8."""

RESERVED_NAMES = {"reads", "samples", "events"}
"""Names that no class may have: a store uses them for its other counts."""

STUCK_FACTOR = 25
"""Events longer than this many median dwells show where an aligner got stuck (200 samples in R9.4 DNA)."""


class Task(ABC):
    """What is asked, as far as events and targets go; without state."""

    name: ClassVar[str]
    """Under which it stands in the three tables."""
    question: ClassVar[str]
    """What is asked, for the command line's help."""
    headline: ClassVar[tuple[str, str]]
    """The score that stands for all, and what a table calls it."""
    decoder: ClassVar[str]
    """What turns a network's outputs into events, ``"module:attribute"``; see `inference.decoding.Decoder`."""
    rows: ClassVar[str] = "poreconv.events.tabulation:EVENT_ROWS"
    """What the rows of a table of its results are, ``"module:attribute"``; see `events.tabulation.TableKind`."""
    dtype: ClassVar[DTypeLike] = np.int8
    """Of a target."""
    unknown: ClassVar[float] = IGNORE
    """The target where nothing is known."""
    whole_reads: ClassVar[bool] = False
    """Whether a read has one target, the same at all its samples: then reads are counted and drawn, not samples."""
    uses_classes: ClassVar[bool] = True
    """Whether the classes of the labels are learnt; else their places or values alone."""
    needs_starts: ClassVar[bool] = False
    """Whether the first samples of events are what is learnt."""
    regions: ClassVar[bool] = False
    """Whether classes are regions of a read, which may come once each, in one order."""

    @abstractmethod
    def classes(self, of_labels: tuple[str, ...]) -> tuple[str, ...]:
        """Name the network's outputs.

        Args:
            of_labels: Classes of the labels.

        Raises:
            ConfigError: The task cannot be learnt from such labels.
        """

    @abstractmethod
    def target(self, events: Events, n_samples: int, longest: float = np.inf) -> NDArray[Any]:
        """Make a read's target.

        Args:
            events: Events of one read.
            n_samples: The read's length.
            longest: Events of more samples are unknown, their first sample included; see `longest_event`.

        Returns:
            Shape ``(n_samples,)``, of the task's ``dtype``; ``unknown`` outside the coverage.
        """

    @abstractmethod
    def events(self, target: NDArray[Any], classes: tuple[str, ...]) -> Events:
        """Convert a target back to events.

        Args:
            target: Shape ``(n_samples,)``.
            classes: Names of the network's outputs.
        """

    def labels(self, events: Events, read: Read) -> Events:
        """Return a read's labels as the task needs them; most tasks take them as they are.

        Args:
            events: The read's labels.
            read: The read.

        Raises:
            LabelError: The task cannot use them.
        """
        return events

    def longest_event(self, median_dwell: float) -> float:
        """Return the length of the longest events that a target keeps, samples; infinity where all are possible.

        Args:
            median_dwell: Median duration of the events, samples.
        """
        return np.inf

    def known(self, target: NDArray[Any]) -> NDArray[np.bool_]:
        """Return where a target is known.

        Args:
            target: Of any shape.
        """
        return np.asarray(target != self.unknown)

    def counts(self, target: NDArray[Any], n_classes: int) -> list[int]:
        """Count a read's samples of each class, or the read itself where the task is of whole reads.

        Args:
            target: Shape ``(n_samples,)``.
            n_classes: Number of the network's outputs.
        """
        counted = target[:1] if self.whole_reads else target
        return [int((counted == label).sum()) for label in range(n_classes)]

    def renumbered(self, target: NDArray[Any], classes: Sequence[str], model_classes: Sequence[str]) -> NDArray[Any]:
        """Return a target with classes numbered as a model numbers them.

        Args:
            target: Shape ``(n_samples,)``.
            classes: Classes of the target.
            model_classes: Classes of the model; all of ``classes`` are among them.
        """
        number = np.array([*map(list(model_classes).index, classes), IGNORE], np.int8)
        return np.asarray(number[target])

    def stretched(self, y_BS: NDArray[Any], nearest_BT: NDArray[np.int64]) -> NDArray[Any]:
        """Return the targets of windows that are played at another speed.

        Args:
            y_BS: Targets before, shape ``(B, S)``.
            nearest_BT: Number of the sample that is nearest to each new one, shape ``(B, T)``.
        """
        return np.take_along_axis(y_BS, nearest_BT, 1)

    def differ(self, one: Events, other: Events, n_samples: int, tolerance: int) -> NDArray[np.bool_]:
        """Return the samples at which two labels of a read disagree, shape ``(n_samples,)``.

        Args:
            one: The first labels.
            other: The others.
            n_samples: The read's length.
            tolerance: How far apart, in samples, boundaries may lie that agree.
        """
        return np.asarray(self.target(one, n_samples) != self.target(other, n_samples))

    def tracks(self, classes: tuple[str, ...]) -> dict[int, str]:
        """Return the outputs of which a picture shows the probability, and their names.

        Args:
            classes: Names of the network's outputs.
        """
        return dict(enumerate(classes))


class BoundaryTask(Task):
    """Is this sample the first of an event?"""

    name = "boundary"
    question = "is it the first of an event"
    headline = ("f1_1", "F1 ±1")
    decoder = "poreconv.inference.decoding.boundaries:BoundaryDecoder"
    uses_classes = False
    needs_starts = True

    def classes(self, of_labels: tuple[str, ...]) -> tuple[str, ...]:
        """Name the network's outputs: ``inside`` and ``boundary``."""
        return ("inside", "boundary")

    def target(self, events: Events, n_samples: int, longest: float = np.inf) -> NDArray[np.int8]:
        """Make a target; see `Task.target`."""
        target = np.full(n_samples, INSIDE, np.int8)
        target[events.start] = BOUNDARY
        return _without(target, events, longest)

    def longest_event(self, median_dwell: float) -> float:
        """Return the longest event; a very long one shows where an aligner got stuck."""
        return STUCK_FACTOR * median_dwell

    def events(self, target: NDArray[np.int8], classes: tuple[str, ...]) -> Events:
        """Convert a target back to events; each ends where the next begins, or where nothing is known."""
        return boundary_events(target)

    def stretched(self, y_BS: NDArray[np.int8], nearest_BT: NDArray[np.int64]) -> NDArray[np.int8]:
        """Move boundaries: each marks the first sample that is nearest to its place or to a later one."""
        y_BT = np.take_along_axis(y_BS, nearest_BT, 1)
        passed_BS = np.cumsum(y_BS == BOUNDARY, axis=1)
        passed_BT = np.take_along_axis(passed_BS, nearest_BT, 1)
        new_BT = np.diff(passed_BT, axis=1, prepend=passed_BT[:, :1] - (y_BT[:, :1] == BOUNDARY)) > 0
        return np.where(y_BT == IGNORE, IGNORE, np.where(new_BT, BOUNDARY, INSIDE)).astype(np.int8)

    def differ(self, one: Events, other: Events, n_samples: int, tolerance: int) -> NDArray[np.bool_]:
        """Return where boundaries of either have no partner in the other within the tolerance, and around them."""
        partner = partners(one.start, other.start, tolerance)
        lonely = np.concatenate([one.start[partner < 0], np.delete(other.start, partner[partner >= 0])])
        around = np.clip(lonely[:, None] + np.arange(-tolerance, tolerance + 1), 0, n_samples - 1)
        doubt = np.zeros(n_samples, bool)
        doubt[np.unique(around)] = True
        return doubt

    def tracks(self, classes: tuple[str, ...]) -> dict[int, str]:
        """Return the boundary's probability alone."""
        return {BOUNDARY: classes[BOUNDARY]}


class SegmentTask(Task):
    """Which class does this sample belong to?"""

    name = "segment"
    question = "which class does it belong to"
    headline = ("macro_f1", "macro F1")
    regions = True
    decoder = "poreconv.inference.decoding.stretches:StretchDecoder"
    advice_on_one_class: ClassVar[str] = "try --outside background"
    """What to do where the labels have fewer than two classes; empty where one is enough."""

    def classes(self, of_labels: tuple[str, ...]) -> tuple[str, ...]:
        """Name the network's outputs: the labels' classes.

        Raises:
            ConfigError: They are too few or too many, or a name is reserved.
        """
        if self.advice_on_one_class and len(of_labels) < 2:
            raise ConfigError(
                f"task {self.name}: the labels have classes {of_labels}, two are needed; {self.advice_on_one_class}"
            )
        if reserved := sorted(RESERVED_NAMES & set(of_labels)):
            raise ConfigError(f"task {self.name}: {reserved[0]!r} cannot be the name of a class; rename the class")
        if len(of_labels) > MOST_CLASSES:
            raise ConfigError(
                f"task {self.name}: {len(of_labels)} classes, at most {MOST_CLASSES} are possible; merge some of them"
            )
        return of_labels

    def target(self, events: Events, n_samples: int, longest: float = np.inf) -> NDArray[np.int8]:
        """Make a target; see `Task.target`."""
        target = np.full(n_samples, IGNORE, np.int8)
        target[samples_of(events.start, events.duration)] = np.repeat(events.label, events.duration)
        return _without(target, events, longest)

    def events(self, target: NDArray[np.int8], classes: tuple[str, ...]) -> Events:
        """Convert a target back to events; neighbours of one class have merged."""
        return stretch_events(target, classes)


class BaseTask(SegmentTask):
    """Which base, A, C, G or T, does this sample belong to?"""

    name = "base"
    question = "which base does it belong to"
    regions = False

    def classes(self, of_labels: tuple[str, ...]) -> tuple[str, ...]:
        """Name the network's outputs: the four bases.

        Raises:
            ConfigError: The labels contain no bases.
        """
        if of_labels != BASES:
            raise ConfigError("task base: these labels contain no bases; use a source with a sequence, such as tombo")
        return BASES

    def longest_event(self, median_dwell: float) -> float:
        """Return the longest event; a very long one shows where an aligner got stuck."""
        return STUCK_FACTOR * median_dwell


class ReadTask(SegmentTask):
    """Which class does the read belong to? It has one event, so all its samples have the same target."""

    name = "read"
    question = "and of the whole read: which class does it belong to"
    headline = ("accuracy", "accuracy")
    decoder = "poreconv.inference.decoding.stretches:WholeReadDecoder"
    whole_reads = True
    regions = False
    advice_on_one_class = "give reads of another class too"

    def labels(self, events: Events, read: Read) -> Events:
        """Label the whole read with the one class that all its events have.

        Returns:
            One event, ``[0, n_samples)``.

        Raises:
            LabelError: The events have several classes, or one of them has none (``label_not_one_class``).
        """
        if set(events.label) == {-1} or len(set(events.label)) != 1:
            raise LabelError(
                f"{read.where}: its labels have several classes or none, and task read needs one class; try task"
                " segment",
                reason="label_not_one_class",
            )
        return Events.of([0], [len(read.adc)], label=events.label[:1], classes=events.classes)


def _without(target: NDArray[Any], events: Events, longest: float) -> NDArray[Any]:
    """The target, unknown in events that are too long and outside the coverage."""
    stuck = events.duration > longest
    target[samples_of(events.start[stuck], events.duration[stuck])] = IGNORE
    target[coverage_gaps(events, len(target))] = IGNORE
    return target


TASKS: dict[str, Task] = {task.name: task for task in (BoundaryTask(), SegmentTask(), BaseTask(), ReadTask())}
"""Name -> task."""


def task_named(name: str) -> Task:
    """Return a task of the table.

    Args:
        name: Its name.

    Raises:
        ConfigError: There is none of this name.
    """
    return entry(TASKS, name, kind="task")
