"""The task of numbers: how much, at this sample?"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from poreconv.errors import LabelError
from poreconv.events.events import Events
from poreconv.events.targets import value_events, values_of
from poreconv.events.tasks.task import Task
from poreconv.reads.read import Read


class ValueTask(Task):
    """Which number does this sample have, such as a level, a height, or a probability that another program gave?"""

    name = "value"
    headline = ("pearson", "Pearson r")
    decoder = "poreconv.inference.decoding.values:ValueDecoder"
    rows = "poreconv.events.tabulation:value_rows"
    quantity = "value"
    events_drawn = False
    dtype = np.float32
    unknown = np.nan
    uses_classes = False

    def classes(self, of_labels: tuple[str, ...]) -> tuple[str, ...]:
        """Name the network's one output: ``value``."""
        return ("value",)

    def labels(self, events: Events, read: Read) -> Events:
        """Return a read's labels.

        Raises:
            LabelError: None of its events has a value (``label_without_value``).
        """
        if not np.isfinite(events.value).any():
            raise LabelError(
                f"{read.where}: its labels have no values; give intervals with a column value, or --labels values",
                reason="label_without_value",
            )
        return events

    def target(self, events: Events, n_samples: int, longest: float = np.inf) -> NDArray[np.float32]:
        """Make a target; see `Task.target`."""
        return values_of(events, n_samples)

    def events(self, target: NDArray[np.float32], classes: tuple[str, ...]) -> Events:
        """Convert a target back to events: one per stretch of samples with one value."""
        return value_events(target)

    def known(self, target: NDArray[np.float32]) -> NDArray[np.bool_]:
        """Return where a target is a number."""
        return np.isfinite(target)

    def counts(self, target: NDArray[np.float32], n_classes: int) -> list[int]:
        """Count a read's samples with a value."""
        return [int(self.known(target).sum())]

    def renumbered(self, target: NDArray[Any], classes: Sequence[str], model_classes: Sequence[str]) -> NDArray[Any]:
        """Return the target as it is: a value is no class."""
        return target
