"""Signal files as pieces of work of bearable size, for several processes, and for going on after a kill."""

import multiprocessing
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path

from poreconv.errors import PoreconvError, ReadDropped
from poreconv.ledger import Drop, Ledger
from poreconv.read import Read
from poreconv.readers import open_file

JOB_BYTES = 32 << 20
"""Files are grouped up to this size; a larger file is cut."""

JOB_READS = 500
"""Reads of a large file per piece."""


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
        bytes_here = path.stat().st_size
        if bytes_here > JOB_BYTES:
            jobs.extend((piece,) for piece in _cut(path))
            continue
        if group and size + bytes_here > JOB_BYTES:
            jobs.append(tuple(group))
            group, size = [], 0
        group.append(Piece(path))
        size += bytes_here
    return [*jobs, tuple(group)] if group else jobs


def _cut(path: Path) -> list[Piece]:
    try:
        with open_file(path, Ledger()) as reader:
            n_reads = len(reader)
    except PoreconvError:
        return [Piece(path)]  # it fails again, in its turn, where failing is decided on
    return [Piece(path, first, first + JOB_READS) for first in range(0, n_reads, JOB_READS)]


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


def run_all(work: Callable[[int], object], numbers: Sequence[int], workers: int) -> Iterator[int]:
    """Do pieces of work in processes of their own; gives each one's number when it is done.

    Args:
        work: Called with a number; it must pickle. With one worker, or one piece, it runs in this process.
        numbers: The pieces.
        workers: Processes; 0: one per core.
    """
    workers = min(workers or len(os.sched_getaffinity(0)), len(numbers))
    if workers <= 1:
        for number in numbers:
            work(number)
            yield number
        return
    with ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("spawn")) as pool:
        pending: dict[Future[object], int] = {pool.submit(work, number): number for number in numbers}
        try:
            yield from _as_done(pending)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _as_done(pending: dict[Future[object], int]) -> Iterator[int]:
    while pending:
        done, _ = wait(pending, return_when=FIRST_COMPLETED)
        for future in done:
            future.result()
            yield pending.pop(future)
