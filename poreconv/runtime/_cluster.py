"""Jobs on a Dask cluster."""

import logging
import threading
from collections.abc import Callable, Iterator, Sized
from concurrent.futures import CancelledError, Executor
from contextlib import chdir, contextmanager, suppress
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast
from uuid import uuid4

from poreconv.errors import ConfigError, WorkerError
from poreconv.runtime.executors import JobRunner, OpenWork, RemoteWork
from poreconv.runtime.files import check_seen

try:
    from distributed import Client, KilledWorker, WorkerPlugin, get_worker
except ImportError as exc:
    raise ConfigError("scheduler: Dask is not installed; pip install 'poreconv[cluster]'") from exc

if TYPE_CHECKING:
    from distributed import Worker


LOGGING = ("distributed", "tornado", "asyncio")
"""Beginnings of the names of Dask's loggers."""


class JobPlugin(WorkerPlugin):
    """Does one command's jobs in a Dask worker; registered when the command starts and removed when it ends.

    Args:
        open_work: See `run_all`.
        folder: The folder in which the command was started; relative paths start there.
    """

    def __init__(self, open_work: OpenWork[Any], folder: Path) -> None:
        self._open_work, self._folder = open_work, folder

    def setup(self, worker: "Worker") -> None:
        """Prepare for the first job.

        Args:
            worker: The Dask worker.
        """
        self._runner = JobRunner(self._open_work)
        self._one_at_a_time = threading.Lock()  # label sources and file handles are not safe for threads

    def work(self, job: Any) -> list[Warning]:
        """Do a job in the command's folder.

        Args:
            job: One of the jobs of `run_all`.

        Returns:
            The warnings that it caused.

        Raises:
            WorkerError: This machine does not have the folder.
        """
        check_seen(self._folder)
        with self._one_at_a_time, chdir(self._folder):
            return self._runner(job)

    def teardown(self, worker: "Worker") -> None:
        """Close what was opened for the jobs.

        Args:
            worker: The Dask worker.
        """
        self._runner.close()


def _work(name: str, job: Any) -> list[Warning]:
    plugin = cast(JobPlugin, get_worker().plugins[name])
    return plugin.work(job)


@contextmanager
def on_cluster(
    scheduler: str, open_work: OpenWork[Any], timeout_s: float
) -> Iterator[tuple[Executor, RemoteWork[Any], Callable[[], None]]]:
    """Connect to a Dask cluster for the time of one command.

    Args:
        scheduler: Address of the scheduler, such as ``tcp://host:8786``.
        open_work: See `run_all`.
        timeout_s: Longest time that the scheduler may take to answer, seconds.

    Yields:
        The executor of the cluster, the function that does a job on it, and a check that raises when the cluster has
        no workers left.

    Raises:
        WorkerError: The scheduler does not answer; there are no workers, or some with another version of poreconv; or
            workers died.
    """
    again, name = "run the same command again to resume", f"poreconv-{uuid4().hex}"
    with _quiet(), _connected(scheduler, timeout_s) as client:
        _check_workers(client, scheduler)
        client.register_plugin(JobPlugin(open_work, Path.cwd()), name=name)
        pool = client.get_executor(pure=False)
        try:
            yield pool, partial(_work, name), lambda: _check_not_empty(client.nthreads(), scheduler)
        except KilledWorker as exc:
            raise WorkerError(
                f"{scheduler}: several workers died on one job, possibly out of memory; see their logs, and {again}"
            ) from exc
        except CancelledError as exc:
            raise WorkerError(f"{scheduler}: the scheduler has stopped; restart it, and {again}") from exc
        finally:
            pool.shutdown(wait=False)  # cancels the jobs that are not done
        with suppress(OSError):  # closes the files of the workers; fails if the scheduler has stopped
            client.unregister_worker_plugin(name)


@contextmanager
def _quiet() -> Iterator[None]:
    """Hide what Dask logs about the connection, with tracebacks; our errors report it."""
    found = [logging.getLogger(name) for name in [*logging.root.manager.loggerDict] if name.startswith(LOGGING)]
    before = [logger.disabled for logger in found]
    try:
        for logger in found:
            logger.disabled = True
        yield
    finally:
        for logger, was in zip(found, before, strict=True):
            logger.disabled = was


def _connected(scheduler: str, timeout_s: float) -> Client:
    try:
        return Client(scheduler, timeout=timeout_s, set_as_default=False)  # type: ignore[no-untyped-call]  # Dask's own
    except (OSError, ValueError) as exc:
        raise WorkerError(
            f"{scheduler}: no Dask scheduler answers ({exc}); start one with `dask scheduler`, and pass the address"
            " that it prints"
        ) from exc


def _check_workers(client: Client, scheduler: str) -> None:
    """Check that the cluster has workers, and that they have this version of poreconv."""
    here = version("poreconv")
    found = client.run(version, "poreconv", on_error="return")
    _check_not_empty(found, scheduler)
    for address, there in found.items():
        if there != here:
            raise WorkerError(f"{address}: this worker does not have poreconv {here} ({there}); install it there")


def _check_not_empty(workers: Sized, scheduler: str) -> None:
    if not workers:
        raise WorkerError(f"{scheduler}: has no workers; start some with `dask worker {scheduler} --nthreads 1`")
