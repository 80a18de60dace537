"""Several label sources as one: the first that has a label for a read, or only what all of them agree on."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from poreconv.config import require
from poreconv.errors import LabelError
from poreconv.events.events import Events
from poreconv.events.targets import samples_of
from poreconv.events.tasks.task import Task
from poreconv.labels.sources import LabelSource
from poreconv.reads.read import Read


@dataclass(frozen=True, slots=True)
class Agreement:
    """The condition under which the labels of two sources agree."""

    task: Task
    """What the labels are for; it decides what is compared."""
    tolerance: int
    """Largest distance, in samples, between two boundaries that agree."""


class FirstThatAnswers:
    """A label source that takes each read's events from the first of its sources that has a label for it.

    The notes count the reads labelled by each source, as ``labelled_by_NAME``. If the classes of the sources differ,
    events are returned without classes.

    Args:
        sources: Sources by name, in order of preference; at least one.
    """

    in_file = False
    base_offset: int | None = None

    def __init__(self, sources: dict[str, LabelSource]) -> None:
        self._sources = sources
        classes = {source.classes for source in sources.values()}
        self.classes: tuple[str, ...] = classes.pop() if len(classes) == 1 else ()
        self.notes: Counter[str] = Counter()

    def events(self, read: Read) -> Events | None:
        """Label one read; see `LabelSource.events`.

        A label that does not fit the read drops it: the sources that follow are not tried.

        Args:
            read: The read to label.

        Returns:
            The events of the first source that has any; None if no source has.
        """
        for name, source in self._sources.items():
            try:
                events = source.events(read)
            finally:
                _move_notes(source, self.notes)
            if events is not None and len(events):
                self.notes[f"labelled_by_{name}"] += 1
                return events if self.classes else without_classes(events)
        return None

    def close(self) -> None:
        """Close all sources."""
        for source in self._sources.values():
            source.close()


class WhereAllAgree:
    """A label source whose coverage is limited to where all of its sources agree (see `agreed`).

    A read that one of the sources has no label for has none. Events are those of the first source.

    Args:
        sources: Sources by name, the most exact one first; at least two.
        agreement: The condition under which they agree.

    Raises:
        ConfigError: There is one source only, or the task needs classes and those of the sources differ.
    """

    in_file = False

    def __init__(self, sources: dict[str, LabelSource], agreement: Agreement) -> None:
        names, classes = ", ".join(sources), {source.classes for source in sources.values()}
        require(len(sources) > 1, f"agreement_samples: {names} is the only label source; name another source")
        same = len(classes) == 1
        task = agreement.task
        require(
            same or not task.uses_classes,
            f"labels {names}: their classes differ, so they cannot agree on task {task.name}; choose sources with the"
            " same classes, or a task without classes",
        )
        self._sources, self._agreement = sources, agreement
        self.classes: tuple[str, ...] = classes.pop() if same else ()
        self.base_offset = next(iter(sources.values())).base_offset if same else None
        self.notes: Counter[str] = Counter()

    def events(self, read: Read) -> Events | None:
        """Label one read; see `LabelSource.events`.

        Args:
            read: The read to label.

        Returns:
            The events of the first source, covered where all agree; None if a source has no label for the read.

        Raises:
            LabelError: The sources agree nowhere (``no_agreement``), or a label does not fit the read.
        """
        several = [self._events_of(name, source, read) for name, source in self._sources.items()]
        if any(events is None for events in several):
            return None
        events = agreed([e for e in several if e is not None], len(read.adc), self._agreement)
        if not len(events.coverage):
            raise LabelError(
                f"{read.where}: its label sources agree nowhere; check that their files are about this read",
                reason="no_agreement",
            )
        return events if self.classes else without_classes(events)

    def _events_of(self, name: str, source: LabelSource, read: Read) -> Events | None:
        try:
            events = source.events(read)
        finally:
            _move_notes(source, self.notes)
        if events is None or not len(events):
            self.notes[f"not_labelled_by_{name}"] += 1
            return None
        return events

    def close(self) -> None:
        """Close all sources."""
        for source in self._sources.values():
            source.close()


def without_classes(events: Events) -> Events:
    """Return events of which only places and values are known.

    Args:
        events: Events of one read.
    """
    return Events.of(events.start, events.end, value=events.value, coverage=events.coverage)


def _move_notes(source: LabelSource, notes: Counter[str]) -> None:
    notes.update(source.notes)
    source.notes.clear()


def agreed(several: Sequence[Events], n_samples: int, agreement: Agreement) -> Events:
    """Return the first of several labels of a read, covered only where none of the others disagrees.

    Args:
        several: Events of one read from one or more sources; each of the others is compared with the first.
        n_samples: Length of the read.
        agreement: When labels agree; see `Task.differ`.

    Returns:
        The first events; their coverage leaves out disagreement, and samples that one of the others does not cover.
    """
    first, *others = several
    excluded = _uncovered(first, n_samples)
    for other in others:
        excluded |= _uncovered(other, n_samples)
        excluded |= agreement.task.differ(first, other, n_samples, agreement.tolerance)
    return replace(first, coverage=_intervals(~excluded))


def _uncovered(events: Events, n_samples: int) -> NDArray[np.bool_]:
    """Samples outside the coverage, shape ``(n_samples,)``."""
    uncovered = np.ones(n_samples, bool)
    start, end = events.coverage.T
    uncovered[samples_of(start, end - start)] = False
    return uncovered


def _intervals(inside: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Stretches of True as ``[start, end)``, shape ``(m, 2)``."""
    edge = np.flatnonzero(np.diff(inside, prepend=False, append=False))
    return edge.reshape(-1, 2)
