"""What a store counts in each of its splits."""

from typing import Any

from numpy.typing import NDArray

from poreconv.dataset.splits import SPLITS
from poreconv.events.tasks.task import Task


class SplitCounts:
    """Reads, samples, events, and what the task counts of each class, in each split of a store.

    Args:
        classes: Names of the network's outputs.
        task: The task; see `Task.counts`.
    """

    def __init__(self, classes: tuple[str, ...], task: Task) -> None:
        self._classes, self._task = classes, task
        zeros = dict.fromkeys(("reads", "samples", "events", *classes), 0)
        self.by_split: dict[str, dict[str, int]] = {split: dict(zeros) for split in SPLITS}

    def add(self, split: str, target: NDArray[Any], n_events: int) -> None:
        """Count one read.

        Args:
            split: The split that it belongs to.
            target: Its target, shape ``(n_samples,)``.
            n_events: Number of its events.
        """
        counts = self.by_split[split]
        for name, n in zip(self._classes, self._task.counts(target, len(self._classes)), strict=True):
            counts[name] += n
        counts["reads"] += 1
        counts["samples"] += len(target)
        counts["events"] += n_events
