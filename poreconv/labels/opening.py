"""Open label sources by name with their files, and take the events of each read from them."""

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

SourceFiles = tuple[tuple[str, tuple[Path, ...]], ...]
"""Names of label sources in order of preference, each with its files."""


def open_labels(name: str, files: Sequence[Path], config: SourceConfig) -> LabelSource:
    """Open a label source by name.

    Args:
        name: Name in ``LABEL_SOURCES``.
        files: Its label files; none for a source whose labels are stored in the reads' own files.
        config: Settings of all sources.

    Returns:
        The source; the caller closes it.

    Raises:
        ConfigError: There is no such source; files are given to one that uses the reads' own files, or none to one
            that needs them; or a file does not exist.
        FormatError: A file is not in the format of this source.
    """
    factory = lookup(LABEL_SOURCES, name, kind="label source")
    require(
        not (factory.in_file and files), f"labels {name}: are stored in the reads' own files; leave out --labels_from"
    )
    require(factory.in_file or len(files) > 0, f"labels {name}: need a file; give it with --labels_from")
    for path in files:
        require(name in OF_PATHS or path.is_file(), f"{path}: no such file; give the file of labels with --labels_from")
    source: LabelSource = factory(files, config)
    return source


def assign_files(names: Sequence[str], given: Sequence[Path | str]) -> SourceFiles:
    """Assign each file to the label source that it is for.

    Args:
        names: Names in ``LABEL_SOURCES``, in order of preference.
        given: Their files: ``FILE`` if at most one of the sources needs files, else ``NAME=FILE``.

    Returns:
        The sources in the order of ``names``, each with its files in the order given.

    Raises:
        ConfigError: There is no such source, a source is named twice or none is named, or a file does not name its
            source where several sources need files.
    """
    files: dict[str, list[Path]] = {name: [] for name in names}
    require(len(names) == len(files) > 0, f"labels {', '.join(names)}: name each source once, and at least one")
    readers = [name for name in files if not lookup(LABEL_SOURCES, name, kind="label source").in_file] or list(files)
    for text in map(str, given):
        name, equals, path = text.partition("=")
        named = bool(equals) and name in files
        require(
            named or len(readers) == 1,
            f"--labels_from {text}: several sources need files; name the source, as in {readers[0]}={text}",
        )
        files[name if named else readers[0]].append(Path(path if named else text))
    return tuple((name, tuple(paths)) for name, paths in files.items())


@contextmanager
def opened(
    source_files: SourceFiles, config: SourceConfig, agreement: Agreement | None = None
) -> Iterator[LabelSource]:
    """Open one label source, or several combined into one, and close them at the end of the ``with`` block.

    Args:
        source_files: The sources, in order of preference, and their files.
        config: Settings of the sources.
        agreement: Condition under which several sources agree: only what all agree on is covered. Default: each read
            is labelled by the first source that has a label for it.

    Raises:
        ConfigError: See `open_labels` and `WhereAllAgree`.
        FormatError: A file is not in the format of its source.
    """
    with ExitStack() as stack:
        sources = {name: stack.enter_context(closing(open_labels(name, files, config))) for name, files in source_files}
        yield _joined(sources, agreement)


def _joined(sources: dict[str, LabelSource], agreement: Agreement | None) -> LabelSource:
    if agreement is not None:
        return WhereAllAgree(sources, agreement)
    return FirstThatAnswers(sources) if len(sources) > 1 else next(iter(sources.values()))


def label_files(source_files: SourceFiles) -> list[Path]:
    """Return the files of all label sources.

    Args:
        source_files: The sources and their files.
    """
    return [path for _, files in source_files for path in files]


def fingerprints(source_files: SourceFiles) -> list[list[Any]]:
    """Describe label sources and their files, so that a resumed command can check that they are unchanged.

    Args:
        source_files: The sources and their files.

    Returns:
        Name and file fingerprint of each source, as JSON types.
    """
    return [[name, fingerprint(list(files))] for name, files in source_files]


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


def events_of(source: LabelSource, read: Read) -> Events:
    """Return the events of a read that must have a label.

    Args:
        source: The label source.
        read: The read to label.

    Returns:
        One event or more.

    Raises:
        LabelError: The source has no label for the read (``no_label``), or one that does not fit it.
    """
    events = source.events(read)
    if events is None or not len(events):
        raise LabelError(
            f"{read.where}: no label; give the file that contains it with --labels_from", reason="no_label"
        )
    return events
