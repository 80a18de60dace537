"""Label sources by name: opened, given their files, asked read by read."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any, TypeVar

from poreconv.config import SourceConfig, require
from poreconv.errors import LabelError, ReadDropped
from poreconv.events.events import Events
from poreconv.labels.combining import Agreement, FirstThatAnswers, WhereAllAgree
from poreconv.labels.sources import LABEL_SOURCES, OF_PATHS, LabelSource
from poreconv.reads.read import Read
from poreconv.runtime.files import fingerprint
from poreconv.runtime.ledger import Ledger
from poreconv.runtime.registry import lookup

T = TypeVar("T")


Assigned = tuple[tuple[str, tuple[Path, ...]], ...]
"""Label sources in order of preference, each with its files."""


def open_labels(name: str, files: Sequence[Path], config: SourceConfig) -> LabelSource:
    """Make a label source by name.

    Raises:
        ConfigError: No such source; or files given to one that reads the reads' own files, or none to one that needs
            them; or a file that is not there.
        FormatError: A file that is no table of this source.
    """
    made = lookup(LABEL_SOURCES, name, kind="label source")
    require(not (made.in_file and files), f"labels {name}: stand in the reads' own files; leave out --labels_from")
    require(made.in_file or len(files) > 0, f"labels {name}: no file; give it with --labels_from")
    for path in files:
        require(name in OF_PATHS or path.is_file(), f"{path}: no such file; give the labels' file with --labels_from")
    source: LabelSource = made(files, config)
    return source


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


@contextmanager
def opened(assigned: Assigned, config: SourceConfig, agreement: Agreement | None = None) -> Iterator[LabelSource]:
    """Open one label source, or several as one; they are closed afterwards.

    Args:
        assigned: The sources and their files.
        config: How they are read.
        agreement: Of several, only what all agree on counts; default: the first that has a label for a read.

    Raises:
        ConfigError: See `open_labels` and `WhereAllAgree`.
        FormatError: A file that is no table of its source.
    """
    with ExitStack() as stack:
        sources = {name: stack.enter_context(closing(open_labels(name, files, config))) for name, files in assigned}
        yield _joined(sources, agreement)


def _joined(sources: dict[str, LabelSource], agreement: Agreement | None) -> LabelSource:
    if agreement is not None:
        return WhereAllAgree(sources, agreement)
    return FirstThatAnswers(sources) if len(sources) > 1 else next(iter(sources.values()))


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
