"""Doing jobs in this process, in several processes of this machine, or on a Dask cluster."""

import logging
import multiprocessing
import os
import pickle
import signal
import sys
import threading
import warnings
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from dataclasses import replace
from itertools import islice
from multiprocessing.context import SpawnContext, SpawnProcess
from queue import Empty, SimpleQueue
from typing import Any, Generic, TypeVar

from poreconv.config import WorkConfig
from poreconv.errors import MachineError, WorkerError
from poreconv.runtime.machine import one_line
from poreconv.runtime.messages import is_verbose, show_messages
from poreconv.runtime.registry import OWN_MODULE

T = TypeVar("T")

MAX_SUBMITTED = 1000
"""Largest number of jobs that are submitted to an executor at a time: enough for hundreds of cores, and little memory
however many jobs there are."""

SCHEDULER_TIMEOUT_S = 10
"""Longest time that a Dask scheduler may take to answer, or may have no workers, seconds."""

OpenWork = Callable[[], AbstractContextManager[Callable[[T], object]]]
"""Opens what a process needs for its jobs, such as a model or tables of labels; yields the function that does a job."""

RemoteWork = Callable[[T], list[Warning]]
"""Does a job in another process and returns its warnings, which are repeated in the process of the command."""


def run_all(
    open_work: OpenWork[T], jobs: Sequence[T], config: WorkConfig, *, here: Callable[[T], object] | None = None
) -> Iterator[T]:
    """Do jobs, and yield each one when it is done.

    Args:
        open_work: Called in each process before its first job; it and the jobs must pickle. With one worker, or one
            job, everything is done in this process.
        jobs: The jobs.
        config: In which processes. If a worker of a Dask cluster dies, others repeat its jobs, so that a job may be
            done twice.
        here: What ``open_work`` yields, if this process has opened it already. Default: it is opened.

    Raises:
        ConfigError: Dask is not installed.
        WorkerError: A process died; or the cluster does not answer, has no workers, or its workers do not have this
            version of poreconv.
    """
    n_processes = min(config.workers or cores(), len(jobs))
    if config.scheduler is not None and jobs:
        from poreconv.runtime._cluster import on_cluster  # Dask, an extra

        with on_cluster(config.scheduler, open_work, SCHEDULER_TIMEOUT_S) as (pool, work, check):
            yield from _as_done(pool, work, jobs, check)
    elif n_processes > 1:
        with _processes(n_processes, open_work) as pool:
            yield from _as_done(pool, _do_here, jobs, lambda: None)
    else:
        with nullcontext(here) if here is not None else open_work() as work:
            for job in jobs:
                work(job)
                yield job


@contextmanager
def without_opening(work: Callable[[T], object]) -> Iterator[Callable[[T], object]]:
    """Yield a function that needs nothing opened: ``partial(without_opening, work)`` can be given to `run_all`.

    Args:
        work: Does a job.
    """
    yield work


def sendable(work: WorkConfig, needed: object, name: str) -> WorkConfig:
    """Choose one process where what the jobs need cannot be sent to others, and warn; else what was asked for.

    Args:
        work: The processes asked for.
        needed: What each process needs, with things of the user's among it.
        name: What these are, for the warning: ``"network"``.
    """
    if work.workers == 1 and work.scheduler is None:
        return work
    try:
        sent = pickle.dumps(needed)
    except Exception as exc:  # noqa: BLE001 - pickling runs the user's code, which may raise anything
        reason = " ".join(str(exc).split())
    else:
        typed_in = b"__main__" in sent and not hasattr(sys.modules["__main__"], "__file__")
        if not typed_in and OWN_MODULE.encode() not in sent:
            return work
        reason = "it was defined in a notebook or at a prompt, or imported from a file; give its name, my.py:NAME"
    warnings.warn(f"{name}: cannot be sent to other processes ({reason}); one process does all", stacklevel=2)
    return replace(work, workers=1, scheduler=None)


def cores() -> int:
    """Return the number of cores that this process may use; all, if the system does not report it, as on macOS."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def go_to_background(politeness: int) -> None:
    """Give way to other processes, and leave Ctrl-C, which a terminal sends to all, to the one that started this.

    Args:
        politeness: How much to give way, 0 to 19; where the system knows that, as Windows does not.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if hasattr(os, "nice"):
        os.nice(politeness)


