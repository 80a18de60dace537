"""Labelled intervals of a squiggle, true or predicted."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from poreconv.errors import ConfigError

if TYPE_CHECKING:  # neither is needed to work with events
    import pandas as pd
    import pyarrow as pa

UNNAMED = "event"
"""Label, in tables, of events without a class."""


@dataclass(frozen=True, slots=True, eq=False)
class Events:
    """Half-open intervals ``[start, end)`` in samples of one read, in signal order, not overlapping.

    Make them with `Events.of`, which checks them.
    """

    start: NDArray[np.int64]
    """First sample of each event, shape ``(n,)``, ascending."""
    end: NDArray[np.int64]
    """Sample after the last of each event, shape ``(n,)``."""
    label: NDArray[np.int16]
    """Index into ``classes``, shape ``(n,)``; -1: the event's class is not known."""
    classes: tuple[str, ...]
    """Class names; empty if only the places of events are known."""
    score: NDArray[np.float32]
    """Confidence from 0 to 1, shape ``(n,)``; 1 for truth."""
    value: NDArray[np.float32]
    """A number that each event has at all its samples, shape ``(n,)``; NaN: it has none, or it is not known."""
    coverage: NDArray[np.int64]
    """Intervals ``[start, end)`` that the label source covers, shape ``(m, 2)``, ascending, disjoint."""

    @classmethod
    def of(
        cls,
        start: ArrayLike,
        end: ArrayLike,
        *,
        label: ArrayLike | None = None,
        classes: Sequence[str] = (),
        score: ArrayLike | None = None,
        value: ArrayLike | None = None,
        coverage: ArrayLike | None = None,
    ) -> Self:
        """Build events from arrays, after checking them.

        Args:
            start: First sample of each event, shape ``(n,)``.
            end: Sample after the last of each event, shape ``(n,)``.
            label: Indices into ``classes``, shape ``(n,)``; default: 0 if there is just one class, else -1.
            classes: Class names.
            score: Confidences, shape ``(n,)``; default 1.
            value: Numbers, shape ``(n,)``; default: events have none.
            coverage: Covered intervals, shape ``(m, 2)``; default: the union of the events.

        Raises:
            ConfigError: The arrays differ in length; events are empty, negative, out of order or overlapping; or a
                class index is out of range.
        """
        start_n, end_n = np.asarray(start, np.int64).ravel(), np.asarray(end, np.int64).ravel()
        default_label = 0 if len(classes) == 1 else -1
        label_n = np.full(len(start_n), default_label, np.int16) if label is None else np.asarray(label, np.int16)
        score_n = np.ones(len(start_n), np.float32) if score is None else np.asarray(score, np.float32)
        value_n = np.full(len(start_n), np.nan, np.float32) if value is None else np.asarray(value, np.float32)
        if not len(start_n) == len(end_n) == len(label_n) == len(score_n) == len(value_n):
            raise ConfigError("events: start, end, label, score, value differ in length; give one of each per event")
        if (end_n <= start_n).any() or (start_n[1:] < end_n[:-1]).any() or (len(start_n) and start_n[0] < 0):
            raise ConfigError("events: empty, negative, out of order or overlapping; sort them and cut the overlaps")
        if len(label_n) and (label_n.min() < -1 or label_n.max() >= len(classes)):
            raise ConfigError(f"events: class index outside -1..{len(classes) - 1}; classes are {tuple(classes)}")
        intervals = None if coverage is None else union(np.asarray(coverage, np.int64).reshape(-1, 2))
        covered = _joined(start_n, end_n) if intervals is None else intervals
        return cls(start_n, end_n, label_n, tuple(classes), score_n, value_n, covered)

    def __len__(self) -> int:
        """Number of events."""
        return len(self.start)

    @property
    def duration(self) -> NDArray[np.int64]:
        """Length of each event in samples, shape ``(n,)``."""
        return self.end - self.start

    def within(self, start: int, end: int) -> NDArray[np.bool_]:
        """Return which events overlap samples ``[start, end)``.

        Args:
            start: First sample.
            end: Sample after the last.

        Returns:
            Shape ``(n,)``.
        """
        return np.asarray((self.end > start) & (self.start < end))

    def to_arrow(self) -> "pa.Table":
        """Return the events as an Arrow table, one row per event.

        Returns:
            Columns ``start``, ``end`` (samples), ``label`` (name of the class; ``event`` where it is not known) and
            ``score``; and ``value``, null where it is not known, if any event has one.
        """
        import pyarrow as pa

        names = pa.array([*self.classes, UNNAMED])
        columns = {
            "start": self.start,
            "end": self.end,
            "label": names.take(pa.array(self.label % len(names))),
            "score": self.score,
        }
        valued = {"value": pa.array(self.value, from_pandas=True)} if np.isfinite(self.value).any() else {}
        return pa.table(columns | valued)

    def to_pandas(self) -> "pd.DataFrame":
        """Return the events as a data frame; columns as in `to_arrow`.

        Raises:
            ConfigError: pandas is not installed.
        """
        try:
            return self.to_arrow().to_pandas()
        except ImportError as exc:
            raise ConfigError("to_pandas: pandas is not installed; pip install 'poreconv[pandas]'") from exc


def joined(parts: Sequence[Events]) -> Events:
    """Concatenate events of one read that follow each other, as streaming returns them.

    Args:
        parts: In signal order; at least one.

    Raises:
        ConfigError: The parts overlap or are out of order.
    """
    named = [part.classes for part in parts if part.classes]
    return Events.of(
        np.concatenate([part.start for part in parts]),
        np.concatenate([part.end for part in parts]),
        label=np.concatenate([part.label for part in parts]),
        classes=named[0] if named else (),
        score=np.concatenate([part.score for part in parts]),
        value=np.concatenate([part.value for part in parts]),
        coverage=np.concatenate([part.coverage for part in parts]),
    )


def union(intervals: NDArray[np.int64]) -> NDArray[np.int64]:
    """Merge half-open intervals that touch or overlap.

    Args:
        intervals: Shape ``(n, 2)``, any order; empty ones are left out.

    Returns:
        Shape ``(m, 2)``, ascending and disjoint.
    """
    intervals = intervals[intervals[:, 1] > intervals[:, 0]] if len(intervals) else intervals
    if len(intervals) < 2:
        return intervals.reshape(-1, 2)
    ordered = intervals[np.argsort(intervals[:, 0], kind="stable")]
    return _joined(ordered[:, 0], np.maximum.accumulate(ordered[:, 1]))


def _joined(start: NDArray[np.int64], end: NDArray[np.int64]) -> NDArray[np.int64]:
    """Merge intervals that touch or overlap, whose starts and ends both ascend."""
    gap = start[1:] > end[:-1]
    edge = np.ones(min(len(start), 1), bool)
    return np.column_stack([start[np.concatenate([edge, gap])], end[np.concatenate([gap, edge])]])
