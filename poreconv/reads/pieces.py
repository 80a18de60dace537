"""Signal files as jobs of bounded size: work for several processes, and steps from which a killed command resumes."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from poreconv.errors import PoreconvError, ReadDropped
from poreconv.reads.read import Read
from poreconv.reads.readers import Reader, open_file
from poreconv.runtime.files import size_of
from poreconv.runtime.ledger import Drop, Ledger

JOB_BYTES = 2 << 20
"""Files are grouped up to this size, and a larger file is cut into pieces of about this size: small enough that a kill
loses seconds and that every process has work, large enough that the time for opening a file is negligible."""


@dataclass(frozen=True)
class Piece:
    """Some reads of one file, in file order: ``[first, last)``; if ``last`` is None, up to the end."""

    path: Path
    first: int = 0
    last: int | None = None


Job = tuple[Piece, ...]


class LastFile:
    """The signal file that was opened last, kept open for its next piece; a context manager.

    A reader indexes the reads of its file when it is opened. Without this, each piece of a large file would do so
    again: for a BLOW5 of 8,000 reads (260 MB) indexing takes 80 ms, and reading one of its 125 pieces 20 ms.
    """

    def __init__(self) -> None:
        self._reader: Reader | None = None

    def open(self, path: Path) -> Reader:
        """Return the open file, after closing another one that was opened before.

        Args:
            path: A signal file.

        Raises:
            FormatError: See `open_file`.
        """
        if self._reader is None or self._reader.path != path:
            self.close()
            self._reader = open_file(path, Ledger())  # reads are taken by id: what is dropped is raised
        return self._reader

    def close(self) -> None:
        """Close the file, if one is open."""
        reader, self._reader = self._reader, None
        if reader is not None:
            reader.__exit__(None, None, None)

    def __enter__(self) -> Self:
        """Return the object itself."""
        return self

    def __exit__(self, *exc: object) -> None:
        """Close the file."""
        self.close()


def plan_jobs(files: Sequence[Path]) -> list[Job]:
    """Group small files into jobs and cut large files into several; the same files give the same jobs.

    Args:
        files: Signal files. Only those larger than ``JOB_BYTES`` are opened; one that cannot be opened becomes one
            piece, so that its error is raised when that piece is read.

    Returns:
        Jobs in the order of the files; together they contain every read once.
    """
    jobs: list[Job] = []
    group: list[Piece] = []
    size = 0
    for path in files:
        bytes_here = size_of(path)
        if group and size + bytes_here > JOB_BYTES:
            jobs.append(tuple(group))
            group, size = [], 0
        if bytes_here > JOB_BYTES:
            jobs.extend((piece,) for piece in _cut(path, bytes_here))
            continue
        group.append(Piece(path))
        size += bytes_here
    return [*jobs, tuple(group)] if group else jobs


def _cut(path: Path, n_bytes: int) -> list[Piece]:
    try:
        with open_file(path, Ledger()) as reader:
            n_reads = len(reader)
    except PoreconvError:
        return [Piece(path)]  # raised again where the job is read: there it is decided whether bad files are skipped
    step = max(1, n_reads * JOB_BYTES // n_bytes)
    return [Piece(path, first, first + step) for first in range(0, n_reads, step)]


def reads_of(job: Job, ledger: Ledger, *, skip_bad_files: bool, last_file: LastFile | None = None) -> Iterator[Read]:
    """Yield the reads of a job, one in memory at a time.

    Args:
        job: Pieces of files, such as `plan_jobs` returns.
        ledger: Receives the unusable reads and the skipped files.
        skip_bad_files: Record a file that cannot be opened in ``ledger.bad_files`` and continue, instead of raising.
        last_file: Held by a process that reads several jobs, so that a file cut into pieces is not opened for each.
            Default: opened and closed for each piece.

    Raises:
        FormatError: A file cannot be opened, unless ``skip_bad_files``.
    """
    for piece in job:
        try:
            yield from _reads_of_piece(piece, ledger, last_file)
        except PoreconvError as exc:
            if not skip_bad_files:
                raise
            ledger.bad_files.append(Drop("", str(piece.path), "bad_file", str(exc)))


def _reads_of_piece(piece: Piece, ledger: Ledger, last_file: LastFile | None) -> Iterator[Read]:
    if piece.last is None:
        with open_file(piece.path, ledger) as reader:
            yield from reader
    elif last_file is not None:
        yield from _slice(last_file.open(piece.path), piece, ledger)
    else:
        with LastFile() as own:
            yield from _slice(own.open(piece.path), piece, ledger)


def _slice(reader: Reader, piece: Piece, ledger: Ledger) -> Iterator[Read]:
    for read_id in reader.read_ids[piece.first : piece.last]:
        try:
            yield reader[read_id]
        except ReadDropped as exc:
            ledger.drop(exc, read_id=read_id, source=piece.path)
