"""Signal files as pieces of work of bearable size, for several processes, and for going on after a kill."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from poreconv.errors import PoreconvError, ReadDropped
from poreconv.reads.read import Read
from poreconv.reads.readers import open_file
from poreconv.runtime.files import size_of
from poreconv.runtime.ledger import Drop, Ledger

JOB_BYTES = 2 << 20
"""Files are grouped up to this size, and a larger file is cut into pieces of about this size: little enough that a
kill loses seconds and that all processes have work, large enough that opening a file doesn't count."""


@dataclass(frozen=True)
class Piece:
    """Some reads of one file, in file order: ``[first, last)``; ``last`` None: to the end."""

    path: Path
    first: int = 0
    last: int | None = None


Job = tuple[Piece, ...]


def plan(files: Sequence[Path]) -> list[Job]:
    """Group small files and cut large ones; the same files give the same jobs."""
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
        return [Piece(path)]  # it fails again, in its turn, where failing is decided on
    step = max(1, n_reads * JOB_BYTES // n_bytes)
    return [Piece(path, first, first + step) for first in range(0, n_reads, step)]


def reads_of(job: Job, ledger: Ledger, *, skip_bad_files: bool) -> Iterator[Read]:
    """Read a job, one read in memory at a time; unusable reads go into the ledger.

    Raises:
        FormatError: A file cannot be opened, unless ``skip_bad_files``.
    """
    for piece in job:
        try:
            yield from _reads_of_piece(piece, ledger)
        except PoreconvError as exc:
            if not skip_bad_files:
                raise
            ledger.bad_files.append(Drop("", str(piece.path), "bad_file", str(exc)))


def _reads_of_piece(piece: Piece, ledger: Ledger) -> Iterator[Read]:
    with open_file(piece.path, ledger) as reader:
        if piece.last is None:
            yield from reader
            return
        for read_id in reader.read_ids[piece.first : piece.last]:
            try:
                yield reader[read_id]
            except ReadDropped as exc:
                ledger.drop(exc, read_id=read_id, source=piece.path)
