"""Commands killed without warning: what they leave, and that they go on."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
from distributed import Client

from poreconv.commands.label import label
from poreconv.config import DecodeConfig, LabelConfig, WorkConfig
from poreconv.models.architectures import Heartbeat
from poreconv.models.bundle import save_bundle
from poreconv.models.networks import build_network
from poreconv.models.recipe import Recipe
from poreconv.pore_models.model import random_pore_model
from poreconv.pore_models.tables import write_pore_model
from poreconv.reads.pieces import JOB_BYTES
from poreconv.reads.read import Calibration, Read
from tests.support.cluster import cluster
from tests.support.signal_files import write_multi

FILES, READS, SAMPLES = 12, 4, 20_000


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write signal files of a job each, labels, and a model that has learnt nothing."""
    folder, rng = tmp_path_factory.mktemp("inputs"), np.random.default_rng(0)
    rows = ["read_id\tstart\tend\tlabel"]
    for number in range(FILES):
        reads = [noise(rng, f"{number}-{i}") for i in range(READS)]
        path = folder / f"{number:02d}.fast5"
        write_multi(path, reads)
        os.truncate(path, JOB_BYTES * 3 // 4)  # zeros at the end, which HDF5 passes over: each file is a job
        rows += [f"{read.read_id}\t{at}\t{at + 9}\t{'ACGT'[at % 4]}" for read in reads for at in range(0, 900, 9)]
    (folder / "labels.tsv").write_text("\n".join(rows) + "\n")
    write_model(folder / "model.safetensors")
    write_pore_model(folder / "pore.model", random_pore_model(3, 0, 90, 12))
    return folder


def noise(rng: np.random.Generator, read_id: str) -> Read:
    """Give a read of white noise."""
    adc = rng.integers(-32768, 32768, SAMPLES, dtype=np.int16)
    return Read(
        read_id, adc, Calibration(0.0, 0.2), 4000.0, channel=1, read_number=1, median_before=200.0, run_id="run"
    )


def write_model(path: Path) -> None:
    """Write a bundle; its threshold is such that it finds an event now and then."""
    settings = Heartbeat(channels=1, layers=1, pool=1)
    network = build_network("heartbeat", settings, 2)
    for parameter in network.parameters():
        parameter.data.fill_(0.5)
        parameter.data.view(-1)[0] = -0.5
    recipe = Recipe(
        task="boundary",
        classes=("inside", "boundary"),
        network="heartbeat",
        network_settings=asdict(settings),
        sample_rate_hz=4000.0,
        chemistries=(),
        class_counts=(8, 1),
        mean_dwell=9.0,
        decoding=DecodeConfig(threshold=0.88),
    )
    save_bundle(path, network, recipe)


def prepare_command(inputs: Path, out: Path) -> list[str]:
    """Give the arguments of `poreconv prepare`."""
    return [
        "prepare",
        f"{inputs}",
        "--labels",
        "intervals",
        "--labels_from",
        f"{inputs / 'labels.tsv'}",
        "--out",
        f"{out}",
    ]


def label_command(inputs: Path, out: Path) -> list[str]:
    """Give the arguments of `poreconv label`."""
    return ["label", f"{inputs / 'model.safetensors'}", f"{inputs}", "--out", f"{out}"]


def refine_command(inputs: Path, out: Path) -> list[str]:
    """Give the arguments of `poreconv refine`; on noise, it need not fit."""
    command = ["refine", *prepare_command(inputs, out)[1:], "--pore_model", f"{inputs / 'pore.model'}"]
    return [*command, "--min_quality", "0", "--workers", "1"]


def start(arguments: list[str]) -> subprocess.Popen[bytes]:
    """Run the program in a process group of its own, which hears Ctrl-C even if this one runs in the background."""
    hear = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)"
    program = [sys.executable, "-W", "ignore", "-c", f"{hear}; from poreconv.cli.main import main; main()"]
    return subprocess.Popen(
        [*program, *arguments], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    )


def wait_for(process: subprocess.Popen[bytes], folder: Path, pattern: str) -> int:
    """Wait until a process has made a file; give how many there are."""
    while process.poll() is None and not any(folder.glob(pattern)):
        time.sleep(0.001)
    return len([*folder.glob(pattern)])


def kill_when(process: subprocess.Popen[bytes], seen: Path, pattern: str) -> bool:
    """Kill a process and its workers as soon as a file is there; return whether that was before its end."""
    wait_for(process, seen, pattern)
    under_way = process.poll() is None
    if under_way:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    return under_way


def finish(arguments: list[str]) -> None:
    """Run a command to its end."""
    assert start(arguments).wait() == 0


