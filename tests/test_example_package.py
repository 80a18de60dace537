"""A package of a user's own, installed in a folder of its own: labels, network, loss and so on, from end to end."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from poreconv.reads.readers import open_reads
from tests.support.data import simulated

EXAMPLE = Path(__file__).parent / "support" / "example"

NETWORK = ["--network", "squiggle_extras.model:Mixed"]
SPLIT = ["--split.validation", "0.3", "--split.test", "0.3"]
TRAINING = [
    "--network_settings", "width=4", "--loss", "squiggle_extras.model:focal",
    "--transforms", "squiggle_extras.model:jitter", "--callbacks", "squiggle_extras.model:CountBatches",
    "--max_steps", "4", "--validate_every", "2", "--batch_size", "4", "--chunk_samples", "200",
    "--loader_workers", "2", "--precision", "32", "--accelerator", "cpu",
]  # fmt: skip
JUDGING = [
    "--metrics",
    "squiggle_extras.judging:count_error",
    "--baselines",
    "uniform",
    "squiggle_extras.judging:every_ten",
]

PROGRAM = """
import sys
import poreconv
from poreconv.config import LabelConfig, PrepareConfig, SplitConfig, TrainConfig, WorkConfig
from squiggle_extras.judging import count_error, every_ten
from squiggle_extras.labels import steps
from squiggle_extras.model import CountBatches, Mixed, focal, jitter

if __name__ == "__main__":
    two = WorkConfig(workers=2)
    config = PrepareConfig(split=SplitConfig(validation=0.3, test=0.3), work=two)
    store = poreconv.prepare(sys.argv[1], labels=steps, out="store", config=config)
    trained = poreconv.train(
        store.path, out="run", network=Mixed, settings={"width": 4}, loss=focal, transforms=[jitter],
        callbacks=[CountBatches()], metrics={"count_error": count_error}, baselines=["uniform", every_ten],
        config=TrainConfig(
            max_steps=4, validate_every=2, batch_size=4, chunk_samples=200, precision="32", accelerator="cpu"
        ),
    )
    judged = poreconv.evaluate(
        trained.bundle, store.path, networks=Mixed, metrics={"count_error": count_error}, baselines=[every_ten]
    )
    assert judged.scores["model"]["count_error"] == trained.scores["model"]["count_error"]
    assert judged.scores["every_ten"]["count_error"] == trained.scores["every_ten"]["count_error"]
    poreconv.label(trained.bundle, sys.argv[1], out="events.csv", config=LabelConfig(work=two), networks=Mixed)
"""
"""The same in Python, with objects instead of names."""

CONTRACTS = """
from pathlib import Path
from poreconv.testing import check_label_source, check_network, check_reader, check_writer
from squiggle_extras.files import CsvWriter, NpzReader
from squiggle_extras.labels import steps
from squiggle_extras.model import Mixed

reads = check_reader(NpzReader, Path("reads.npz"))
assert len([events for events in check_label_source(steps, reads) if events is not None]) == len(reads)
assert check_writer(CsvWriter, Path("events.csv")).read_text().count("\\n") == 7
assert check_network(Mixed, chunk_samples=200).receptive_field is None
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder in which the package is installed."""
    folder = tmp_path_factory.mktemp("example")
    shutil.copytree(EXAMPLE, folder / "source")
    install = ["-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--no-build-isolation"]
    place = ["--disable-pip-version-check", "--target", str(folder / "site"), str(folder / "source")]
    subprocess.run([sys.executable, *install, *place], check=True, capture_output=True)
    return folder / "site"


@pytest.fixture(scope="module")
def reads(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two files of simulated squiggles, so that there is work for two processes."""
    folder = tmp_path_factory.mktemp("reads")
    for seed in (0, 1):
        simulated(folder / str(seed), seed=seed, n_reads=12)
    return folder


def run(site: Path, folder: Path, *words: object) -> subprocess.CompletedProcess[str]:
    """Run Python in a process of its own, which finds the package."""
    environment = os.environ | {"PYTHONPATH": str(site)}
    command = [sys.executable, *map(str, words)]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


def poreconv(site: Path, folder: Path, *words: object) -> subprocess.CompletedProcess[str]:
    """Run a command in a process of its own."""
    return run(site, folder, "-c", "from poreconv.cli.main import main; main()", *words)


