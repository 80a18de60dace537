"""Events to targets, one class per sample, and back, for the four tasks.

* ``boundary``: is this sample the first of an event?
* ``segment``: which class does this sample belong to?
* ``base``: which base, A, C, G or T, does this sample belong to?
* ``read``: which class does the read belong to? It has one event, so all its samples have the same target.

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
"""Classes of task `base`, and of every label source with bases; RNA's U counts as T."""

ADVICE_ON_ONE_CLASS: dict[Task, str] = {
    "segment": "try --outside background",
    "read": "give reads of another class too",
}
"""What to do where labels have fewer than two classes, by task."""

MOST_CLASSES = 127
"""Targets are int8."""

RESERVED_NAMES = {"reads", "samples", "events"}
"""Names that no class may have: a store uses them for its other counts."""

STUCK_FACTOR = 25
"""Events longer than this many median dwells show where an aligner got stuck (200 samples in R9.4 DNA)."""


def classes_of(task: Task, source_classes: tuple[str, ...]) -> tuple[str, ...]:
    """Return the classes of a task, given those of the labels.

    Args:
        task: The task.
        source_classes: Classes of the label source.

    Raises:
        ConfigError: The task cannot be learnt from labels with these classes.
    """
    if task == "boundary":
        return BOUNDARY_CLASSES
    if task == "base" and source_classes != BASES:
        raise ConfigError("task base: these labels contain no bases; use a source with a sequence, such as tombo")
    if task in ADVICE_ON_ONE_CLASS and len(source_classes) < 2:
        raise ConfigError(
            f"task {task}: the labels have classes {source_classes}, two are needed; {ADVICE_ON_ONE_CLASS[task]}"
        )
    if reserved := sorted(RESERVED_NAMES & set(source_classes)):
        raise ConfigError(f"task {task}: {reserved[0]!r} cannot be the name of a class; rename the class")
    if len(source_classes) > MOST_CLASSES:
        raise ConfigError(
            f"task {task}: {len(source_classes)} classes, at most {MOST_CLASSES} are possible; merge some of them"
        )
    return source_classes


def longest_event(task: Task, median_dwell: float) -> float:
    """Return the length of the longest events that a target keeps; it ignores longer ones.

    Whole reads, regions and other segments may have any length; among bases, a very long event means that an aligner
    got stuck.

    Args:
        task: The task.
        median_dwell: Median duration of the events, samples.

    Returns:
        Samples; infinity where every length is possible.
    """
    return np.inf if task in {"segment", "read"} else STUCK_FACTOR * median_dwell


def encode(events: Events, n_samples: int, task: Task, longest: float = np.inf) -> NDArray[np.int8]:
    """Make a target: one class per sample.

    Args:
        events: Events of one read.
        n_samples: The read's length.
        task: The task.
        longest: Events of more samples are ignored, their first sample included; see `longest_event`.

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
    gap_start, gap_end = np.append(0, events.coverage[:, 1]), np.append(events.coverage[:, 0], n_samples)
    target[samples_of(gap_start, np.maximum(gap_end - gap_start, 0))] = IGNORE
    return target


def whole_read(events: Events, read: Read) -> Events:
    """Label the whole read with the one class that all its events have, for task `read`.

    Args:
        events: The read's events.
        read: The read.

    Returns:
        One event, ``[0, n_samples)``.

    Raises:
        LabelError: The events have several classes, or one of them has no class (``label_not_one_class``).
    """
    if set(events.label) == {-1} or len(set(events.label)) != 1:
        raise LabelError(
            f"{read.where}: its labels have several classes or none, and task read needs one class; try task segment",
            reason="label_not_one_class",
        )
    return Events.of([0], [len(read.adc)], label=events.label[:1], classes=events.classes)


def samples_of(start: NDArray[np.int64], duration: NDArray[np.int64]) -> NDArray[np.int64]:
    """List the samples of intervals, one interval after the other.

    Args:
        start: First sample of each interval, shape ``(n,)``.
        duration: Length of each interval in samples, shape ``(n,)``.

    Returns:
        Sample indices, shape ``(duration.sum(),)``.
    """
    first = np.repeat(start - np.cumsum(duration) + duration, duration)
    return first + np.arange(len(first))


def stretches(target: NDArray[np.int8]) -> Events:
    """Convert a ``segment`` or ``base`` target back to events: one per stretch of a class.

    Neighbouring events of the same class come back as one.

    Args:
        target: Class of each sample, shape ``(n_samples,)``; ``IGNORE`` where it is not known.

    Returns:
        Events whose classes are named by their index.
    """
    change = np.flatnonzero(np.diff(target)) + 1
    edges = np.concatenate([[0], change, [len(target)]]) if len(target) else np.zeros(1, np.int64)
    start, end = edges[:-1], edges[1:]
    label = target[start] if len(start) else np.zeros(0, np.int8)
    known = label != IGNORE
    n_classes = int(label.max(initial=0)) + 1
    return Events.of(start[known], end[known], label=label[known], classes=[str(i) for i in range(n_classes)])


def boundaries(target: NDArray[np.int8]) -> NDArray[np.int64]:
    """Return the boundaries of a ``boundary`` target: the first samples of events, ascending.

    Args:
        target: Class of each sample, shape ``(n_samples,)``.
    """
    return np.flatnonzero(target == BOUNDARY)


def events_in(target: NDArray[np.int8], task: Task, classes: tuple[str, ...]) -> Events:
    """Convert a target of any task back to events.

    Args:
        target: Class of each sample, shape ``(n_samples,)``.
        task: The target's task.
        classes: Class names, for the events of tasks other than ``boundary``.

    Returns:
        The events; neighbours of the same class come back as one, except for task ``boundary``.
    """
    if task != "boundary":
        found = stretches(target)
        return Events.of(found.start, found.end, label=found.label, classes=classes)
    change = np.flatnonzero(target != INSIDE)
    first = target[change] == BOUNDARY
    return Events.of(change[first], np.append(change[1:], len(target))[: len(change)][first])


def known_starts(events: Events, target: NDArray[np.int8]) -> NDArray[np.int64]:
    """Return the first samples of those events that begin where a target is known.

    Args:
        events: Events of the target's read.
        target: Class of each sample, shape ``(n_samples,)``; ``IGNORE`` where it is not known.
    """
    return np.asarray(events.start[target[events.start] != IGNORE])