def contents(folder: Path) -> dict[str, bytes]:
    """Give all files of a folder, hidden ones too."""
    return {f"{path.relative_to(folder)}": path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture(scope="module")
def undisturbed_store(inputs: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """Give what `prepare` makes when left alone."""
    folder = tmp_path_factory.mktemp("undisturbed")
    finish(prepare_command(inputs, folder / "store"))
    return contents(folder)


@pytest.fixture(scope="module")
def undisturbed_table(inputs: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """Give what `label` makes when left alone."""
    folder = tmp_path_factory.mktemp("undisturbed")
    label(
        inputs / "model.safetensors", inputs, out=folder / "events.tsv", config=LabelConfig(work=WorkConfig(workers=1))
    )
    return contents(folder)


@pytest.fixture(scope="module")
def undisturbed_refinement(inputs: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """Give what `refine` makes when left alone."""
    folder = tmp_path_factory.mktemp("undisturbed")
    finish(refine_command(inputs, folder / "exact.bed"))
    return contents(folder)


@pytest.mark.parametrize(
    ("moment", "workers"),
    [("plan.json", "1"), ("00000000.*.parquet", "2"), ("00000005.*.parquet", "1"), ("store/signal.i16", "1")],
)
def test_a_killed_prepare_goes_on(
    inputs: Path, undisturbed_store: dict[str, bytes], tmp_path: Path, moment: str, workers: str
) -> None:
    """The store exists whole or not at all, and is at last the one of an undisturbed run."""
    command = [*prepare_command(inputs, tmp_path / "store"), "--workers", workers]
    was_under_way = kill_when(start(command), tmp_path / ".store.parts", moment)
    left = {name: data for name, data in contents(tmp_path).items() if name.startswith("store")}

    assert left in ({}, undisturbed_store)
    assert was_under_way or left
    finish(command)
    assert contents(tmp_path) == undisturbed_store


@pytest.mark.parametrize(("moment", "workers"), [("00000002.*.parquet", "2"), ("events.tsv", "1")])
def test_a_killed_label_goes_on(
    inputs: Path, undisturbed_table: dict[str, bytes], tmp_path: Path, moment: str, workers: str
) -> None:
    """The table exists whole or not at all, and is at last the one of an undisturbed run."""
    command = [*label_command(inputs, tmp_path / "events.tsv"), "--workers", workers]
    was_under_way = kill_when(start(command), tmp_path / ".events.tsv.parts", moment)
    left = contents(tmp_path).get("events.tsv")

    assert left in (None, undisturbed_table["events.tsv"])
    assert was_under_way or left
    if was_under_way:
        finish(command)
    assert contents(tmp_path) == undisturbed_table


@pytest.mark.parametrize("moment", ["00000002.*.parquet", "00000010.*.parquet"])
def test_a_killed_refine_goes_on(
    inputs: Path, undisturbed_refinement: dict[str, bytes], tmp_path: Path, moment: str
) -> None:
    """The labels exist whole or not at all, and are at last those of an undisturbed run."""
    command = refine_command(inputs, tmp_path / "exact.bed")
    was_under_way = kill_when(start(command), tmp_path / ".exact.bed.parts", moment)
    left = contents(tmp_path).get("exact.bed")

    assert left in (None, undisturbed_refinement["exact.bed"])
    assert was_under_way or left
    if was_under_way:
        finish(command)
    assert contents(tmp_path) == undisturbed_refinement


@pytest.mark.parametrize("command", [prepare_command, label_command])
def test_a_killed_dask_worker_is_replaced_by_another(
    command: Callable[[Path, Path], list[str]],
    inputs: Path,
    undisturbed_store: dict[str, bytes],
    undisturbed_table: dict[str, bytes],
    tmp_path: Path,
) -> None:
    """What it had to do, the other does: the result is the one of a single machine."""
    out, undisturbed = {
        prepare_command: ("store", undisturbed_store),
        label_command: ("events.tsv", undisturbed_table),
    }[command]
    with cluster(tmp_path / "cluster", n_workers=2) as (address, workers):
        running = start([*command(inputs, tmp_path / "out" / out), "--scheduler", address])
        done_before = wait_for(running, tmp_path / "out", f".{out}.parts/0*.parquet")
        workers[0].kill()
        assert running.wait() == 0

    assert 0 < done_before < FILES
    assert contents(tmp_path / "out") == undisturbed


def test_an_interrupted_command_takes_its_jobs_back(inputs: Path, tmp_path: Path) -> None:
    """A cluster that others use, too, does none of them after Ctrl-C."""
    with cluster(tmp_path / "cluster") as (address, _):
        running = start([*label_command(inputs, tmp_path / "events.tsv"), "--scheduler", address])
        wait_for(running, tmp_path, ".events.tsv.parts/0*.parquet")
        running.send_signal(signal.SIGINT)
        code = running.wait()
        with Client(address, set_as_default=False) as client:
            left = client.run_on_scheduler(lambda dask_scheduler: len(dask_scheduler.tasks))

    assert (code, left) == (130, 0)
    assert not (tmp_path / "events.tsv").exists()


def test_parts_are_not_done_twice(inputs: Path, tmp_path: Path) -> None:
    """What was finished before the kill stays as it was."""
    command = [*prepare_command(inputs, tmp_path / "store"), "--workers", "1"]
    parts = tmp_path / ".store.parts"
    kill_when(start(command), parts, "00000001.*.parquet")
    finished = {path: path.stat().st_ino for path in parts.glob("0*.parquet")}
    again = start(command)
    kill_when(again, parts, f"{len(finished):08d}.*.parquet")

    assert finished
    assert all(path.stat().st_ino == inode for path, inode in finished.items() if path.exists())


def test_the_table_has_events(undisturbed_table: dict[str, bytes], undisturbed_refinement: dict[str, bytes]) -> None:
    """Neither none nor one per sample, or the tests above would show little."""
    for rows in (undisturbed_table["events.tsv"].count(b"\n"), undisturbed_refinement["exact.bed"].count(b"\n")):
        assert 100 < rows < FILES * READS * SAMPLES // 20
