"""Signal files in, reads out. Adding a format: one file here, one line in ``READERS``."""

from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import Protocol, Self

from poreconv.errors import ConfigError, FormatError, ReadDropped
from poreconv.reads.read import Read
from poreconv.runtime.files import whole_file
from poreconv.runtime.ledger import Drop, Ledger
from poreconv.runtime.registry import lookup

READERS = {
    ".bulk.fast5": "poreconv.reads.readers.bulk_fast5:BulkFast5Reader",
    ".fast5": "poreconv.reads.readers.fast5:Fast5Reader",
    ".pod5": "poreconv.reads.readers.pod5:Pod5Reader",
    ".slow5": "poreconv.reads.readers.slow5:Slow5Reader",
    ".blow5": "poreconv.reads.readers.slow5:Slow5Reader",
}
"""Format -> reader. A format is called as its files may end; those of one suffix are told apart by content, and tried
in this order."""

SUFFIX_OF = {name: Path(f"x{name}").suffix for name in READERS}
"""Format -> the suffix that its files have."""

HEAD_BYTES = 64
"""How much of a file tells its format."""

MAX_OPEN = 8
"""Files kept open for random access."""

LOOKS = {
    b"\x89HDF\r\n\x1a\n": "HDF5",
    b"\x8bPOD\r\n\x1a\n": "POD5",
    b"BLOW5\x01": "BLOW5",
    b"#slow5_version": "SLOW5 text",
    b"version https://git-lfs": "a Git LFS pointer; fetch the file itself with git lfs pull",
    b"\x1f\x8b": "gzip or BAM; unpack it first",
    b"PK\x03\x04": "a zip archive; unpack it first",
}
"""What files begin with -> what they are, for messages."""


class Reader(Protocol):
    """One open signal file; a context manager. Made as ``SomeReader(path, ledger)``."""

    path: Path
    write: Callable[[Path, Iterable[Read]], None] | None
    """Writes reads into one file, one in memory at a time, and replaces the file if it exists; a static method. None
    where no library writes the format. Called through `write_reads`.

    Raises FormatError: reads that would not come back as they are."""

    @staticmethod
    def recognises(path: Path, head: bytes) -> bool:
        """Whether a file that begins with ``head`` (its first 64 bytes) can be of this format.

        What cannot be read is not of this format: an error that says why is the business of the last one tried.
        """
        ...

    @property
    def read_ids(self) -> list[str]:
        """Ids in file order."""
        ...

    def __len__(self) -> int:
        """Number of reads."""
        ...

    def __iter__(self) -> Iterator[Read]:
        """Reads in file order, one at a time in memory; unusable ones go into the ledger."""
        ...

    def __getitem__(self, read_id: str) -> Read:
        """One read.

        Raises:
            KeyError: The file has no such read.
            ReadDropped: It has, and the read is unusable.
        """
        ...

    def __enter__(self) -> Self:
        """The open reader."""
        ...

    def __exit__(self, *exc: object) -> None:
        """Close the file."""
        ...


def find_files(paths: Sequence[Path | str]) -> list[Path]:
    """Find signal files.

    Args:
        paths: Files, which must be of a known format by suffix or content, and folders, which are searched with all
            that is in them; files with other suffixes are passed over there, and so are hidden ones.

    Returns:
        Files in the order given, those of a folder sorted.

    Raises:
        FormatError: A path that doesn't exist, a file of no known format, a folder without a signal file.
    """
    found: list[Path] = []
    for path in map(Path, paths):
        if path.is_dir():
            found.extend(_files_in(path))
        else:
            if path.suffix.lower() not in SUFFIX_OF.values() or not path.exists():
                format_of(path)
            found.append(path)
    return found


def open_file(path: Path, ledger: Ledger) -> Reader:
    """Open one signal file.

    Args:
        path: The file; its content decides, and must agree with a known suffix.
        ledger: Takes the reads that cannot be used.

    Raises:
        FormatError: It is missing, damaged, or not what its name says.
    """
    reader: Reader = lookup(READERS, format_of(path), kind="signal format")(path, ledger)
    return reader


def format_of(path: Path) -> str:
    """Tell a file's format by its content; a key of ``READERS``.

    Raises:
        FormatError: The file cannot be read, or is of no known format, or not of the one that its suffix names.
    """
    head = _head(path)
    suffix = path.suffix.lower()
    of_suffix = [name for name in READERS if SUFFIX_OF[name] == suffix]
    for candidate in of_suffix or READERS:
        if lookup(READERS, candidate, kind="signal format").recognises(path, head):
            return candidate
    named = f"not what {suffix} says" if of_suffix else f"no signal file ({_suffixes()})"
    raise FormatError(f"{path}: {named}; it looks like {_looks_like(head)}")