@pytest.fixture(scope="module")
def trained(site: Path, reads: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the commands made of the reads, from prepare to label, in a folder."""
    folder = tmp_path_factory.mktemp("commands")
    for words in (
        ["prepare", reads, "--labels", "squiggle_extras.labels:steps", "--workers", "2", *SPLIT, "--out", "store"],
        ["train", "store", *NETWORK, *TRAINING, *JUDGING, "--out", "run"],
        ["evaluate", "run/model.safetensors", "store", *NETWORK, *JUDGING, "--out", "result.json"],
        ["label", "run/model.safetensors", reads, *NETWORK, "--workers", "2", "--out", "events.csv"],
    ):
        done = poreconv(site, folder, *words)
        assert done.returncode == 0, done.stderr
    return folder


def test_the_package_keeps_the_contracts(site: Path, reads: Path, tmp_path: Path) -> None:
    """As its own tests would check it, with `poreconv.testing`."""
    with open_reads(reads) as stream:
        arrays = {read.read_id: read.pa for read in stream}
    np.savez(tmp_path / "reads.npz", sample_rate_hz=4000, **arrays)
    done = run(site, tmp_path, "-c", CONTRACTS)

    assert done.returncode == 0, done.stderr


def test_everything_of_ones_own_takes_part_in_the_commands(trained: Path) -> None:
    """The store names the labels, the callback ran, the metric and the baseline are in the report and in the result."""
    result = json.loads((trained / "result.json").read_text())
    page = (trained / "run" / "report.html").read_text()

    assert json.loads((trained / "store" / "dataset.json").read_text())["labels"] == ["squiggle_extras.labels:steps"]
    assert (trained / "run" / "logs" / "batches.txt").read_text() == "4"
    assert result["scores"].keys() == {"model", "uniform", "every_ten"}
    assert all(scores["count_error"] >= 0 for scores in result["scores"].values())
    assert "count_error" in page
    assert "every_ten" in page


def test_labels_are_written_by_an_installed_writer(trained: Path) -> None:
    """By the suffix of the output."""
    lines = (trained / "events.csv").read_text().splitlines()

    assert lines[0] == '"read_id","start","end","label","score","mean_pa","sd_pa"'
    assert len(lines) > 24


def test_signal_is_read_by_an_installed_reader(site: Path, trained: Path, reads: Path, tmp_path: Path) -> None:
    """By the suffix of the file, in a folder too; events are the same whether counts or pA are stored."""
    with open_reads(reads) as stream:
        arrays = {read.read_id: read.pa for read in stream}
    np.savez(tmp_path / "reads.npz", sample_rate_hz=4000, **arrays)
    words = ["label", trained / "run" / "model.safetensors", tmp_path, *NETWORK, "--out", "events.csv"]
    done = poreconv(site, tmp_path, *words)

    assert done.returncode == 0, done.stderr
    assert "reads in 24 = kept 24 + dropped 0" in done.stderr
    found, expected = (folder / "events.csv" for folder in (tmp_path, trained))
    assert found.read_text().count("\n") == expected.read_text().count("\n")


def test_the_same_in_python(site: Path, trained: Path, reads: Path, tmp_path: Path) -> None:
    """Objects in place of names make the same model, and the same table with two workers."""
    (tmp_path / "program.py").write_text(PROGRAM)
    done = run(site, tmp_path, "program.py", reads)

    assert done.returncode == 0, done.stderr
    assert (tmp_path / "run" / "logs" / "batches.txt").read_text() == "4"
    assert (tmp_path / "events.csv").read_bytes() == (trained / "events.csv").read_bytes()


def test_without_the_flag_one_line_states_it(site: Path, trained: Path, reads: Path) -> None:
    """In a fresh process; what the bundle names is not imported."""
    done = poreconv(site, trained, "label", "run/model.safetensors", reads, "--out", "other.tsv")

    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "give it, as --network squiggle_extras.model:Mixed" in done.stderr
    assert not (trained / "other.tsv").exists()


@pytest.mark.parametrize("flag", ["labels", "loss", "metrics"])
def test_names_in_a_config_are_not_imported(flag: str, site: Path, trained: Path, tmp_path: Path) -> None:
    """The message states the flag to give; the planted module leaves no trace."""
    (tmp_path / "planted.py").write_text("open(__file__ + '.imported', 'w').close()\n")
    several = flag != "loss"
    (tmp_path / "file.yaml").write_text(f"{flag}: {'[planted.py:Own]' if several else 'planted.py:Own'}\n")
    command = ["evaluate", trained / "run" / "model.safetensors"] if flag == "labels" else ["train"]
    done = poreconv(site, tmp_path, *command, trained / "store", "--config", "file.yaml", "--out", "x.json")

    assert done.returncode == 1
    assert f"what a file names is not imported; give --{flag} planted.py:Own on the command line" in done.stderr
    assert not list(tmp_path.glob("*.imported"))
