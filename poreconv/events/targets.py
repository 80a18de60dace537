"""Targets and events: the places of samples that tasks share.

Where nothing is known the target of a class is ``IGNORE``.
"""

import numpy as np
from numpy.typing import NDArray

from poreconv.config import BOUNDARY, IGNORE, INSIDE
from poreconv.events.events import Events

BASES = ("A", "C", "G", "T")
"""Classes of bases, for every label source with a sequence; RNA's U counts as T."""


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


def coverage_gaps(events: Events, n_samples: int) -> NDArray[np.int64]:
    """List the samples outside the coverage.

    Args:
        events: Events of one read.
        n_samples: The read's length.
    """
    gap_start, gap_end = np.append(0, events.coverage[:, 1]), np.append(events.coverage[:, 0], n_samples)
    return samples_of(gap_start, np.maximum(gap_end - gap_start, 0))


def stretch_events(target: NDArray[np.int8], classes: tuple[str, ...]) -> Events:
    """Convert a target of classes back to events: one per stretch of a class.

    Neighbouring events of the same class come back as one.

    Args:
        target: Class of each sample, shape ``(n_samples,)``; ``IGNORE`` where it is not known.
        classes: Names of the classes.
    """
    change = np.flatnonzero(np.diff(target)) + 1
    edges = np.concatenate([[0], change, [len(target)]]) if len(target) else np.zeros(1, np.int64)
    start, end = edges[:-1], edges[1:]
    label = target[start] if len(start) else np.zeros(0, np.int8)
    known = label != IGNORE
    return Events.of(start[known], end[known], label=label[known], classes=classes)


def values_of(events: Events, n_samples: int) -> NDArray[np.float32]:
    """Return the value of each sample, shape ``(n_samples,)``; NaN outside the events and their coverage.

    Args:
        events: Events of one read.
        n_samples: The read's length.
    """
    value = np.full(n_samples, np.nan, np.float32)
    value[samples_of(events.start, events.duration)] = np.repeat(events.value, events.duration)
    value[coverage_gaps(events, n_samples)] = np.nan
    return value


def value_events(value: NDArray[np.float32]) -> Events:
    """Return an event for each stretch of samples with one value.

    Args:
        value: Value of each sample, NaN where it is not known, shape ``(n_samples,)``.
    """
    known = np.isfinite(value)
    change = np.flatnonzero((value[1:] != value[:-1]) & (known[1:] | known[:-1])) + 1
    edge = np.concatenate([[0], change, [len(value)]]) if len(value) else np.zeros(1, np.int64)
    start, end = edge[:-1], edge[1:]
    kept = known[start]
    return Events.of(start[kept], end[kept], value=value[start[kept]])


def boundary_events(target: NDArray[np.int8]) -> Events:
    """Convert a target of boundaries back to events; each ends where the next begins, or where nothing is known.

    Args:
        target: Shape ``(n_samples,)``.
    """
    change = np.flatnonzero(target != INSIDE)
    first = target[change] == BOUNDARY
    return Events.of(change[first], np.append(change[1:], len(target))[: len(change)][first])


def boundaries(target: NDArray[np.int8]) -> NDArray[np.int64]:
    """Return the first samples of events that a target of boundaries marks, ascending.

    Args:
        target: Class of each sample, shape ``(n_samples,)``.
    """
    return np.flatnonzero(target == BOUNDARY)


def known_starts(events: Events, target: NDArray[np.int8]) -> NDArray[np.int64]:
    """Return the first samples of those events that begin where a target is known.

    Args:
        events: Events of the target's read.
        target: Class of each sample, shape ``(n_samples,)``; ``IGNORE`` where it is not known.
    """
    return np.asarray(events.start[target[events.start] != IGNORE])
