"""The last step of every label source: build events that fit their read, or drop the read with a reason."""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from poreconv.errors import LabelError
from poreconv.events.events import Events
from poreconv.reads.read import Read


def fitted(
    read: Read,
    start: NDArray[np.int64],
    end: NDArray[np.int64],
    *,
    label: ArrayLike | None = None,
    classes: Sequence[str] = (),
    value: ArrayLike | None = None,
    coverage: ArrayLike | None = None,
) -> Events:
    """Build the events of a read after checking that they fit it; nothing is moved or cut to make them fit.

    Args:
        read: The read that the events label.
        start: First sample of each event, shape ``(n,)``, in signal order.
        end: Sample after the last of each event, shape ``(n,)``.
        label: Index into ``classes`` of each event, shape ``(n,)``; default: events without a class.
        classes: Class names; default: none.
        value: The number that each event has, shape ``(n,)``; default: none.
        coverage: Intervals ``[start, end)`` that the source covers, shape ``(m, 2)``; default: the union of its events.

    Raises:
        LabelError: An event is empty (``label_empty``), out of order or overlapping (``label_order``), or reaches
            outside the signal (``label_outside_signal``).
    """
    check_fit(read, start, end)
    return Events.of(start, end, label=label, classes=classes, value=value, coverage=coverage)


def fitted_whole(read: Read, label: int, classes: Sequence[str]) -> Events:
    """Build the single event of a read that is labelled as a whole.

    Args:
        read: The read that the event labels.
        label: Index of its class in ``classes``.
        classes: Class names.

    Returns:
        One event from the first sample to the last; none if the read has no samples.
    """
    n_samples = len(read.adc)
    start = [0] if n_samples else []
    return Events.of(start, [n_samples] * len(start), label=[label] * len(start), classes=classes)


def event_number(at: int) -> str:
    """Name an event in messages, by its place in the read.

    Args:
        at: Its index.
    """
    return f"event {at}"


def check_fit(
    read: Read, start: NDArray[np.int64], end: NDArray[np.int64], *, name: Callable[[int], str] = event_number
) -> None:
    """Check that events fit their read, as `fitted` requires.

    Args:
        read: The read that the events label.
        start: First sample of each event, shape ``(n,)``, in signal order.
        end: Sample after the last of each event, shape ``(n,)``.
        name: Returns the name in messages of the event of an index.

    Raises:
        LabelError: An event is empty (``label_empty``), out of order or overlapping (``label_order``), or reaches
            outside the signal (``label_outside_signal``).
    """
    check_each(read, start, end, name=name)
    overlaps = start[1:] < end[:-1]
    if overlaps.any():
        at = int(np.argmax(overlaps))
        raise LabelError(
            f"{read.where}: {name(at + 1)} starts at {start[at + 1]}, before {name(at)} ends at {end[at]}; "
            "remove the overlap",
            reason="label_order",
        )


def check_each(
    read: Read, start: NDArray[np.int64], end: NDArray[np.int64], *, name: Callable[[int], str] = event_number
) -> None:
    """Check that each event has samples, all of them its read's.

    Args:
        read: The read that the events label.
        start: First sample of each event, shape ``(n,)``, in any order.
        end: Sample after the last of each event, shape ``(n,)``.
        name: Returns the name in messages of the event of an index.

    Raises:
        LabelError: An event is empty (``label_empty``), or reaches outside the signal (``label_outside_signal``).
    """
    n_samples, empty = len(read.adc), end <= start
    if empty.any():
        at = int(np.argmax(empty))
        raise LabelError(
            f"{read.where}: {name(at)} is [{start[at]}, {end[at]}) and contains no sample; label the read again",
            reason="label_empty",
        )
    outside = (start < 0) | (end > n_samples)
    if outside.any():
        at = int(np.argmax(outside))
        raise LabelError(
            f"{read.where}: {name(at)} is [{start[at]}, {end[at]}), but the read has {n_samples} samples; give the "
            "labels that were made from this file, before any trimming or resampling",
            reason="label_outside_signal",
        )
