"""Reading and writing signal files of any format.

To add a format: one module here and one line in ``READERS``, or an installed package; see `INSTALLED`.
"""

import logging
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol, Self, TypeVar

from poreconv.errors import FormatError, ReadDropped
from poreconv.reads.distinct import first_of_each
from poreconv.reads.read import Read
from poreconv.reads.readers._folders import exists_as, files_in
from poreconv.reads.selection import EVERY_READ, NOT_OPENED, Selection
from poreconv.runtime.ledger import NOT_ASKED, Drop, Ledger
from poreconv.runtime.registry import installed, installed_names, lookup

T = TypeVar("T")

logger = logging.getLogger(__name__)

READERS = {
    ".bulk.fast5": "poreconv.reads.readers.bulk_fast5:BulkFast5Reader",
    ".fast5": "poreconv.reads.readers.fast5:Fast5Reader",
    ".pod5": "poreconv.reads.readers.pod5:Pod5Reader",
    ".slow5": "poreconv.reads.readers.slow5:Slow5Reader",
    ".blow5": "poreconv.reads.readers.slow5:Slow5Reader",
}
"""Format -> reader class. A format's name is an ending of its files' names; of formats with one suffix the first in
this order that recognises a file's content reads it."""

INSTALLED = "poreconv.readers"
"""Group of entry points by which installed packages offer readers: suffix -> reader class. It is asked only for
suffixes that the table does not have."""

SUFFIX_OF = {name: Path(f"x{name}").suffix for name in READERS}
"""Format -> the suffix of its files."""

HEAD_BYTES = 64
"""Bytes at the beginning of a file by which its format is recognised."""

MAX_OPEN = 8
"""Largest number of files kept open for random access."""

KINDS = {
    b"\x89HDF\r\n\x1a\n": "HDF5",
    b"\x8bPOD\r\n\x1a\n": "POD5",
    b"BLOW5\x01": "BLOW5",
    b"#slow5_version": "SLOW5 text",
    b"version https://git-lfs": "a Git LFS pointer; fetch the file itself with git lfs pull",
    b"\x1f\x8b": "gzip or BAM; unpack it first",
    b"PK\x03\x04": "a zip archive; unpack it first",
}
"""First bytes of a file -> what it is, for messages."""


class Reader(Protocol):
    """One open signal file; a context manager. A reader class is called with ``(path, ledger)``."""

    path: Path
    write: Callable[[Path, Iterable[Read]], None] | None
    """Static method that writes reads into one file, one in memory at a time, and replaces the file if it exists; None
    if no library writes the format. Call it through `write_reads`.

    Raises FormatError: reads that could not be read back unchanged."""

    @staticmethod
    def recognises(path: Path, head: bytes) -> bool:
        """Return whether a file can be of this format; False for one that cannot be read.

        Args:
            path: The file.
            head: Its first 64 bytes.
        """
        ...

    @property
    def read_ids(self) -> Sequence[str]:
        """The id of each record, in file order; an id that stands twice is listed twice."""
        ...

    def __len__(self) -> int:
        """Return the number of records."""
        ...

    def __iter__(self) -> Iterator[Read]:
        """Yield the reads in file order, one in memory at a time; unusable ones go into the ledger."""
        ...

    def __getitem__(self, read_id: str) -> Read:
        """Return one read; of several records with one id, the first.

        Raises:
            KeyError: The file contains no read of this id.
            ReadDropped: The read is unusable.
        """
        ...

    def record(self, number: int) -> Read:
        """Return the read of one record.

        Args:
            number: Place of the record in ``read_ids``.

        Raises:
            ReadDropped: The read is unusable.
        """
        ...

    def __enter__(self) -> Self:
        """Return the reader."""
        ...

    def __exit__(self, *exc: object) -> None:
        """Close the file."""
        ...


def find_files(paths: Path | str | Sequence[Path | str]) -> list[Path]:
    """Find signal files.

    Args:
        paths: One or several: files, which must be of a known format by suffix or content, and folders, which are
            searched with their subfolders; in folders, hidden files and files with other suffixes are ignored. Links to
            folders are followed, each folder once.

    Returns:
        Files in the order given, those of a folder sorted.

    Raises:
        FormatError: A path does not exist, a file has no known format, a folder cannot be listed or contains no signal
            file.
    """
    found: list[Path] = []
    known = {*SUFFIX_OF.values(), *installed_names(INSTALLED)}
    for path in map(Path, [paths] if isinstance(paths, Path | str) else paths):
        if not exists_as(path, Path.is_dir):
            if path.suffix.lower() not in known or not exists_as(path, Path.is_file):
                format_of(path)
            found.append(path)
        elif files := files_in(path, known):
            found.extend(files)
        else:
            raise FormatError(f"{path}: no signal file in this folder; poreconv reads {_suffixes()}")
    if unnamed := next((path for path in found if not is_text(str(path))), None):
        raise FormatError(f"{str(unnamed)!a}: its name is not UTF-8, as outputs need it; rename the file")
    return found


