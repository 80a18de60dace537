"""Tasks of classes: boundaries, segments, bases, whole reads."""

from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from poreconv.config import BOUNDARY, IGNORE, INSIDE
from poreconv.errors import ConfigError, LabelError
from poreconv.events.events import Events
from poreconv.events.matching import partners
from poreconv.events.targets import BASES, boundary_events, coverage_gaps, samples_of, stretch_events
from poreconv.events.tasks.task import Task
from poreconv.reads.read import Read

MOST_CLASSES = 127
"""Targets of classes are int8."""

RESERVED_NAMES = {"reads", "samples", "events"}
"""Names that no class may have: a store uses them for its other counts."""

STUCK_FACTOR = 25
"""Events longer than this many median dwells show where an aligner got stuck (200 samples in R9.4 DNA)."""


class BoundaryTask(Task):
    """Is this sample the first of an event?"""

    name = "boundary"
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
