"""A network of the user's own, from training to labels."""

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

import poreconv
from poreconv.commands.evaluate import evaluate
from poreconv.commands.export import export
from poreconv.commands.label import label
from poreconv.commands.plot import plot_read
from poreconv.commands.stream import stream
from poreconv.commands.train import train
from poreconv.config import FlowCellConfig, LabelConfig, TrainConfig, WorkConfig
from poreconv.dataset.store import Store
from poreconv.errors import BundleError, ConfigError
from poreconv.models.header import read_header
from poreconv.reads import pieces
from poreconv.runtime.records import to_plain
from poreconv.training.run import TrainingRun
from tests.support.data import simulated, store_of
from tests.support.networks import FILE, UNBOUNDED, Averaging, file_at

CONFIG = TrainConfig(
    max_steps=6,
    batch_size=4,
    chunk_samples=200,
    validate_every=3,
    precision="32",
    accelerator="cpu",
    learning_rate=0.02,
)
TWO = LabelConfig(work=WorkConfig(workers=2))
NAME = f"{Averaging.__module__}:Averaging"


@pytest.fixture(scope="module")
def reads(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with simulated squiggles."""
    return simulated(tmp_path_factory.mktemp("reads") / "simulated")


@pytest.fixture(scope="module")
def store(reads: Path) -> Path:
    """A store of them."""
    return store_of(reads, reads.parent / "store")


@pytest.fixture(scope="module")
def bundle(store: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model with a network of the user's own."""
    out = tmp_path_factory.mktemp("own") / "run"
    return train(store, out=out, network=Averaging, settings={"width": 5}, config=CONFIG).bundle


@pytest.fixture
def many_jobs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make a job of each read, so that there is work for several processes."""
    monkeypatch.setattr(pieces, "JOB_BYTES", 1)


def run(*words: object, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run the command in a process of its own."""
    command = [sys.executable, "-c", "from poreconv.cli.main import main; main()", *map(str, words)]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)


def test_a_training_ends_with_a_bundle_and_a_report(bundle: Path) -> None:
    """The recipe contains the name, the settings and what was measured."""
    recipe = read_header(bundle).recipe
    measured = recipe.own_network

    assert (recipe.network, recipe.network_settings) == (NAME, {"width": 5})
    assert measured is not None
    assert (measured.size.receptive_field, measured.size.alignment, measured.stride) == (9, 2, 2)
    assert (bundle.parent / "report.html").exists()


@pytest.mark.parametrize("name", ["attention", "group norm"])
def test_a_network_of_whole_windows_is_trained_and_used(name: str, store: Path, reads: Path, tmp_path: Path) -> None:
    """Attention, group norm and so on label windows of their training length, and say so when asked to stream."""
    own, config = UNBOUNDED[name], replace(CONFIG, chunk_samples=60, max_steps=2, validate_every=1)
    bundle = train(store, out=tmp_path / "run", network=own, config=config, with_report=False).bundle
    result = evaluate(bundle, store, baselines=[], networks=own)

    assert read_header(bundle).recipe.own_network.size.receptive_field is None
    assert result.network["alignment"] == 60
    with pytest.raises(ConfigError, match="has no bounded receptive field; use poreconv label"):
        stream(bundle, reads, config=FlowCellConfig(channels=1, seconds=1, speed="max"), networks=own)


@pytest.mark.usefixtures("many_jobs")
def test_several_processes_label_like_one(bundle: Path, reads: Path, tmp_path: Path) -> None:
    """The network is imported in each."""
    label(bundle, reads, out=tmp_path / "one.tsv", config=LabelConfig(work=WorkConfig(workers=1)), networks=NAME)
    label(bundle, reads, out=tmp_path / "two.tsv", config=TWO, networks=NAME)

    assert (tmp_path / "two.tsv").read_text() == (tmp_path / "one.tsv").read_text()


@pytest.mark.usefixtures("many_jobs")
def test_what_cannot_be_pickled_runs_in_one_process(bundle: Path, reads: Path, tmp_path: Path) -> None:
    """A warning states it, and the labels are the same."""
    with pytest.warns(UserWarning, match=r"network: cannot be sent to other processes \(.*\); one process does all"):
        label(bundle, reads, out=tmp_path / "own.tsv", config=TWO, networks=lambda n_classes, width: Averaging(2, 5))
    label(bundle, reads, out=tmp_path / "usual.tsv", config=TWO, networks=Averaging)

    assert (tmp_path / "own.tsv").read_text() == (tmp_path / "usual.tsv").read_text()


