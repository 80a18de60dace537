"""Several label sources as one: the first that has a label for a read answers, or all do and must agree."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any, TypeVar

from poreconv.config import LabelConfig, PrepareConfig, Task, require
from poreconv.errors import LabelError, ReadDropped
from poreconv.events import Events
from poreconv.files import fingerprint
from poreconv.labels import LABEL_SOURCES, LabelSource, open_labels
from poreconv.labels._agreement import agreed
from poreconv.ledger import Ledger
from poreconv.once import once
from poreconv.read import Read
from poreconv.registry import lookup

T = TypeVar("T")


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
    """Asks all its sources, and believes them where they agree (see `labels._agreement.agreed`).

    A read for which one of them has no label has none. Places and classes are those of the first source.

    Args:
        sources: By name, the first the most exact; at least two.
        task: What is to be learnt.
        tolerance: How far apart, in samples, boundaries may lie that agree.

    Raises:
        ConfigError: One source, or the task needs classes and those of the sources differ.
    """

    in_file = False

    def __init__(self, sources: dict[str, LabelSource], task: Task, tolerance: int) -> None:
        names, classes = ", ".join(sources), {source.classes for source in sources.values()}
        require(len(sources) > 1, f"agreement_samples: labels {names} alone agree with themselves; name another source")
        same = len(classes) == 1
        require(task == "boundary" or same, f"labels {names}: have other classes each, so they agree on no {task}")
        self._sources, self._task, self._tolerance = sources, task, tolerance
        self.classes: tuple[str, ...] = classes.pop() if same else ()
        self.base_offset = next(iter(sources.values())).base_offset if same else None
        self.notes: Counter[str] = Counter()

    def events(self, read: Read) -> Events | None:
        """Label one read; see `LabelSource.events`."""
        several = [self._ask(name, source, read) for name, source in self._sources.items()]
        if any(events is None for events in several):
            return None
        events = agreed([e for e in several if e is not None], len(read.adc), self._task, self._tolerance)
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


Assigned = tuple[tuple[str, tuple[Path, ...]], ...]
"""Label sources in order of preference, each with its files."""


def assign_files(names: Sequence[str], given: Sequence[Path | str]) -> Assigned:
    """Tell which file is for which source.

    Args:
        names: Names in ``LABEL_SOURCES``, in order of preference.
        given: Their files: ``FILE``, if at most one of them reads files, else ``NAME=FILE``.

    Raises:
        ConfigError: No such source, or a file of which it cannot be told whose it is.
    """
    files: dict[str, list[Path]] = {name: [] for name in names}
    require(len(names) == len(files) > 0, f"labels {', '.join(names)}: name each source once, at least one")
    readers = [name for name in files if not lookup(LABEL_SOURCES, name, kind="label source").in_file] or list(files)
    for one in map(str, given):
        name, equals, path = one.partition("=")
        named = bool(equals) and name in files
        require(named or len(readers) == 1, f"--labels_from {one}: of which source? write {readers[0]}={one}")
        files[name if named else readers[0]].append(Path(path if named else one))
    return tuple((name, tuple(paths)) for name, paths in files.items())


def open_several(assigned: Assigned, config: LabelConfig) -> LabelSource:
    """Open one label source, or several of which the first that answers counts, or where they agree.

    Raises:
        ConfigError: See `open_labels` and `WhereAllAgree`.
        FormatError: A file that is no table of its source.
    """
    with ExitStack() as opened_so_far:
        sources: dict[str, LabelSource] = {}
        for name, files in assigned:
            sources[name] = opened_so_far.enter_context(closing(open_labels(name, files, config)))
        source = _joined(sources, config)
        opened_so_far.pop_all()
    return source


def _joined(sources: dict[str, LabelSource], config: LabelConfig) -> LabelSource:
    if isinstance(config, PrepareConfig) and config.agreement_samples is not None:
        return WhereAllAgree(sources, config.task, config.agreement_samples)
    return FirstThatAnswers(sources) if len(sources) > 1 else next(iter(sources.values()))


@once
def source_of_process(assigned: Assigned, config: LabelConfig) -> LabelSource:
    """`open_several`, once in each process that works on the same labels."""
    return open_several(assigned, config)


@contextmanager
def opened(assigned: Assigned, config: LabelConfig) -> Iterator[LabelSource]:
    """The source of this process, closed afterwards: the next command may find other labels in the same file."""
    source = source_of_process(assigned, config)
    try:
        yield source
    finally:
        source_of_process.cache_clear()
        source.close()


def fingerprints(assigned: Assigned) -> list[list[Any]]:
    """Names and files of the sources as JSON types, for telling whether a killed run had the same."""
    return [[name, fingerprint(list(files))] for name, files in assigned]


def each_kept(
    reads: Iterable[Read], source: LabelSource, ledger: Ledger, make: Callable[[Read], T]
) -> Iterator[tuple[Read, T]]:
    """Make something of each read and its labels.

    Args:
        reads: Taken one at a time.
        source: Asked by ``make``; its notes of these reads go into the ledger at the end.
        ledger: Takes the reads that ``make`` drops.
        make: What to make of a read; raises `ReadDropped` for one that cannot be used.
    """
    source.notes.clear()  # those of the reads before
    for read in reads:
        try:
            made = make(read)
        except ReadDropped as exc:
            ledger.drop(exc, read_id=read.read_id, source=read.source)
            continue
        yield read, made
    ledger.notes.update(source.notes)


def events_of(source: LabelSource, read: Read) -> Events:
    """The events of a read.

    Raises:
        LabelError: The source has no label for it (``no_label``), or one that doesn't fit.
    """
    events = source.events(read)
    if events is None or not len(events):
        raise LabelError(f"{read.where}: no label; give the file that has it with --labels_from", reason="no_label")
    return events
