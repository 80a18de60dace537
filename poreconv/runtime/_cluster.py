"""Jobs on a Dask cluster."""

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
from poreconv.runtime.executors import Attended, Opening, Station
from poreconv.runtime.files import check_seen

try:
    from distributed import Client, KilledWorker, WorkerPlugin, get_worker
except ImportError as exc:
    raise ConfigError("scheduler: Dask is not installed; pip install 'poreconv[cluster]'") from exc

if TYPE_CHECKING:
    from distributed import Worker


class JobPlugin(WorkerPlugin):
    """What a Dask worker needs for one command's jobs; it goes with the command.

    Args:
        opening: See `run_all`.
        folder: Where the command was given: relative paths are meant from there.
    """

    def __init__(self, opening: Opening[Any], folder: Path) -> None:
        self._opening, self._folder = opening, folder

    def setup(self, worker: "Worker") -> None:
        """Stand by for the first job."""
        self._station = Station(self._opening)
        self._one_at_a_time = threading.Lock()  # label sources and file handles know no threads

    def work(self, job: Any) -> list[Warning]:
        """Do a job as the command's own machine would; returns its warnings."""
        check_seen(self._folder)
        with self._one_at_a_time, chdir(self._folder):
            return self._station(job)

    def teardown(self, worker: "Worker") -> None:
        """Close the files."""
        self._station.close()


def _work(name: str, job: Any) -> list[Warning]:
    plugin = cast(JobPlugin, get_worker().plugins[name])
    return plugin.work(job)


@contextmanager
def on_cluster(
    scheduler: str, opening: Opening[Any], patience_s: float
) -> Iterator[tuple[Executor, Attended[Any], Callable[[], None]]]:
    """Give the workers of a Dask cluster, what does a job there, and what raises if there are no workers any more.

    Args:
        scheduler: Its address.
        opening: See `run_all`.
        patience_s: How long it may take to answer.

    Raises:
        WorkerError: It doesn't answer, has no workers or other versions of poreconv; or workers died.
    """
    again, name = "the same command goes on where it was", f"poreconv-{uuid4().hex}"
    with _connected(scheduler, patience_s) as client:
        _check_workers(client, scheduler)
        client.register_plugin(JobPlugin(opening, Path.cwd()), name=name)
        pool = client.get_executor(pure=False)
        try:
            yield pool, partial(_work, name), lambda: _check_some(client.nthreads(), scheduler)
        except KilledWorker as exc:
            raise WorkerError(
                f"{scheduler}: several workers died at one job: out of memory, perhaps; look at their logs; {again}"
            ) from exc
        except CancelledError as exc:
            raise WorkerError(f"{scheduler}: the scheduler went away; start it again; {again}") from exc
        finally:
            pool.shutdown(wait=False)  # cancels what is not done
        with suppress(OSError):  # the workers that are left close their files; a scheduler that is gone has none
            client.unregister_worker_plugin(name)


def _connected(scheduler: str, patience_s: float) -> Client:
    try:
        return Client(scheduler, timeout=patience_s, set_as_default=False)  # type: ignore[no-untyped-call]  # Dask's own
    except (OSError, ValueError) as exc:
        raise WorkerError(
            f"{scheduler}: no Dask scheduler answers ({exc}); start one with `dask scheduler`, and give the address"
            " that it prints"
        ) from exc


def _check_workers(client: Client, scheduler: str) -> None:
    """Refuse a cluster without workers, or with other programs on them."""
    here = version("poreconv")
    found = client.run(version, "poreconv", on_error="return")
    _check_some(found, scheduler)
    for address, there in found.items():
        if there != here:
            raise WorkerError(f"{address}: this worker has no poreconv {here} ({there}); install it there")


def _check_some(workers: Sized, scheduler: str) -> None:
    if not workers:
        raise WorkerError(f"{scheduler}: has no workers; start some with `dask worker {scheduler} --nthreads 1`")