class JobRunner(Generic[T]):
    """Does the jobs of one process: opens what they need before the first one, and closes it in `close`.

    Args:
        open_work: See `run_all`.
    """

    def __init__(self, open_work: OpenWork[T]) -> None:
        self._open_work, self._opened = open_work, ExitStack()
        self._work: Callable[[T], object] | None = None

    def __call__(self, job: T) -> list[Warning]:
        """Do a job.

        Args:
            job: The job.

        Returns:
            The warnings that it caused.
        """
        with warnings.catch_warnings(record=True) as caught:
            if self._work is None:
                self._work = self._opened.enter_context(self._open_work())
            self._work(job)
        return [warning.message for warning in caught if isinstance(warning.message, Warning)]

    def close(self) -> None:
        """Close what was opened."""
        self._opened.close()


def _as_done(pool: Executor, work: RemoteWork[T], jobs: Sequence[T], check: Callable[[], None]) -> Iterator[T]:
    """Yield jobs as they are done; ``check`` is called whenever none has been done for `SCHEDULER_TIMEOUT_S`."""
    waiting, finished, warned = iter(jobs), SimpleQueue[Future[list[Warning]]](), set[str]()
    pending: dict[Future[list[Warning]], T] = {}

    def submit(n_jobs: int) -> None:
        for job in islice(waiting, n_jobs):
            future = pool.submit(work, job)
            pending[future] = job
            future.add_done_callback(finished.put)

    submit(MAX_SUBMITTED)
    while pending:
        try:
            future = finished.get(timeout=SCHEDULER_TIMEOUT_S)
        except Empty:
            check()
            continue
        _warn_again(future.result(), warned)
        yield pending.pop(future)
        submit(1)


def _warn_again(caught: list[Warning], warned: set[str]) -> None:
    """Repeat the warnings of a process that no process has given before."""
    for warning in caught:
        if str(warning) not in warned:
            warned.add(str(warning))
            warnings.warn(warning, stacklevel=2)


_runner: JobRunner[Any] | None = None
"""In a worker process, the runner of its jobs; set once, by the pool that starts the process."""


def _start_process(open_work: OpenWork[Any], verbose: bool) -> None:
    global _runner  # noqa: PLW0603 - an executor has no other way to pass something to its processes
    _runner = JobRunner(open_work)
    _die_with_parent()
    if verbose:
        show_messages(logging.DEBUG)


def _do_here(job: Any) -> list[Warning]:
    if _runner is None:
        raise RuntimeError("a job came before the process was started")
    return _runner(job)


class _Worker(SpawnProcess):
    """A process of a pool. Ctrl-C, which a terminal sends to all, does not reach it: the first process acts on it."""

    def start(self) -> None:
        """Start the process, which inherits the blocked signal from the thread that starts it."""
        if not hasattr(signal, "pthread_sigmask"):  # Windows
            super().start()
            return
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            super().start()
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)


class _Workers(SpawnContext):
    """Starts the processes of one pool. A fork would copy the locks of HDF5, Arrow and torch in any state."""

    def __init__(self) -> None:
        super().__init__()
        self._started: list[_Worker] = []

    def Process(self, *args: Any, **kwargs: Any) -> _Worker:  # type: ignore[override]  # noqa: N802 - the pool's name
        """Make a process of the pool."""
        self._started.append(_Worker(*args, **kwargs))
        return self._started[-1]

    def end(self) -> None:
        """End the processes in the middle of their jobs, of which only whole results count."""
        for process in self._started:
            if process.is_alive():
                process.terminate()


@contextmanager
def _processes(n_processes: int, open_work: OpenWork[Any]) -> Iterator[Executor]:
    workers, given = _Workers(), (open_work, is_verbose())
    with _pool(n_processes, workers, given) as pool:
        try:
            yield pool
        except BrokenProcessPool as exc:
            raise WorkerError(
                "a worker process died, possibly out of memory, or because a script starts workers outside of"
                ' `if __name__ == "__main__":`; run the same command again to resume, with --workers 1'
            ) from exc
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            workers.end()
            raise


def _pool(n_processes: int, workers: _Workers, given: tuple[Any, ...]) -> ProcessPoolExecutor:
    try:
        return ProcessPoolExecutor(n_processes, mp_context=workers, initializer=_start_process, initargs=given)
    except OSError as exc:
        raise MachineError(
            f"worker processes cannot be started: {one_line(exc)}; free some of /dev/shm, or use --workers 1"
        ) from exc


def _die_with_parent() -> None:
    """End this worker when its parent process is killed; otherwise it would wait for jobs for ever."""
    threading.Thread(target=_exit_after_parent, daemon=True).start()


def _exit_after_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