def is_text(name: str) -> bool:
    """Return whether a name can be written as UTF-8; those of files may be any bytes.

    Args:
        name: The name.
    """
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def open_file(path: Path, ledger: Ledger) -> Reader:
    """Open one signal file.

    Args:
        path: The file. Its content determines the format, and must agree with its suffix if that is a known one.
        ledger: Receives the unusable reads.

    Raises:
        FormatError: The file is missing or damaged, or its content does not agree with its suffix.
    """
    reader: Reader = _reader_class(format_of(path))(path, ledger)
    return reader


def _reader_class(name: str) -> Any:
    return lookup(READERS, name, kind="signal format") if name in READERS else installed(INSTALLED, name)


def format_of(path: Path) -> str:
    """Recognise a file's format by its content.

    Args:
        path: The file.

    Returns:
        A key of ``READERS``, or the suffix of an installed reader.

    Raises:
        FormatError: The file cannot be read, or has no known format, or another one than its suffix.
    """
    head = _head(path)
    suffix = path.suffix.lower()
    of_suffix = [name for name in READERS if SUFFIX_OF[name] == suffix]
    if not of_suffix and suffix in installed_names(INSTALLED):
        of_suffix = [suffix]
    for candidate in of_suffix or READERS:
        if _reader_class(candidate).recognises(path, head):
            return candidate
    problem = f"its content is not {suffix[1:]}" if of_suffix else f"not a signal file ({_suffixes()})"
    raise FormatError(f"{path}: {problem}; it looks like {_looks_like(head)}")


def by_number(reader: Reader, numbers: Iterable[int], ledger: Ledger) -> Iterator[Read]:
    """Yield the reads of some records of a file, one in memory at a time.

    Args:
        reader: The open file.
        numbers: Places of the records in ``reader.read_ids``.
        ledger: Receives the unusable ones.
    """
    read_ids = reader.read_ids
    for number in numbers:
        try:
            yield reader.record(number)
        except ReadDropped as exc:
            ledger.drop(exc, read_id=read_ids[number], source=reader.path)


def open_reads(
    paths: Path | str | Sequence[Path | str],
    *,
    ledger: Ledger | None = None,
    skip_bad_files: bool = False,
    selection: Selection = EVERY_READ,
) -> "ReadStream":
    """Open signal files as one stream of reads.

    Args:
        paths: A file, a folder, or several; see `find_files`.
        ledger: Receives the dropped reads and the skipped files. Default: a new one, `ReadStream.ledger`.
        skip_bad_files: Record a file that cannot be read in ``ledger.bad_files`` and continue, instead of raising.
        selection: The reads that are asked for; default: all.

    Raises:
        FormatError: See `find_files`.

    Example:
        >>> with open_reads("run_folder") as reads:
        ...     for read in reads:
        ...         print(read.read_id, len(read.adc))
    """
    found = find_files(paths)
    ledger = Ledger() if ledger is None else ledger
    return ReadStream(found, ledger, skip_bad_files=skip_bad_files, selection=selection)


