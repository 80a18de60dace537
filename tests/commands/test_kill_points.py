"""Commands killed before each of their changes of the file system: run again, they give the same bytes."""

import json
import os
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from poreconv.cli.main import main
from poreconv.config import DecodeConfig
from poreconv.models.architectures import Heartbeat
from poreconv.models.bundle import save_bundle
from poreconv.models.networks import build_network
from poreconv.models.recipe import Recipe
from poreconv.reads.pieces import JOB_BYTES
from tests.support.data import heartbeat_store
from tests.support.signal_files import reads_made, write_multi
from tests.support.stores import steps


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write two signal files of a job each, labels, a store, and a model that has learnt nothing."""
    folder = tmp_path_factory.mktemp("inputs")
    reads = reads_made(4)
    (folder / "labels.tsv").write_text(steps(reads))
    for number in range(2):
        path = folder / f"{number}.fast5"
        write_multi(path, reads[2 * number : 2 * number + 2])
        os.truncate(path, JOB_BYTES * 3 // 4)  # zeros at the end, which HDF5 passes over: each file is a job
    heartbeat_store(folder / "hearts", n_reads=12)
    settings = Heartbeat(channels=1, layers=1, pool=1)
    recipe = Recipe(
        task="boundary", classes=("inside", "boundary"), network="heartbeat", network_settings=asdict(settings),
        sample_rate_hz=4000.0, chemistries=("dna_r9.4.1",), class_counts=(8, 1), mean_dwell=9.0,
        decoding=DecodeConfig(),
    )  # fmt: skip
    save_bundle(folder / "model.safetensors", build_network("heartbeat", settings, 2), recipe)
    return folder


LABELS = "--labels intervals --labels_from {in}/labels.tsv"

TRAIN = (
    "train {in}/hearts/store --network heartbeat --heartbeat.channels 2 --heartbeat.layers 1 --max_steps 4"
    " --validate_every 2 --batch_size 4 --chunk_samples 64 --accelerator cpu --precision 32 --no_report"
)

COMMANDS = {
    "label": "label {in}/model.safetensors {in}/0.fast5 {in}/1.fast5 --workers 1 --out {work}/out.tsv",
    "convert": f"convert {{in}}/0.fast5 {LABELS} --out {{work}}/out.fast5",
    "prepare": f"prepare {{in}}/0.fast5 {{in}}/1.fast5 {LABELS} --workers 1 --out {{work}}/out",
    "simulate": "simulate heartbeat --reads 2 --format blow5 --out {work}/out",
    "train": f"{TRAIN} --out {{work}}/out",
    "export": "export {in}/model.safetensors --out {work}/out.onnx",
    "kmers": f"kmers {{in}}/0.fast5 {LABELS} --k 1 --out {{work}}/out.model",
    "plot": "plot {in}/0.fast5 --out {work}/out.png",
}

OLD = {
    "label": "--limit 1",
    "prepare": "--limit 1",
    "simulate": "--reads 1 --format fast5",
    "train": "--seed 5",
}
"""What another command has written before, which is to be replaced."""

EVERY = {"label": 11, "prepare": 7, "simulate": 5, "convert": 3, "train": 25}
"""Which of the changes are tried, of commands with many: the suite has little time. 1 tries each."""

GROW = {"simulate", "train"}
"""Commands that write into their folder, unless they replace it."""


def words_of(command: str, inputs: Path, work: Path) -> list[str]:
    """Give the words of a command line."""
    return command.replace("{in}", str(inputs)).replace("{work}", str(work)).split()


def killed_everywhere(words: list[str], work: Path, **settings: object) -> dict[str, Any]:
    """Kill a command before its changes; gives what `tests.support.kill_points` prints."""
    out = words[words.index("--out") + 1]
    program = [sys.executable, "-W", "ignore", "-m", "tests.support.kill_points", json.dumps(settings), str(work), out]
    done = subprocess.run(
        [*program, *words], capture_output=True, text=True, check=False, cwd=Path(__file__).parents[2]
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize("name", ["label", "convert", "prepare", "simulate", "train"])
def test_a_killed_command_gives_the_same_bytes(name: str, inputs: Path, tmp_path: Path) -> None:
    """Nothing half has the final name, and nothing is left over."""
    work = tmp_path / "work"
    work.mkdir()
    words = words_of(COMMANDS[name], inputs, work)
    found = killed_everywhere(words, work, every=EVERY.get(name, 1), at_once=name not in GROW)

    assert found["wrong"] == []
    assert found["points"] >= 3


@pytest.mark.parametrize("name", OLD)
def test_a_killed_command_that_replaces_gives_the_same_bytes(name: str, inputs: Path, tmp_path: Path) -> None:
    """At each moment the old output is there, or the new; what was replaced is not left over."""
    work = tmp_path / "work"
    work.mkdir()
    words = words_of(COMMANDS[name], inputs, work)
    main([*words, *OLD[name].split()])
    found = killed_everywhere([*words, "--overwrite"], work, every=EVERY.get(name, 1), at_once=name != "simulate")

    assert found["wrong"] == []
    assert found["points"] >= 3
