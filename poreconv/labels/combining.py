"""Several label sources as one: the first that has a label for a read answers, or all do and must agree."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from poreconv.config import Task, require
from poreconv.errors import LabelError
from poreconv.events.events import Events
from poreconv.events.matching import partners
from poreconv.events.targets import encode, samples_of
from poreconv.labels.sources import LabelSource
from poreconv.reads.read import Read


@dataclass(frozen=True, slots=True)
class Agreement:
    """When labels agree."""

    task: Task
    """What is to be learnt."""
    tolerance: int
    """How far apart, in samples, boundaries may lie that agree."""


class FirstThatAnswers:
    """Asks its sources in order. How often each answered stands in the notes, as ``labelled_by_NAME``.

    Where their classes differ, places are all that they have in common, and all that is given.

    Args:
        sources: By name, in order of preference; at least one.
    """

    in_file = False
    base_offset: int | None = None

    def __init__(self, sources: dict[str, LabelSource]) -> None:
        self._sources = sources
        classes = {source.classes for source in sources.values()}
        self.classes: tuple[str, ...] = classes.pop() if len(classes) == 1 else ()
        self.notes: Counter[str] = Counter()

    def events(self, read: Read) -> Events | None:
        """Label one read; see `LabelSource.events`. A source whose label doesn't fit has answered: the read is lost."""
        for name, source in self._sources.items():
            try:
                events = source.events(read)
            finally:
                _pass_notes(source, self.notes)
            if events is not None and len(events):
                self.notes[f"labelled_by_{name}"] += 1
                return events if self.classes else Events.of(events.start, events.end, coverage=events.coverage)
        return None

    def close(self) -> None:
        """Close all sources."""
        for source in self._sources.values():
            source.close()


class WhereAllAgree:
    """Asks all its sources, and believes them where they agree (see `agreed`).

    A read for which one of them has no label has none. Places and classes are those of the first source.

    Args:
        sources: By name, the first the most exact; at least two.
        agreement: When they agree.

    Raises:
        ConfigError: One source, or the task needs classes and those of the sources differ.
    """

    in_file = False

    def __init__(self, sources: dict[str, LabelSource], agreement: Agreement) -> None:
        names, classes = ", ".join(sources), {source.classes for source in sources.values()}
        require(len(sources) > 1, f"agreement_samples: labels {names} alone agree with themselves; name another source")
        same = len(classes) == 1
        task = agreement.task
        require(task == "boundary" or same, f"labels {names}: have other classes each, so they agree on no {task}")
        self._sources, self._agreement = sources, agreement
        self.classes: tuple[str, ...] = classes.pop() if same else ()
        self.base_offset = next(iter(sources.values())).base_offset if same else None
        self.notes: Counter[str] = Counter()

    def events(self, read: Read) -> Events | None:
        """Label one read; see `LabelSource.events`."""
        several = [self._ask(name, source, read) for name, source in self._sources.items()]
        if any(events is None for events in several):
            return None
        events = agreed([e for e in several if e is not None], len(read.adc), self._agreement)
        if not len(events.coverage):
            raise LabelError(f"{read.where}: its labels agree nowhere; look at them", reason="no_agreement")
        return events if self.classes else Events.of(events.start, events.end, coverage=events.coverage)

    def _ask(self, name: str, source: LabelSource, read: Read) -> Events | None:
        try:
            events = source.events(read)
        finally:
            _pass_notes(source, self.notes)
        if events is None or not len(events):
            self.notes[f"not_labelled_by_{name}"] += 1
            return None
        return events

    def close(self) -> None:
        """Close all sources."""
        for source in self._sources.values():
            source.close()


def _pass_notes(source: LabelSource, notes: Counter[str]) -> None:
    notes.update(source.notes)
    source.notes.clear()


def agreed(several: Sequence[Events], n_samples: int, agreement: Agreement) -> Events:
    """Give the first labels, with a coverage that leaves out where another disagrees or does not speak.

    Args:
        several: Events of one read, at least one set of them; each of the others is compared with the first.
        n_samples: The read's length.
        agreement: For task `boundary`, places are compared: a boundary of either that finds no partner within the
            tolerance, one to one, leaves out as many samples on each side of itself. Else classes are, sample by
            sample.
    """
    task, tolerance = agreement.task, agreement.tolerance
    first, *others = several
    doubt = _dark(first, n_samples)
    for other in others:
        doubt |= _dark(other, n_samples)
        if task == "boundary":
            doubt[_unmatched(first.start, other.start, n_samples, tolerance)] = True
        else:
            doubt |= encode(first, n_samples, task) != encode(other, n_samples, task)
    return replace(first, coverage=_intervals(~doubt))


def _dark(events: Events, n_samples: int) -> NDArray[np.bool_]:
    """Samples outside the coverage, shape ``(n_samples,)``."""
    dark = np.ones(n_samples, bool)
    start, end = events.coverage.T
    dark[samples_of(start, end - start)] = False
    return dark


def _unmatched(one: NDArray[np.int64], other: NDArray[np.int64], n_samples: int, tolerance: int) -> NDArray[np.int64]:
    """Samples around the boundaries of either that have no partner in the other."""
    partner = partners(one, other, tolerance)
    lonely = np.concatenate([one[partner < 0], np.delete(other, partner[partner >= 0])])
    return np.unique(np.clip(lonely[:, None] + np.arange(-tolerance, tolerance + 1), 0, n_samples - 1))


def _intervals(inside: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Runs of True as ``[start, end)``, shape ``(m, 2)``."""
    edge = np.flatnonzero(np.diff(inside, prepend=False, append=False))
    return edge.reshape(-1, 2)
