"""A Dask cluster on this machine, of processes that can be killed."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from distributed import Client

Process = subprocess.Popen[bytes]

ALONE = ["--nthreads", "1", "--no-nanny"]
"""One job at a time, and nobody starts it again if it dies."""


@contextmanager
def cluster(folder: Path, n_workers: int = 1) -> Iterator[tuple[str, list[Process]]]:
    """Start a scheduler and workers; give its address and the workers, once all are there.

    Args:
        folder: Where they may write.
        n_workers: How many; none of them is started again if it dies.
    """
    folder.mkdir(exist_ok=True)
    scheduler_file, started = folder / "scheduler.json", list[Process]()
    at_home = ["--host", "127.0.0.1", "--no-dashboard"]
    try:
        started.append(_dask("scheduler", *at_home, "--port", "0", "--scheduler-file", str(scheduler_file)))
        _wait_for(scheduler_file)
        address = json.loads(scheduler_file.read_text())["address"]
        for _ in range(n_workers):
            started.append(_dask("worker", address, *at_home, *ALONE, "--local-directory", str(folder)))
        if n_workers:
            _wait_for_workers(address, n_workers)
        yield address, started[1:]
    finally:
        for process in reversed(started):
            process.kill()
            process.wait()


def _dask(*arguments: str) -> Process:
    nowhere = subprocess.DEVNULL
    return subprocess.Popen([sys.executable, "-m", "dask", *arguments], stdout=nowhere, stderr=nowhere)


def _wait_for(path: Path) -> None:
    while not path.exists() or not path.read_text().endswith("}"):
        time.sleep(0.02)


def _wait_for_workers(address: str, n_workers: int) -> None:
    with Client(address, set_as_default=False) as client:
        client.wait_for_workers(n_workers, timeout=300)
