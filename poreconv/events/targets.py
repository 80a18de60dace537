"""Events <-> one class per sample, for the four tasks.

* ``boundary``: is this sample the first of an event?
* ``segment``: which class does this sample belong to?
* ``base``: which base, A, C, G or T, does this sample belong to?
* ``read``: which class has the read? It has one event, so all its samples have the same target.

Where nothing is known the target is ``IGNORE``.
"""

import numpy as np
from numpy.typing import NDArray

from poreconv.config import BOUNDARY, IGNORE, INSIDE, Task
from poreconv.errors import ConfigError, LabelError
from poreconv.events.events import Events
from poreconv.reads.read import Read

BOUNDARY_CLASSES = ("inside", "boundary")
BASES = ("A", "C", "G", "T")
"""Classes of every label source that knows bases, and of task `base`; RNA's U counts as T."""

WHAT_IF_ONE: dict[Task, str] = {
    "segment": "try --outside background",
    "read": "give reads of another class too",
}
"""What to do where labels have fewer than two classes, by task."""

MOST_CLASSES = 127
"""Targets are int8."""

COUNTED = {"reads", "samples", "events"}
"""What a store counts beside each class."""

STUCK_FACTOR = 25
"""Events longer than this many median dwells are where an aligner got stuck (200 samples in R9.4 DNA)."""


def classes_of(task: Task, source_classes: tuple[str, ...]) -> tuple[str, ...]:
    """Name the classes that a task has with labels of a source.

    Raises:
        ConfigError: The source cannot serve the task.
    """
    if task == "boundary":
        return BOUNDARY_CLASSES
    if task == "base" and source_classes != BASES:
        raise ConfigError("task base: these labels know no bases; use a source with a sequence, such as tombo")
    if task in WHAT_IF_ONE and len(source_classes) < 2:
        raise ConfigError(f"task {task}: labels have classes {source_classes}, two are needed; {WHAT_IF_ONE[task]}")
    if taken := sorted(COUNTED & set(source_classes)):
        raise ConfigError(f"task {task}: a class cannot be called {taken[0]!r}, a store counts these; rename it")
    if len(source_classes) > MOST_CLASSES:
        raise ConfigError(f"task {task}: {len(source_classes)} classes, {MOST_CLASSES} are possible; join some of them")
    return source_classes


def stuck_after(task: Task, median_dwell: float) -> float:
    """Longest event, in samples, that a task's target believes.

    Whole reads, regions and other segments have any length; where bases stand, a very long event means that an aligner
    got stuck.
    """
    return np.inf if task in {"segment", "read"} else STUCK_FACTOR * median_dwell


def encode(events: Events, n_samples: int, task: Task, longest: float = np.inf) -> NDArray[np.int8]:
    """Write events as one class per sample.

    Args:
        events: Of one read.
        n_samples: The read's length.
        task: What is asked of each sample.
        longest: Events of more samples are ignored, their first sample included; see `stuck_after`.

    Returns:
        Shape ``(n_samples,)``: class indices, ``IGNORE`` outside the coverage.
    """
    target = np.full(n_samples, INSIDE if task == "boundary" else IGNORE, np.int8)
    if task == "boundary":
        target[events.start] = BOUNDARY
    else:
        inside = np.repeat(events.label, events.duration).astype(np.int8)
        target[samples_of(events.start, events.duration)] = inside
    stuck = events.duration > longest
    target[samples_of(events.start[stuck], events.duration[stuck])] = IGNORE
    dark_from, dark_to = np.append(0, events.coverage[:, 1]), np.append(events.coverage[:, 0], n_samples)
    target[samples_of(dark_from, np.maximum(dark_to - dark_from, 0))] = IGNORE
    return target


def whole_read(events: Events, read: Read) -> Events:
    """Say of the whole read what all its labels say, as task `read` asks for.

    Returns:
        One event, ``[0, n_samples)``.

    Raises:
        LabelError: The events have several classes, or one of them has none (``label_not_one_class``).
    """
    if set(events.label) == {-1} or len(set(events.label)) != 1:
        raise LabelError(
            f"{read.where}: its labels have several classes, or none, and task read asks for one; try task segment",
            reason="label_not_one_class",
        )
    return Events.of([0], [len(read.adc)], label=events.label[:1], classes=events.classes)


def samples_of(start: NDArray[np.int64], duration: NDArray[np.int64]) -> NDArray[np.int64]:
    """All sample indices of some intervals, one after the other, shape ``(duration.sum(),)``."""
    first = np.repeat(start - np.cumsum(duration) + duration, duration)
    return first + np.arange(len(first))


def runs(target: NDArray[np.int8]) -> Events:
    """Read a ``segment`` or ``base`` target back: runs of one class; neighbours of one class have merged."""
    change = np.flatnonzero(np.diff(target)) + 1
    edges = np.concatenate([[0], change, [len(target)]]) if len(target) else np.zeros(1, np.int64)
    start, end = edges[:-1], edges[1:]
    label = target[start] if len(start) else np.zeros(0, np.int8)
    known = label != IGNORE
    n_classes = int(label.max(initial=0)) + 1
    return Events.of(start[known], end[known], label=label[known], classes=[str(i) for i in range(n_classes)])


def boundaries(target: NDArray[np.int8]) -> NDArray[np.int64]:
    """Samples that a ``boundary`` target calls the first of an event."""
    return np.flatnonzero(target == BOUNDARY)


def events_in(target: NDArray[np.int8], task: Task, classes: tuple[str, ...]) -> Events:
    """Read any task's target back; of ``base``, neighbours of one class have merged."""
    if task != "boundary":
        found = runs(target)
        return Events.of(found.start, found.end, label=found.label, classes=classes)
    change = np.flatnonzero(target != INSIDE)
    first = target[change] == BOUNDARY
    return Events.of(change[first], np.append(change[1:], len(target))[: len(change)][first])


def known_starts(events: Events, target: NDArray[np.int8]) -> NDArray[np.int64]:
    """First samples of the events that begin inside the coverage of a target."""
    return np.asarray(events.start[target[events.start] != IGNORE])
