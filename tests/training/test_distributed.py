import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from poreconv.commands.train import REPORT
from poreconv.config import TrainConfig
from poreconv.dataset.store import Store
from poreconv.errors import ConfigError
from poreconv.models.bundle import load_bundle
from poreconv.training.run import BUNDLE, TrainingRun
from tests.commands.test_train import logged
from tests.support import pauses, train_together
from tests.support.data import heartbeat_store, squiggle_store
from tests.support.models import TINY
from tests.support.train_together import CONFIG, train_all
from tests.training.test_task_read import prepared, told_apart

PROGRAM = Path(train_together.__file__)
TASKS = ("boundary", "segment", "read")


@pytest.fixture(scope="module")
def stores(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """One of each task, in a folder of that name."""
    boundary, segment, read = (tmp_path_factory.mktemp("stores") / task for task in TASKS)
    return [squiggle_store(boundary), heartbeat_store(segment), prepared(read, told_apart(), "store").path]


@pytest.fixture(scope="module")
def alone(stores: list[Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What one process makes."""
    out = tmp_path_factory.mktemp("alone")
    train_all(out, 1, stores)
    return out


@pytest.fixture(scope="module")
def together(stores: list[Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What two processes make; the training that ends in time is among it."""
    out = tmp_path_factory.mktemp("together")
    with started([sys.executable, str(PROGRAM), str(out), "2", *map(str, stores)]) as done:
        words, _ = done.communicate(timeout=PATIENCE_S)
    assert (done.returncode, words) == (0, "")
    return out


PATIENCE_S = 900
"""Longest time that a program may take, on a machine however busy."""


@contextmanager
def started(command: list[str]) -> Iterator["subprocess.Popen[str]"]:
    """Start a program on one thread, in a group of its own; all its output goes one way. None of the group is left."""
    environment = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONWARNINGS": "ignore"}
    to_pipe: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    with subprocess.Popen(command, env=environment, start_new_session=True, **to_pipe) as process:
        try:
            yield process
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)


def names_in(folder: Path) -> set[str]:
    """Files of a run, and of its logs."""
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if "tfevents" not in path.name}


@pytest.mark.parametrize("task", TASKS)
def test_two_processes_learn_like_one(task: str, alone: Path, together: Path) -> None:
    """The loss of each step is that of one process with the whole batch: the order of sums differs, by some 1e-7."""
    one, two = logged(alone / task, "train_loss"), logged(together / task, "train_loss")

    assert len(one) == CONFIG.max_steps / CONFIG.validate_every
    assert two == pytest.approx(one, rel=1e-5)


@pytest.mark.parametrize("task", TASKS)
def test_two_processes_validate_like_one(task: str, alone: Path, together: Path) -> None:
    """No tile is judged twice or left out, also where their number is odd."""
    for name in ("validation_loss", "validation_score"):
        one, two = logged(alone / task, name), logged(together / task, name)

        assert two == pytest.approx(one, rel=1e-5)


@pytest.mark.parametrize("task", TASKS)
def test_the_first_process_writes_the_bundle(task: str, alone: Path, together: Path) -> None:
    """There is one of everything, and the weights and decoding are those of one process."""
    (one, its), (two, theirs) = (load_bundle(out / task / BUNDLE) for out in (alone, together))

    assert names_in(together / task) == names_in(alone / task)
    assert (REPORT in names_in(together / task)) == (task == "boundary")
    assert theirs.decoding.threshold == its.decoding.threshold
    for a, b in zip(one.parameters(), two.parameters(), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-5)


def test_processes_share_one_clock(together: Path) -> None:
    """Under a time limit all had the same learning rates, and stopped at the same step."""
    first, second = ((together / f"rates_{rank}.txt").read_text().splitlines() for rank in (0, 1))

    assert first == second
    assert float(first[-1]) < 0.1 * CONFIG.learning_rate


def test_an_interrupted_run_of_two_processes_goes_on(stores: list[Path], together: Path, tmp_path: Path) -> None:
    """Ctrl-C, which both hear, leaves a bundle and one line of words; the same command then ends like undisturbed."""
    program, bundle = Path(sys.executable).with_name("poreconv"), tmp_path / "run" / BUNDLE
    command = [str(program), "train", str(stores[0]), "--out", str(bundle.parent), "--no_report", "--devices=2", *FLAGS]
    command.append(f"--callbacks={Path(pauses.__file__)}:Pause")
    with started(command) as process:
        while len(list(bundle.parent.glob(pauses.MARKS))) < 2 and process.poll() is None:
            time.sleep(0.002)
        os.killpg(process.pid, signal.SIGINT)
        interrupted, _ = process.communicate(timeout=PATIENCE_S)
    early = load_bundle(bundle)
    with started(command) as process_of_the_rest:
        finished, _ = process_of_the_rest.communicate(timeout=PATIENCE_S)

    assert (process.returncode, early[1].task) == (130, "boundary")
    assert without_progress(interrupted) == ["poreconv train: interrupted; run the same command again to resume"]
    assert without_progress(finished) == [f"{bundle}"]
    assert bundle.read_bytes() == (together / "boundary" / BUNDLE).read_bytes()


def without_progress(printed: str) -> list[str]:
    """The lines that a command prints on any machine; on a slow one, progress comes between them."""
    return [line for line in printed.splitlines() if not line.startswith("train unet: ")]


FLAGS = [
    "--network=unet", "--max_steps=48", "--batch_size=9", "--chunk_samples=300", "--learning_rate=0.005",
    "--validate_every=3", "--precision=32", "--accelerator=cpu", "--augment.noise=0.1", "--augment.scale=0.05",
    "--augment.shift=0.05", "--augment.stretch=0.05", "--unet.channels=[4,6,8]", "--unet.batch_norm=false",
]  # fmt: skip
"""The settings of `train_together`."""


def test_batches_are_not_normalised_apart(stores: list[Path], tmp_path: Path) -> None:
    """On a CPU a network with batch normalisation trains in one process; the error names the alternatives."""
    run = TrainingRun([Store(stores[0])], tmp_path / "run", "unet", TINY["unet"], replace(CONFIG, devices=2))

    with pytest.raises(ConfigError, match="2 processes on a CPU cannot normalise batches together; set batch_norm"):
        run.trainer(lambda *_: None)


def test_every_process_has_a_window() -> None:
    """More processes than windows in a step are refused."""
    with pytest.raises(ConfigError, match="devices, nodes: 4 processes; must be 1 to"):
        TrainConfig(batch_size=3, devices=2, nodes=2)