COMMANDS: dict[str, Callable[[Path, Path, Path, Any], Any]] = {
    "label": lambda bundle, reads, out, own: label(bundle, reads, out=out / "events.tsv", networks=own),
    "plot": lambda bundle, reads, out, own: plot_read(reads, out=out / "read.html", model=bundle, networks=own),
    "export": lambda bundle, reads, out, own: export(bundle, out=out / "model.onnx", networks=own),
    "load": lambda bundle, reads, out, own: poreconv.load(bundle, networks=own),
    "stream": lambda bundle, reads, out, own: stream(
        bundle, reads, config=FlowCellConfig(channels=1, seconds=0.5, speed="max", workers=1), networks=own
    ),
}
"""Command -> a call of it with a bundle, a folder of reads, a folder for its output, and a network."""


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_takes_the_network(name: str, bundle: Path, reads: Path, tmp_path: Path) -> None:
    """Without it, one line states which flag to give, and nothing is written."""
    with pytest.raises(BundleError, match="give it, as --network"):
        COMMANDS[name](bundle, reads, tmp_path, None)

    assert list(tmp_path.iterdir()) == []
    COMMANDS[name](bundle, reads, tmp_path, Averaging)


def test_what_files_name_is_not_imported(store: Path, reads: Path, bundle: Path, tmp_path: Path) -> None:
    """A name that is planted in a --config, or in the folder of a run that goes on, in fresh processes."""
    (tmp_path / "planted.py").write_text("open(__file__ + '.imported', 'w').close()\n" + FILE)
    for config, name in (("file.yaml", "planted.py:Net"), ("module.yaml", "planted:Net")):
        (tmp_path / config).write_text(yaml.safe_dump({"network": name}))
    train(store, out=tmp_path / "run", network="heartbeat", config=CONFIG, with_report=False)
    described = tmp_path / "run" / "run.json"
    plan = json.loads(described.read_text())
    measured = to_plain(read_header(bundle).recipe.own_network)
    plan["recipe"] |= {"network": "planted.py:Net", "own_network": measured}
    described.write_text(json.dumps(plan))
    outputs = [
        run("train", store, "--config", "file.yaml", "--out", "new", cwd=tmp_path),
        run("label", bundle, reads, "--config", "module.yaml", "--out", "events.tsv", cwd=tmp_path),
        run("train", store, "--network", "heartbeat", "--max_steps", 2, "--out", "run", cwd=tmp_path),
    ]

    assert [done.returncode for done in outputs] == [1, 1, 1]
    assert all("what a file names is not imported; give --network" in done.stderr for done in outputs[:2])
    assert "holds a training run with other stores or settings" in outputs[2].stderr
    assert not list(tmp_path.glob("*.imported"))


def test_each_fold_has_a_network_of_its_own(store: Path, tmp_path: Path) -> None:
    """A module that is given is copied for each training, and stays as it was."""
    module = Averaging(2)
    weight = module.stem.weight.clone()
    config = replace(CONFIG, folds=2, max_steps=3)
    bundle = train(store, out=tmp_path / "run", network=module, config=config, with_report=False).bundle

    assert (module.stem.weight == weight).all()
    assert read_header(bundle).recipe.network_settings == {}


def test_a_failed_run_goes_on(store: Path, tmp_path: Path) -> None:
    """What is measured does not change in between: the bundle is that of an undisturbed run, byte for byte."""
    steps = [None] * 4
    with pytest.raises(ConfigError, match="training with your own code failed: IndexError"):
        TrainingRun([Store(store)], tmp_path / "one", Averaging, None, CONFIG).fit(lambda *_: steps.pop())
    resumed, whole = (
        train(store, out=tmp_path / name, network=Averaging, config=CONFIG, with_report=False).bundle
        for name in ("one", "two")
    )

    assert resumed.read_bytes() == whole.read_bytes()


def test_a_network_that_fails_takes_no_folder(store: Path, tmp_path: Path) -> None:
    """All that can fail is tried before the training starts."""
    own = file_at(tmp_path / "my.py", FILE.replace("transpose(1, 2)\n", "transpose(1, 2).detach()\n"))
    with pytest.raises(ConfigError, match="Net: no gradient reaches its weights"):
        train(store, out=tmp_path / "run", network=own, config=CONFIG)

    assert not (tmp_path / "run").exists()
