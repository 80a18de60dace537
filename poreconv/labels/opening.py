"""Open label sources by name with their files, and take the events of each read from them."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar, cast

from poreconv.config import SourceConfig, WorkConfig, require
from poreconv.errors import LabelError, ReadDropped
from poreconv.events.events import Events
from poreconv.labels.combining import Agreement, FirstThatAnswers, WhereAllAgree
from poreconv.labels.marks import files_of
from poreconv.labels.outside import HasEvents, LabelFunction, needs_files, open_outside
from poreconv.labels.sources import LABEL_SOURCES, OF_PATHS, LabelSource
from poreconv.reads.read import Read
from poreconv.runtime.executors import sendable
from poreconv.runtime.files import fingerprint
from poreconv.runtime.ledger import Ledger
from poreconv.runtime.registry import given, is_own, name_of, sent, source_of

T = TypeVar("T")

STUDIO = "studio"
"""The source whose labels are the marks of a project."""

OneSource = str | LabelFunction | type[HasEvents] | HasEvents
"""A label source, as a user asks for it: a name in ``LABEL_SOURCES``; ``my.py:Mine`` or ``package.module:Mine``; or, in
Python, a function of a read that returns `Events` or None, a class, or an object with a method ``events``."""

LabelsAsked = OneSource | Sequence[OneSource]
"""One label source, or several in order of preference."""


@dataclass(frozen=True)
class SourceChoice:
    """A label source and its files, not opened yet."""

    name: str
    """Name in ``LABEL_SOURCES``; or of the user's own, as they named it, or ``module:class``."""
    files: tuple[Path, ...] = ()
    own: Any = None
    """The user's own, as it is sent to other processes; None: it is in ``LABEL_SOURCES``."""

    def described(self) -> list[str]:
        """Return the name and, of the user's own, a hash of its source."""
        return [self.name] if self.own is None else [self.name, source_of(self.own)]

    def read_files(self) -> list[Path]:
        """Return the files that are read: of a project of the studio, those of its database."""
        return [file for path in self.files for file in (files_of(path) if self.name == STUDIO else [path])]

    def open(self, config: SourceConfig) -> LabelSource:
        """Open the source; the caller closes it.

        Args:
            config: Settings of all sources.

        Raises:
            ConfigError: See `open_labels`.
            FormatError: A file is not in the format of this source.
        """
        name, files = self.name, self.files
        factory, needed = self._factory(), self.needs_files()
        require(needed or not files, f"labels {name}: are stored in the reads' own files; leave out --labels_from")
        require(not needed or len(files) > 0, f"labels {name}: need a file; give it with --labels_from")
        for path in files:
            problem = "a folder, pipe or device, no file" if path.exists() else "no such file"
            is_there = name in OF_PATHS or path.is_file()
            require(is_there, f"{path}: {problem}; give the file of labels with --labels_from")
        if self.own is not None:
            return open_outside(name, factory, files, config)
        source: LabelSource = factory(files, config)
        return source

    def needs_files(self) -> bool:
        """Return whether the source reads files of labels; else labels are in the reads' own files, or computed."""
        return not self._factory().in_file if self.own is None else needs_files(self._factory())

    def _factory(self) -> Any:
        return given(LABEL_SOURCES, self.name if self.own is None else self.own, kind="label source")


SourceChoices = tuple[SourceChoice, ...]
"""Label sources in order of preference."""


def _chosen(asked: OneSource) -> SourceChoice:
    in_table = isinstance(asked, str) and not is_own(asked)
    return SourceChoice(name_of(asked), own=None if in_table else sent(asked))


def open_labels(asked: OneSource, files: Sequence[Path], config: SourceConfig) -> LabelSource:
    """Open a label source.

    Args:
        asked: Name in ``LABEL_SOURCES``; or the user's own.
        files: Its label files; none for a source whose labels are stored in the reads' own files.
        config: Settings of all sources.

    Returns:
        The source; the caller closes it.

    Raises:
        ConfigError: There is no such source; files are given to one that uses the reads' own files, or none to one
            that needs them; or a file does not exist.
        FormatError: A file is not in the format of this source.
    """
    return replace(_chosen(asked), files=tuple(files)).open(config)


