"""Where jobs are done: in this process, in several of this machine, or in those of a Dask cluster."""

import multiprocessing
import os
import threading
import warnings
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from itertools import islice
from queue import Empty, SimpleQueue
from typing import Any, Generic, TypeVar

from poreconv.config import WorkConfig
from poreconv.errors import WorkerError

T = TypeVar("T")

HANDED_OVER = 1000
"""Jobs that an executor holds at a time: work for hundreds of cores, and no burden, however many there are in all."""

PATIENCE_S = 10
"""How long a scheduler may take to answer, or be without workers."""

Opening = Callable[[], AbstractContextManager[Callable[[T], object]]]
"""Opens what a process needs for its jobs, such as a model or tables of labels, and gives what does one job."""

Attended = Callable[[T], list[Warning]]
"""Does a job in another process and returns its warnings: they are for whoever started the command."""


def run_all(
    opening: Opening[T], jobs: Sequence[T], where: WorkConfig, *, here: Callable[[T], object] | None = None
) -> Iterator[T]:
    """Do jobs; yields each one when it is done.

    Args:
        opening: Called in each process before its first job; it and the jobs must pickle. With one worker, or one job,
            all is done in this process.
        jobs: What is to be done.
        where: In which processes. On a Dask cluster, what a worker had to do that dies is done by others, so that a job
            may be done twice.
        here: What ``opening`` gives, where this process has opened it already.

    Raises:
        ConfigError: Dask is not installed.
        WorkerError: A process died; or the cluster doesn't answer, has no workers, or others than this command needs.
    """
    n_processes = min(where.workers or cores(), len(jobs))
    if where.scheduler is not None and jobs:
        from poreconv.runtime._cluster import on_cluster  # Dask, an extra

        with on_cluster(where.scheduler, opening, PATIENCE_S) as (pool, work, check):
            yield from _as_done(pool, work, jobs, check)
    elif n_processes > 1:
        with _processes(n_processes, opening) as pool:
            yield from _as_done(pool, _do_here, jobs, lambda: None)
    else:
        with nullcontext(here) if here is not None else opening() as work:
            for job in jobs:
                work(job)
                yield job


@contextmanager
def as_is(work: Callable[[T], object]) -> Iterator[Callable[[T], object]]:
    """Give what does a job and needs nothing opened: ``partial(as_is, work)`` is an opening of it."""
    yield work


def cores() -> int:
    """Cores that this process may use; where the system doesn't know, as macOS, all that there are."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class Station(Generic[T]):
    """What does jobs in one process: opened with the first one, closed with `close`.

    Args:
        opening: See `run_all`.
    """

    def __init__(self, opening: Opening[T]) -> None:
        self._opening, self._opened = opening, ExitStack()
        self._work: Callable[[T], object] | None = None

    def __call__(self, job: T) -> list[Warning]:
        """Do a job; returns its warnings."""
        with warnings.catch_warnings(record=True) as caught:
            if self._work is None:
                self._work = self._opened.enter_context(self._opening())
            self._work(job)
        return [one.message for one in caught if isinstance(one.message, Warning)]

    def close(self) -> None:
        """Close what was opened."""
        self._opened.close()


def _as_done(pool: Executor, work: Attended[T], jobs: Sequence[T], check: Callable[[], None]) -> Iterator[T]:
    """Jobs as they are done; while none is, ``check`` is called now and then."""
    waiting, finished, warned = iter(jobs), SimpleQueue[Future[list[Warning]]](), set[str]()
    pending: dict[Future[list[Warning]], T] = {}

    def hand_over(n_jobs: int) -> None:
        for job in islice(waiting, n_jobs):
            future = pool.submit(work, job)
            pending[future] = job
            future.add_done_callback(finished.put)

    hand_over(HANDED_OVER)
    while pending:
        try:
            future = finished.get(timeout=PATIENCE_S)
        except Empty:
            check()
            continue
        _warn_again(future.result(), warned)
        yield pending.pop(future)
        hand_over(1)


def _warn_again(caught: list[Warning], warned: set[str]) -> None:
    """Warn as a process did, unless another has given the same warning."""
    for warning in caught:
        if str(warning) not in warned:
            warned.add(str(warning))
            warnings.warn(warning, stacklevel=2)


_station: Station[Any] | None = None
"""In a worker process, what does its jobs: set once, by the pool that starts the process."""


def _start_process(opening: Opening[Any]) -> None:
    global _station  # noqa: PLW0603 - an executor has no other way to hand something to its processes
    _station = Station(opening)
    _die_with_parent()


def _do_here(job: Any) -> list[Warning]:
    if _station is None:
        raise RuntimeError("a job came before the process was started")
    return _station(job)


@contextmanager
def _processes(n_processes: int, opening: Opening[Any]) -> Iterator[Executor]:
    spawn = multiprocessing.get_context("spawn")  # a fork copies locks of HDF5, Arrow and torch as they happen to be
    with ProcessPoolExecutor(n_processes, mp_context=spawn, initializer=_start_process, initargs=(opening,)) as pool:
        try:
            yield pool
        except BrokenProcessPool as exc:
            raise WorkerError(
                "a worker process died: out of memory, perhaps, or a script that starts workers must do so under"
                ' `if __name__ == "__main__":`; the same command goes on where it was, try it with --workers 1'
            ) from exc
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _die_with_parent() -> None:
    """Let a worker end when the process that it works for is killed; it would wait for work for ever."""
    threading.Thread(target=_exit_after_parent, daemon=True).start()


def _exit_after_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