def write_reads(path: Path, reads: Iterable[Read]) -> None:
    """Write reads into one signal file, in the format that its name ends with.

    Args:
        path: The file, whole or not at all; replaced if it exists.
        reads: At least one sample each; ids differ. Taken one by one.

    Raises:
        ConfigError: The name ends with no format that can be written.
        FormatError: Reads that the format cannot hold.
    """
    name = next((name for name in READERS if path.name.lower().endswith(name)), "")
    write = lookup(READERS, name, kind="signal format").write if name else None
    if write is None:
        raise ConfigError(f"{path}: no format that can be written; end the name in {', '.join(writable())}")
    with whole_file(path, partial_suffix=f".partial{name}") as partial:
        write(partial, reads)


def writable() -> list[str]:
    """The formats that `write_reads` writes."""
    return [name for name in READERS if lookup(READERS, name, kind="signal format").write is not None]


def open_reads(
    paths: Path | str | Sequence[Path | str], *, ledger: Ledger | None = None, skip_bad_files: bool = False
) -> "ReadStream":
    """Open signal files as one stream of reads.

    Args:
        paths: A file, a folder, or several; see `find_files`.
        ledger: Takes the reads that are dropped, and the files that are passed over.
        skip_bad_files: Note a file that cannot be read in ``ledger.bad_files`` and go on, instead of raising.

    Raises:
        FormatError: See `find_files`.

    Example:
        >>> with open_reads("run_folder") as reads:
        ...     for read in reads:
        ...         print(read.read_id, len(read.adc))
    """
    several = [paths] if isinstance(paths, Path | str) else paths
    return ReadStream(find_files(several), Ledger() if ledger is None else ledger, skip_bad_files=skip_bad_files)


class ReadStream:
    """The reads of several files, in order, as one; a context manager. Made by `open_reads`.

    Iterating has one file open at a time and one read in memory. Each pass counts its drops into the ledger; what is
    kept, the caller counts.

    Args:
        files: Signal files.
        ledger: Takes dropped reads and passed-over files.
        skip_bad_files: Pass over a file that cannot be read.
    """

    def __init__(self, files: Sequence[Path], ledger: Ledger, *, skip_bad_files: bool = False) -> None:
        """Open nothing yet."""
        self.files = list(files)
        self.ledger = ledger
        self._skip_bad_files = skip_bad_files
        self._bad: set[Path] = set()
        self._open: OrderedDict[Path, Reader] = OrderedDict()

    def __iter__(self) -> Iterator[Read]:
        """Usable reads, file by file.

        Raises:
            FormatError: A bad file, unless these are passed over.
        """
        seen: set[str] = set()
        for path in self._good_files():
            try:
                with open_file(path, self.ledger) as reader:
                    yield from self._first_of_each(reader, seen)
            except FormatError as error:
                self._pass_over(path, error)

    def __len__(self) -> int:
        """Number of different read ids, usable or not; opens every file once."""
        return len(self._file_of)

    @property
    def read_ids(self) -> list[str]:
        """Different ids, in order; opens every file once."""
        return list(self._file_of)

    def __getitem__(self, read_id: str) -> Read:
        """One read; of several with one id, the first.

        Raises:
            KeyError: There is no such read.
            ReadDropped: There is, and it is unusable.
        """
        if read_id not in self._file_of:
            raise KeyError(f"no read {read_id} in {len(self.files)} files")
        return self._kept_open(self._file_of[read_id])[read_id]

    def close(self) -> None:
        """Close the files that random access keeps open."""
        while self._open:
            self._open.popitem()[1].__exit__(None, None, None)

    def __enter__(self) -> Self:
        """The stream."""
        return self

    def __exit__(self, *exc: object) -> None:
        """Close all files."""
        self.close()

    @cached_property
    def _file_of(self) -> dict[str, Path]:
        """Read id -> the first file that has it."""
        index: dict[str, Path] = {}
        for path in self._good_files():
            try:
                with open_file(path, Ledger()) as reader:
                    for read_id in reader.read_ids:
                        index.setdefault(read_id, path)
            except FormatError as error:
                self._pass_over(path, error)
        return index

    def _first_of_each(self, reader: Reader, seen: set[str]) -> Iterator[Read]:
        for read in reader:
            if read.read_id in seen:
                error = ReadDropped(f"{read.where}: its id was met before; give each read once", reason="duplicate")
                self.ledger.drop(error, read_id=read.read_id, source=read.source)
                continue
            seen.add(read.read_id)
            yield read

    def _good_files(self) -> Iterator[Path]:
        return (path for path in self.files if path not in self._bad)

    def _pass_over(self, path: Path, error: FormatError) -> None:
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
    return ", ".join(dict.fromkeys(SUFFIX_OF.values()))


def _files_in(folder: Path) -> list[Path]:
    visible = (p for p in folder.rglob("*") if not any(part.startswith(".") for part in p.relative_to(folder).parts))
    found = sorted(p for p in visible if p.suffix.lower() in SUFFIX_OF.values() and not p.is_dir())
    if not found:
        raise FormatError(f"{folder}: no signal file in this folder; poreconv reads {_suffixes()}")
    return found


def _head(path: Path) -> bytes:
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
    for signature, name in LOOKS.items():
        if head.startswith(signature):
            return name
    printable = sum(32 <= byte < 127 or byte in b"\t\r\n" for byte in head)
    return "text" if printable > 0.9 * len(head) else "nothing that poreconv knows"
