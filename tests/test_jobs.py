import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from conftest import reads_made, write_multi

from poreconv import jobs as module
from poreconv.errors import FormatError, PoreconvError, WorkerError
from poreconv.jobs import Job, Piece, plan, reads_of, run_all
from poreconv.ledger import Ledger
from poreconv.readers import open_reads


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    """Small files around a large one; job size is such that two small ones fit into one."""
    paths = [tmp_path / f"{name}.fast5" for name in "abcde"]
    for seed, path in enumerate(paths):
        write_multi(path, reads_made(12 if path.stem == "c" else 1, seed))
    return paths


@pytest.fixture
def small_jobs(files: list[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    """Make jobs of a fifth of the large file."""
    size = files[2].stat().st_size
    monkeypatch.setattr(module, "JOB_BYTES", size // 5)


def ids(jobs: list[Job]) -> list[str]:
    """Read all jobs; give the read ids in order."""
    return [read.read_id for job in jobs for read in reads_of(job, Ledger(), skip_bad_files=False)]


def test_few_bytes_are_one_job(files: list[Path]) -> None:
    """Small files go together."""
    assert plan(files) == [tuple(Piece(path) for path in files)]
    assert plan([]) == []


@pytest.mark.usefixtures("small_jobs")
def test_jobs_hold_every_read_once_in_the_order_of_the_files(files: list[Path]) -> None:
    """However files are grouped and cut, the result has the order of the input."""
    with open_reads(files) as reads:
        expected = [read.read_id for read in reads]

    assert ids(plan(files)) == expected
    assert len(plan(files)) >= 6


@pytest.mark.usefixtures("small_jobs")
def test_the_same_files_give_the_same_jobs(files: list[Path]) -> None:
    """A run that goes on finds its own parts."""
    assert plan(files) == plan(files)


@pytest.mark.usefixtures("small_jobs")
def test_pieces_of_a_large_file_have_about_the_size_of_a_job(files: list[Path]) -> None:
    """A fifth of the file each: two reads of twelve."""
    pieces = [job[0] for job in plan([files[2]])]

    assert [(piece.first, piece.last) for piece in pieces] == [(at, at + 2) for at in range(0, 12, 2)]


@pytest.mark.usefixtures("small_jobs")
def test_a_large_bad_file_is_one_piece_and_fails_in_its_turn(tmp_path: Path) -> None:
    """Whether that stops the command is decided where files are read."""
    (tmp_path / "bad.fast5").write_bytes(b"nothing" * 100_000)
    (job,) = plan([tmp_path / "bad.fast5"])
    ledger = Ledger()

    with pytest.raises(FormatError, match=r"bad\.fast5"):
        list(reads_of(job, ledger, skip_bad_files=False))
    assert list(reads_of(job, ledger, skip_bad_files=True)) == []
    assert [Path(bad.source).name for bad in ledger.bad_files] == ["bad.fast5"]


def test_a_link_to_nothing_fails_in_its_turn(tmp_path: Path) -> None:
    """As git-annex leaves for files that it has not fetched."""
    (tmp_path / "gone.fast5").symlink_to("nowhere")
    (job,) = plan([tmp_path / "gone.fast5"])

    with pytest.raises(FormatError, match="no such file"):
        list(reads_of(job, Ledger(), skip_bad_files=False))


def test_bad_reads_of_a_piece_are_counted(tmp_path: Path) -> None:
    """As they are when a file is read whole."""
    write_multi(tmp_path / "r.fast5", [*reads_made(2), *reads_made(1, 7, adc=reads_made(1)[0].adc[:0])])
    ledger = Ledger()
    kept = list(reads_of((Piece(tmp_path / "r.fast5", 0, 9),), ledger, skip_bad_files=False))

    assert len(kept) == 2
    assert dict(ledger.counts) == {"empty": 1}


def square(number: int) -> None:
    """Work that a process can do, or not."""
    if number < 0:
        raise FormatError(f"{number}: too small")
    if number > 99:
        os._exit(1)


@pytest.mark.parametrize("workers", [1, 2])
def test_all_tasks_are_done_and_given_back(workers: int) -> None:
    """In whatever order."""
    assert sorted(run_all(square, [3, 1, 2], workers)) == [1, 2, 3]
    assert list(run_all(square, [], workers)) == []


@pytest.mark.parametrize("workers", [1, 2])
def test_an_error_comes_out_as_it_was(workers: int) -> None:
    """Also from another process."""
    with pytest.raises(FormatError, match="-1: too small"):
        list(run_all(square, [1, -1, 2, 3], workers))


def test_a_dead_worker_is_an_error_of_ours() -> None:
    """It tells what to try."""
    with pytest.raises(WorkerError, match="--workers 1") as caught:
        list(run_all(square, [1, 100], 2))

    assert isinstance(caught.value, PoreconvError)


ORPHANS = """
import os, time
from poreconv.jobs import run_all

def sleep(number):
    print(os.getpid(), flush=True)
    time.sleep(0.2 if number < 2 else 0)

if __name__ == "__main__":
    for _ in run_all(sleep, range(500), 2):
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
    """Tell whether a process lives; one that has ended and waits to be collected does not."""
    status = Path(f"/proc/{process}/stat")
    try:
        return status.read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False
