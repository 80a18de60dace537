"""The last step of every label source: events that fit their read, or a named drop."""

from collections.abc import Sequence

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
    coverage: ArrayLike | None = None,
) -> Events:
    """Build events; nothing is moved or cut to make them fit.

    Args:
        read: The read that they label.
        start: First samples, shape ``(n,)``, in signal order.
        end: Samples after the last, shape ``(n,)``.
        label: Indices into ``classes``, shape ``(n,)``.
        classes: Class names.
        coverage: Samples that the source speaks for, shape ``(m, 2)``; default: those of its events.

    Raises:
        LabelError: An event is empty (``label_empty``), out of order or overlapping (``label_order``), or reaches
            outside the signal (``label_outside_signal``).
    """
    check_fit(read, start, end)
    return Events.of(start, end, label=label, classes=classes, coverage=coverage)


def fitted_whole(read: Read, label: int, classes: Sequence[str]) -> Events:
    """Build the one event of a read that is labelled as a whole; a read without samples has none."""
    n_samples = len(read.adc)
    here = [0] if n_samples else []
    return Events.of(here, [n_samples] * len(here), label=[label] * len(here), classes=classes)


def check_fit(read: Read, start: NDArray[np.int64], end: NDArray[np.int64]) -> None:
    """Check what `fitted` promises."""
    n_samples = len(read.adc)
    if (end <= start).any():
        at = int(np.argmax(end <= start))
        raise LabelError(
            f"{read.where}: event {at} is [{start[at]}, {end[at]}), without a sample; label the read again",
            reason="label_empty",
        )
    if (start[1:] < end[:-1]).any():
        at = int(np.argmax(start[1:] < end[:-1]))
        raise LabelError(
            f"{read.where}: event {at + 1} starts at {start[at + 1]}, before event {at} ends at {end[at]}; "
            "remove the overlap",
            reason="label_order",
        )
    if len(start) and (start[0] < 0 or end[-1] > n_samples):
        raise LabelError(
            f"{read.where}: events span [{start[0]}, {end[-1]}), and the read has {n_samples} samples; are these the "
            "labels of this very file, not trimmed or resampled?",
            reason="label_outside_signal",
        )
