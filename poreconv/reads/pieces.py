"""Signal files as jobs of bounded size: work for several processes, and steps from which a killed command resumes."""

import logging
from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

from poreconv.errors import PoreconvError
from poreconv.reads.read import Read
from poreconv.reads.readers import Reader, by_number, open_file
from poreconv.reads.selection import EVERY_READ, NOT_OPENED, Selection
from poreconv.runtime.files import size_of
from poreconv.runtime.ledger import NOT_ASKED, Drop, Ledger

logger = logging.getLogger(__name__)

JOB_BYTES = 2 << 20
"""Files are grouped up to this size, and a larger file is cut into pieces of about this size: small enough that a kill
loses seconds and that every process has work, large enough that the time for opening a file is negligible."""


@dataclass(frozen=True)
class Piece:
    """Some records of one file, in file order: ``[first, last)``; if ``last`` is None, up to the end."""

    path: Path
    first: int = 0
    last: int | None = None
    """If 0, the file is not opened: it comes after the reads that are asked for."""
    not_asked: int = 0
    """Reads of the file that no piece contains."""

    def __str__(self) -> str:
        """Return the file, and which of its reads."""
        return str(self.path) + ("" if self.last is None else f", reads {self.first} to {self.last - 1}")


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
            self._reader = open_file(path, Ledger())  # records are read one by one: what is dropped is raised
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


def plan_jobs(files: Sequence[Path], selection: Selection = EVERY_READ) -> list[Job]:
    """Group small files into jobs and cut large files into several; the same files give the same jobs.

    Args:
        files: Signal files. Only those larger than ``JOB_BYTES`` are opened, and with a limit those up to the last read
            that is asked for; one that cannot be opened becomes one piece, so that its error is raised when that piece
            is read.
        selection: The reads that are asked for; the jobs contain no reads after the last of them.

    Returns:
        Jobs in the order of the files; together they contain every read once.
    """
    jobs: list[Job] = []
    group: list[Piece] = []
    size = 0
    for whole in _up_to_limit(files, selection):
        bytes_here = 0 if whole.last == 0 else size_of(whole.path)
        if group and size + bytes_here > JOB_BYTES:
            jobs.append(tuple(group))
            group, size = [], 0
        if bytes_here > JOB_BYTES:
            jobs.extend((piece,) for piece in _cut(whole, bytes_here))
            continue
        group.append(whole)
        size += bytes_here
    return [*jobs, tuple(group)] if group else jobs


def _up_to_limit(files: Sequence[Path], selection: Selection) -> Iterator[Piece]:
    """Yield each file as one piece, up to the last read that is asked for."""
    left = selection.limit
    for path in files:
        if left is None:
            yield Piece(path)
            continue
        if left == 0:
            yield Piece(path, last=0)
            continue
        read_ids = _ids_in(path)
        used = selection.positions(read_ids, left)
        left -= len(used)
        last = used[-1] + 1 if left == 0 else len(read_ids)
        not_asked = len(read_ids) - last
        yield Piece(path, last=last if not_asked else None, not_asked=not_asked)


def _ids_in(path: Path) -> Sequence[str]:
    """Return the ids of a file's reads; none of a file that cannot be opened, whose error is raised in its turn."""
    try:
        with open_file(path, Ledger()) as reader:
            return reader.read_ids
    except PoreconvError:
        return ()


def _cut(whole: Piece, n_bytes: int) -> list[Piece]:
    try:
        with open_file(whole.path, Ledger()) as reader:
            n_reads = len(reader)
    except PoreconvError:
        return [whole]  # raised again where the job is read: there it is decided whether bad files are skipped
    step, last = max(1, n_reads * JOB_BYTES // n_bytes), n_reads if whole.last is None else whole.last
    pieces = [Piece(whole.path, first, min(first + step, last)) for first in range(0, last, step)]
    return [*pieces[:-1], replace(pieces[-1], not_asked=whole.not_asked)] if pieces else []


def reads_of(
    job: Job,
    ledger: Ledger,
    *,
    skip_bad_files: bool,
    asked: Container[str] | None = None,
    last_file: LastFile | None = None,
) -> Iterator[Read]:
    """Yield the reads of a job, one in memory at a time.

    Args:
        job: Pieces of files, such as `plan_jobs` returns.
        ledger: Receives the unusable reads, the number of those that were not asked for, and the skipped files.
        skip_bad_files: Record a file that cannot be opened in ``ledger.bad_files`` and continue, instead of raising.
        asked: Ids of the reads that are asked for; default: any.
        last_file: Held by a process that reads several jobs, so that a file cut into pieces is not opened for each.
            Default: opened and closed for each piece.

    Raises:
        FormatError: A file cannot be opened, unless ``skip_bad_files``.
    """
    for piece in job:
        if piece.last == 0:
            ledger.notes[NOT_OPENED] += 1
            continue
        try:
            yield from _reads_of_piece(piece, ledger, asked, last_file)
        except PoreconvError as exc:
            if not skip_bad_files:
                raise
            ledger.bad_files.append(Drop("", str(piece.path), "bad_file", str(exc)))
        else:
            ledger.count(NOT_ASKED, piece.not_asked)


def _reads_of_piece(
    piece: Piece, ledger: Ledger, asked: Container[str] | None, last_file: LastFile | None
) -> Iterator[Read]:
    logger.debug("reading %s", piece)
    if piece.last is None:
        with open_file(piece.path, ledger) as reader:
            yield from reader if asked is None else _slice(reader, piece, ledger, asked)
    elif last_file is not None:
        yield from _slice(last_file.open(piece.path), piece, ledger, asked)
    else:
        with LastFile() as own:
            yield from _slice(own.open(piece.path), piece, ledger, asked)


def _slice(reader: Reader, piece: Piece, ledger: Ledger, asked: Container[str] | None) -> Iterator[Read]:
    read_ids = reader.read_ids
    numbers = range(len(read_ids))[piece.first : piece.last]
    used = numbers if asked is None else [number for number in numbers if read_ids[number] in asked]
    ledger.count(NOT_ASKED, len(numbers) - len(used))
    return by_number(reader, used, ledger)
