"""What a task is, as far as events and targets go."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from pkgutil import resolve_name
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import DTypeLike, NDArray

from poreconv.config import IGNORE
from poreconv.events.events import Events
from poreconv.reads.read import Read

if TYPE_CHECKING:  # pyarrow is slow to import
    from poreconv.events.tabulation import TableKind


class Task(ABC):
    """What is asked, as far as events and targets go; without state."""

    name: ClassVar[str]
    """Under which it stands in the three tables."""
    headline: ClassVar[tuple[str, str]]
    """The score that stands for all, and what a table calls it."""
    decoder: ClassVar[str]
    """What turns a network's outputs into events, ``"module:attribute"``; see `inference.decoding.Decoder`."""
    rows: ClassVar[str] = "poreconv.events.tabulation:event_rows"
    """Returns what the rows of a table of its results are, given `LabelConfig.every`; ``"module:attribute"``."""
    quantity: ClassVar[str] = "probability"
    """What the network's outputs are, as an axis names it; probabilities are drawn from 0 to 1."""
    events_drawn: ClassVar[bool] = True
    """Whether pictures show its events as bands; else only curves."""
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

    def table(self, every: int = 1) -> TableKind:
        """Return what a table of the results of reads looks like.

        Args:
            every: Number of samples of which a row is the mean, where rows are numbers; see `LabelConfig.every`.

        Raises:
            ConfigError: Rows are no means.
        """
        kind: TableKind = resolve_name(self.rows)(every)
        return kind

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
