import logging
import os
import signal
import subprocess
import sys
import time
import warnings
from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from distributed import Client

from poreconv.commands.convert import convert
from poreconv.config import ConvertConfig, WorkConfig
from poreconv.errors import ConfigError, FormatError, PoreconvError, UntriedWarning, WorkerError
from poreconv.runtime import executors as module
from poreconv.runtime.executors import run_all, without_opening
from tests.support.cluster import cluster
from tests.support.signal_files import reads_made, write_multi

Open = Callable[[], AbstractContextManager[Callable[[Any], object]]]


def opened(work: Callable[[Any], object]) -> Open:
    """Work that needs nothing opened."""
    return partial(without_opening, work)


def square(number: int) -> None:
    """Work that a process can do, or not."""
    if number < 0:
        raise FormatError(f"{number}: too small")
    if number > 99:
        os._exit(1)


@pytest.mark.parametrize("workers", [1, 2])
def test_all_jobs_are_done_and_yielded(workers: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """In whatever order, and however few an executor holds at a time."""
    monkeypatch.setattr(module, "MAX_SUBMITTED", 2)

    assert sorted(run_all(opened(square), [3, 1, 2], WorkConfig(workers))) == [1, 2, 3]
    assert list(run_all(opened(square), [], WorkConfig(workers))) == []


@pytest.mark.parametrize("workers", [1, 2])
def test_an_error_comes_out_as_it_was(workers: int) -> None:
    """Also from another process."""
    with pytest.raises(FormatError, match="-1: too small"):
        list(run_all(opened(square), [1, -1, 2, 3], WorkConfig(workers)))


def test_a_dead_worker_is_an_error_of_ours() -> None:
    """The message contains what to try."""
    with pytest.raises(WorkerError, match="--workers 1") as caught:
        list(run_all(opened(square), [1, 100], WorkConfig(2)))

    assert isinstance(caught.value, PoreconvError)


def warn(number: int) -> None:
    """Work that is done, with a warning."""
    warnings.warn("reads of chemistry r9", UntriedWarning, stacklevel=1)


def test_a_warning_of_all_workers_is_given_once() -> None:
    """In the process of the command, which shows warnings to its user."""
    with pytest.warns(UntriedWarning) as caught:
        done = list(run_all(opened(warn), [1, 2, 3, 4], WorkConfig(2)))

    assert sorted(done) == [1, 2, 3, 4]
    assert [str(one.message) for one in caught] == ["reads of chemistry r9"]


def test_the_error_for_a_missing_dask_contains_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is asked for only where there is a scheduler."""
    monkeypatch.setitem(sys.modules, "distributed", None)
    monkeypatch.delitem(sys.modules, "poreconv.runtime._cluster", raising=False)

    with pytest.raises(ConfigError, match=r"pip install 'poreconv\[cluster\]'"):
        list(run_all(opened(square), [1], WorkConfig(scheduler="tcp://127.0.0.1:1")))


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:1", "nothing://127.0.0.1:1"])
def test_a_scheduler_that_does_not_answer_is_an_error(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """It may be gone, or elsewhere."""
    monkeypatch.setattr(module, "SCHEDULER_TIMEOUT_S", 0.2)

    with pytest.raises(WorkerError, match=f"{address}: no Dask scheduler answers"):
        list(run_all(opened(square), [1], WorkConfig(scheduler=address)))


def test_a_scheduler_without_workers_is_an_error(tmp_path: Path) -> None:
    """Nothing would ever be done."""
    with cluster(tmp_path, n_workers=0) as (address, _), pytest.raises(WorkerError, match="has no workers; start some"):
        list(run_all(opened(square), [1], WorkConfig(scheduler=address)))


def test_a_cluster_that_loses_its_last_worker_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The command ends, and can go on later; it does not wait for ever."""
    monkeypatch.setattr(module, "SCHEDULER_TIMEOUT_S", 2)

    with cluster(tmp_path) as (address, _), pytest.raises(WorkerError, match="has no workers; start some"):
        list(run_all(opened(os._exit), [1], WorkConfig(scheduler=address)))


def end(process: int) -> None:
    """Kill a process."""
    os.kill(process, signal.SIGKILL)


def test_a_scheduler_that_stops_is_an_error(tmp_path: Path) -> None:
    """One line: what Dask logs about it, with tracebacks, is not shown."""
    logged, log = list[logging.LogRecord](), logging.Handler()
    log.emit = logged.append  # type: ignore[method-assign]
    logging.getLogger("distributed").addHandler(log)
    with cluster(tmp_path) as (address, _):
        with Client(address, set_as_default=False) as client:
            scheduler = client.run_on_scheduler(os.getpid)
        with pytest.raises(WorkerError, match="the scheduler has stopped; restart it"):
            list(run_all(opened(end), [scheduler], WorkConfig(scheduler=address)))
    logging.getLogger("distributed").removeHandler(log)

    assert [record.getMessage() for record in logged] == []


def test_a_cluster_reads_anew_what_changed_between_two_commands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its workers live on, and find relative paths where the command was given."""
    (read,) = reads_made(1)
    write_multi(tmp_path / "reads.fast5", [read])
    monkeypatch.chdir(tmp_path)
    with cluster(tmp_path / "cluster") as (address, _):
        for at in (9, 18):
            Path("labels.tsv").write_text(f"read_id\tstart\tend\tlabel\n{read.read_id}\t{at}\t{at + 9}\tx\n")
            for name, scheduler in {"here": None, "there": address}.items():
                config = ConvertConfig(work=WorkConfig(workers=1, scheduler=scheduler))
                convert(
                    "reads.fast5", labels="intervals", labels_from=["labels.tsv"], out=f"{name}{at}.tsv", config=config
                )

    assert Path("here9.tsv").read_text() == Path("there9.tsv").read_text()
    assert Path("here18.tsv").read_text() == Path("there18.tsv").read_text() != Path("there9.tsv").read_text()


ORPHANS = """
import os, time
from functools import partial
from poreconv.config import WorkConfig
from poreconv.runtime.executors import without_opening, run_all

def sleep(number):
    os.write(1, f"{os.getpid()}\\n".encode())  # whole lines: two processes write
    time.sleep(0.2 if number < 2 else 0)

if __name__ == "__main__":
    for _ in run_all(partial(without_opening, sleep), range(500), WorkConfig(2)):
        pass
"""


def test_workers_end_when_their_parent_is_killed(tmp_path: Path) -> None:
    """None is left waiting for work for ever."""
    (tmp_path / "orphans.py").write_text(ORPHANS)
    parent = subprocess.Popen(
        [sys.executable, tmp_path / "orphans.py"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert parent.stdout is not None
    workers = {int(parent.stdout.readline()) for _ in range(2)}
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    parent.stdout.close()
    deadline = time.monotonic() + 10
    while any(map(is_running, workers)) and time.monotonic() < deadline:
        time.sleep(0.05)

    assert not any(map(is_running, workers))


def is_running(process: int) -> bool:
    """Return whether a process lives; one that has ended and waits to be collected does not."""
    status = Path(f"/proc/{process}/stat")
    try:
        return status.read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False
