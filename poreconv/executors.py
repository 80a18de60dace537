"""Where work is done: in this process, in several of this machine, or in those of a Dask cluster."""

import multiprocessing
import os
import threading
import warnings
from collections.abc import Callable, Iterator, Sequence, Sized
from concurrent.futures import CancelledError, Executor, Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import chdir, contextmanager
from functools import partial
from importlib.metadata import version
from itertools import islice
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, TypeVar

from poreconv.config import WorkConfig
from poreconv.errors import ConfigError, WorkerError
from poreconv.files import check_seen
from poreconv.once import forget

if TYPE_CHECKING:
    from distributed import Client

T = TypeVar("T")

HANDED_OVER = 1000
"""Tasks that an executor holds at a time: work for hundreds of cores, and no burden, however many there are in all."""

PATIENCE_S = 10
"""How long a scheduler may take to answer, or be without workers."""

Attended = Callable[[T], list[Warning]]
"""Work in another process, which gives back the warnings: they are for whoever started the command."""

_one_at_a_time = threading.Lock()


def run_all(work: Callable[[T], object], tasks: Sequence[T], where: WorkConfig) -> Iterator[T]:
    """Do tasks; gives each one back when it is done.

    Args:
        work: Called with a task; both must pickle. With one worker, or one task, it runs in this process.
        tasks: What is to be done.
        where: In which processes. On a Dask cluster, what a worker had to do that dies is done by others, so that a
            task may be done twice.

    Raises:
        ConfigError: Dask is not installed.
        WorkerError: A process died; or the cluster doesn't answer, has no workers, or others than this command needs.
    """
    n_processes = min(where.workers or cores(), len(tasks))
    if where.scheduler is not None and tasks:
        with _cluster(where.scheduler) as (pool, check):
            yield from _as_done(pool, partial(_on_cluster, work, Path.cwd()), tasks, check)
    elif n_processes > 1:
        with _processes(n_processes) as pool:
            yield from _as_done(pool, partial(_attended, work), tasks, lambda: None)
    else:
        for task in tasks:
            work(task)
            yield task


def cores() -> int:
    """Cores that this process may use; where the system doesn't say, as macOS, all that there are."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _as_done(pool: Executor, work: Attended[T], tasks: Sequence[T], check: Callable[[], None]) -> Iterator[T]:
    """Tasks as they are done; while none is, ``check`` is called now and then."""
    waiting, finished, told = iter(tasks), SimpleQueue[Future[list[Warning]]](), set[str]()
    pending: dict[Future[list[Warning]], T] = {}

    def hand_over(n_tasks: int) -> None:
        for task in islice(waiting, n_tasks):
            future = pool.submit(work, task)
            pending[future] = task
            future.add_done_callback(finished.put)

    hand_over(HANDED_OVER)
    while pending:
        try:
            future = finished.get(timeout=PATIENCE_S)
        except Empty:
            check()
            continue
        _tell(future.result(), told)
        yield pending.pop(future)
        hand_over(1)


def _tell(warned: list[Warning], told: set[str]) -> None:
    """Warn as a process did, unless another has said the same."""
    for warning in warned:
        if str(warning) not in told:
            told.add(str(warning))
            warnings.warn(warning, stacklevel=2)


def _attended(work: Callable[[T], object], task: T) -> list[Warning]:
    with warnings.catch_warnings(record=True) as caught:
        work(task)
    return [one.message for one in caught if isinstance(one.message, Warning)]


@contextmanager
def _processes(n_processes: int) -> Iterator[Executor]:
    spawn = multiprocessing.get_context("spawn")  # a fork copies locks of HDF5, Arrow and torch as they happen to be
    with ProcessPoolExecutor(n_processes, mp_context=spawn, initializer=_die_with_parent) as pool:
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


@contextmanager
def _cluster(scheduler: str) -> Iterator[tuple[Executor, Callable[[], None]]]:
    """The workers of a Dask cluster, and what raises if there are none any more."""
    try:
        from distributed import KilledWorker
    except ImportError as exc:
        raise ConfigError("scheduler: Dask is not installed; pip install 'poreconv[cluster]'") from exc
    again = "the same command goes on where it was"
    with _connected(scheduler) as client:
        _check_workers(client, scheduler)
        pool = client.get_executor(pure=False)
        try:
            yield pool, lambda: _check_some(client.nthreads(), scheduler)
        except KilledWorker as exc:
            raise WorkerError(
                f"{scheduler}: several workers died at one job: out of memory, perhaps; look at their logs; {again}"
            ) from exc
        except CancelledError as exc:
            raise WorkerError(f"{scheduler}: the scheduler went away; start it again; {again}") from exc
        finally:
            pool.shutdown(wait=False)  # cancels what is not done
        client.run(forget, on_error="ignore")  # closes the files of label sources


def _connected(scheduler: str) -> "Client":
    from distributed import Client

    try:
        return Client(scheduler, timeout=PATIENCE_S, set_as_default=False)  # type: ignore[no-untyped-call]  # Dask's own
    except (OSError, ValueError) as exc:
        raise WorkerError(
            f"{scheduler}: no Dask scheduler answers ({exc}); start one with `dask scheduler`, and give the address"
            " that it prints"
        ) from exc


def _check_workers(client: "Client", scheduler: str) -> None:
    """Refuse a cluster without workers, or with other programs on them; let all forget what they read before."""
    here = version("poreconv")
    found = client.run(_arrive, on_error="return")
    _check_some(found, scheduler)
    for address, there in found.items():
        if there != here:
            raise WorkerError(f"{address}: this worker has no poreconv {here} ({there}); install it there")


def _check_some(workers: Sized, scheduler: str) -> None:
    if not workers:
        raise WorkerError(f"{scheduler}: has no workers; start some with `dask worker {scheduler} --nthreads 1`")


def _arrive() -> str:
    forget()
    return version("poreconv")


def _on_cluster(work: Callable[[T], object], folder: Path, task: T) -> list[Warning]:
    """Do a task as the command's own machine would; one at a time, as label sources and handles know no threads."""
    check_seen(folder)
    with _one_at_a_time, chdir(folder):
        return _attended(work, task)