class ReadStream:
    """The reads of several files, in order, as one stream; a context manager. Made by `open_reads`.

    Iteration has one file open and one read in memory at a time. Each iteration adds its drops to the ledger; the
    caller counts the reads that are kept. Creating the stream opens no file.

    Args:
        files: Signal files.
        ledger: Receives the dropped reads and the skipped files.
        skip_bad_files: Skip a file that cannot be read, instead of raising.
        selection: The reads that are asked for; files after the last of them are not opened.
    """

    def __init__(
        self,
        files: Sequence[Path],
        ledger: Ledger,
        *,
        skip_bad_files: bool = False,
        selection: Selection = EVERY_READ,
    ) -> None:
        self.files = list(files)
        self.ledger = ledger
        self._skip_bad_files, self._selection = skip_bad_files, selection
        self._bad: set[Path] = set()
        self._open: OrderedDict[Path, Reader] = OrderedDict()

    def __iter__(self) -> Iterator[Read]:
        """Yield the usable reads, file by file, each id once; see `poreconv.reads.distinct`.

        Raises:
            FormatError: A file cannot be read, unless such files are skipped.
        """

        def usable(reader: Reader, used: list[int] | None) -> Iterable[Read]:
            return reader if used is None else by_number(reader, used, self.ledger)

        yield from first_of_each(self._in_each_file(usable, self.ledger), self.ledger)

    def _in_each_file(self, take: Callable[[Reader, list[int] | None], Iterable[T]], ledger: Ledger) -> Iterator[T]:
        """Yield what ``take`` returns for each file and those of its records that are asked for; None: all."""
        left = self._selection.limit
        for path in self._good_files():
            if left == 0:
                ledger.notes[NOT_OPENED] += 1
                continue
            logger.debug("reading %s", path)
            try:
                with open_file(path, ledger) as reader:
                    used = None if self._selection == EVERY_READ else self._used(reader, left, ledger)
                    left = None if left is None or used is None else left - len(used)
                    yield from take(reader, used)
            except FormatError as error:
                self._skip(path, error)

    def _used(self, reader: Reader, left: int | None, ledger: Ledger) -> list[int]:
        read_ids = reader.read_ids
        used = self._selection.positions(read_ids, left)
        ledger.count(NOT_ASKED, len(read_ids) - len(used))
        return used

    def __len__(self) -> int:
        """Return the number of different read ids, usable or not; opens every file once."""
        return len(self._file_of)

    @property
    def read_ids(self) -> list[str]:
        """Different ids, in order; asking for them opens every file once."""
        return list(self._file_of)

    def __getitem__(self, read_id: str) -> Read:
        """Return one read; of several reads with one id, the first.

        Raises:
            KeyError: No file contains a read of this id.
            ReadDropped: The read is unusable.
        """
        if read_id not in self._file_of:
            raise KeyError(f"no read {read_id} in {len(self.files)} files")
        return self._kept_open(self._file_of[read_id])[read_id]

    def close(self) -> None:
        """Close the files that random access has opened."""
        while self._open:
            self._open.popitem()[1].__exit__(None, None, None)

    def __enter__(self) -> Self:
        """Return the stream."""
        return self

    def __exit__(self, *exc: object) -> None:
        """Close all files."""
        self.close()

    @cached_property
    def _file_of(self) -> dict[str, Path]:
        """Read id -> the first file that contains it."""

        def entries(reader: Reader, used: list[int] | None) -> Iterator[tuple[str, Path]]:
            read_ids = reader.read_ids
            return ((read_ids[i], reader.path) for i in (range(len(read_ids)) if used is None else used))

        index: dict[str, Path] = {}
        for read_id, path in self._in_each_file(entries, Ledger()):
            index.setdefault(read_id, path)
        return index

    def _good_files(self) -> Iterator[Path]:
        return (path for path in self.files if path not in self._bad)

    def _skip(self, path: Path, error: FormatError) -> None:
        if not self._skip_bad_files:
            raise error
        self._bad.add(path)
        self.ledger.bad_files.append(Drop("", str(path), "bad_file", str(error)))

    def _kept_open(self, path: Path) -> Reader:
        if path not in self._open:
            if len(self._open) >= MAX_OPEN:
                self._open.popitem(last=False)[1].__exit__(None, None, None)
            self._open[path] = open_file(path, self.ledger)
        self._open.move_to_end(path)
        return self._open[path]


def _suffixes() -> str:
    return ", ".join(dict.fromkeys([*SUFFIX_OF.values(), *installed_names(INSTALLED)]))


def _head(path: Path) -> bytes:
    if exists_as(path, Path.exists) and not exists_as(path, Path.is_file):
        raise FormatError(f"{path}: a folder, pipe or device, which cannot be read as a signal file; give a file")
    try:
        with path.open("rb") as stream:
            return stream.read(HEAD_BYTES)
    except FileNotFoundError as exc:
        raise FormatError(f"{path}: no such file or folder; check the path") from exc
    except OSError as exc:
        raise FormatError(f"{path}: cannot be read ({exc.strerror}); check its permissions and its disk") from exc


def _looks_like(head: bytes) -> str:
    if not head:
        return "an empty file"
    for signature, name in KINDS.items():
        if head.startswith(signature):
            return name
    printable = sum(32 <= byte < 127 or byte in b"\t\r\n" for byte in head)
    return "text" if printable > 0.9 * len(head) else "an unknown format"