def choose_labels(asked: LabelsAsked, labels_from: Sequence[Path | str]) -> SourceChoices:
    """Find the label sources that a user asks for, and assign each file to the one that it is for.

    Args:
        asked: One label source, or several in order of preference.
        labels_from: Their files: ``FILE`` if at most one of the sources needs files, else ``NAME=FILE``.

    Returns:
        The sources in the order asked for, each with its files in the order given.

    Raises:
        ConfigError: There is no such source, a source is named twice or none is named, or a file does not name its
            source where several sources need files.
    """
    several = isinstance(asked, Sequence) and not isinstance(asked, str)
    choices = [_chosen(each) for each in (cast(Sequence[OneSource], asked) if several else [cast(OneSource, asked)])]
    files: dict[str, list[Path]] = {choice.name: [] for choice in choices}
    names = ", ".join(choice.name for choice in choices)
    require(len(choices) == len(files) > 0, f"labels {names}: name each source once, and at least one")
    readers = [choice.name for choice in choices if choice.needs_files()] or list(files)
    for text in map(str, labels_from):
        name, equals, path = text.partition("=")
        named = bool(equals) and name in files
        require(
            named or len(readers) == 1,
            f"--labels_from {text}: several sources need files; name the source, as in {readers[0]}={text}",
        )
        files[name if named else readers[0]].append(Path(path if named else text))
    return tuple(replace(choice, files=tuple(files[choice.name])) for choice in choices)


@contextmanager
def opened(choices: SourceChoices, config: SourceConfig, agreement: Agreement | None = None) -> Iterator[LabelSource]:
    """Open one label source, or several combined into one, and close them at the end of the ``with`` block.

    Args:
        choices: The sources, in order of preference.
        config: Settings of the sources.
        agreement: Condition under which several sources agree: only what all agree on is covered. Default: each read
            is labelled by the first source that has a label for it.

    Raises:
        ConfigError: See `open_labels` and `WhereAllAgree`.
        FormatError: A file is not in the format of its source.
    """
    with ExitStack() as stack:
        sources = {choice.name: stack.enter_context(closing(choice.open(config))) for choice in choices}
        yield _joined(sources, agreement)


def _joined(sources: dict[str, LabelSource], agreement: Agreement | None) -> LabelSource:
    if agreement is not None:
        return WhereAllAgree(sources, agreement)
    return FirstThatAnswers(sources) if len(sources) > 1 else next(iter(sources.values()))


def label_files(choices: SourceChoices) -> list[Path]:
    """Return the files of all label sources.

    Args:
        choices: The sources.
    """
    return [path for choice in choices for path in choice.read_files()]


def fingerprints(choices: SourceChoices) -> list[list[Any]]:
    """Describe label sources and their files, so that a resumed command can check that they are unchanged.

    Args:
        choices: The sources.

    Returns:
        Name, of the user's own also a hash of its source, and file fingerprint of each source, as JSON types.
    """
    return [[*choice.described(), fingerprint(choice.read_files())] for choice in choices]


def sendable_to(work: WorkConfig, choices: SourceChoices) -> WorkConfig:
    """Choose one process where a label source of the user's cannot be sent to others, and warn.

    Args:
        work: The processes asked for.
        choices: The sources.
    """
    own = {choice.name: choice.own for choice in choices if choice.own is not None}
    return sendable(work, own, ", ".join(own)) if own else work


def kept_reads(
    reads: Iterable[Read], source: LabelSource, ledger: Ledger, make: Callable[[Read], T]
) -> Iterator[tuple[Read, T]]:
    """Yield each read that can be used, with what ``make`` returns for it; the others are dropped into the ledger.

    Args:
        reads: The reads, taken one at a time.
        source: The label source that ``make`` uses; its notes on these reads are added to the ledger at the end.
        ledger: Counts the reads that ``make`` drops.
        make: Computes the result for a read; raises `ReadDropped` for one that cannot be used.

    Yields:
        A read and its result.
    """
    source.notes.clear()  # they are about earlier reads
    for read in reads:
        try:
            made = make(read)
        except ReadDropped as exc:
            ledger.drop(exc, read_id=read.read_id, source=read.source)
            continue
        yield read, made
    ledger.notes.update(source.notes)


def events_of(source: LabelSource, read: Read, *, may_be_empty: bool = False) -> Events:
    """Return the events of a read that must have a label.

    Args:
        source: The label source.
        read: The read to label.
        may_be_empty: Whether coverage without an event is a label too, as for boundaries: none is there.

    Returns:
        One event or more; with ``may_be_empty`` perhaps only coverage.

    Raises:
        LabelError: The source has no label for the read (``no_label``), or one that does not fit it.
    """
    events = source.events(read)
    if events is None or not (len(events) or (may_be_empty and len(events.coverage))):
        raise LabelError(
            f"{read.where}: no label; if another file has one, give that with --labels_from", reason="no_label"
        )
    return events
