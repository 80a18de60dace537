"""What a killed training run finds again: the models that it began with, and whole checkpoints."""

import shutil
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import lightning as L
import pytest

from poreconv.commands import train as command
from poreconv.config import TrainConfig
from poreconv.dataset.store import open_stores
from poreconv.errors import ConfigError
from poreconv.models.architectures import Heartbeat
from poreconv.training.resuming import BEST, LAST, checkpoint_to_resume
from poreconv.training.run import TrainingRun
from tests.support.data import heartbeat_store
from tests.support.faults import tree

CONFIG = TrainConfig(
    max_steps=12, validate_every=3, batch_size=4, chunk_samples=64, accelerator="cpu", precision="32", patience=99
)
NETWORK = Heartbeat(channels=2, layers=1)
train = partial(command.train, network="heartbeat", settings=NETWORK, with_report=False)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store of simulated heartbeats."""
    return heartbeat_store(tmp_path_factory.mktemp("hearts"), n_reads=16)


@pytest.fixture(scope="module")
def undisturbed(store: Path, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The bundle of a training run from start to end."""
    return train(store, out=tmp_path_factory.mktemp("undisturbed"), config=CONFIG).bundle.read_bytes()


class KilledError(Exception):
    """Stands for a kill."""


def killed(store: Path, out: Path, config: TrainConfig = CONFIG, *, at_step: int = 10) -> Path:
    """Train up to a step; gives the folder of checkpoints."""

    class Kill(L.Callback):
        def on_train_batch_start(self, trainer: L.Trainer, *_: Any) -> None:
            if trainer.global_step == at_step:
                raise KilledError

    run = TrainingRun(open_stores([store]), out, "heartbeat", NETWORK, config)
    trainer = run.trainer

    def with_kill(progress: Any) -> L.Trainer:
        made = trainer(progress)
        made.callbacks.insert(0, Kill())  # type: ignore[attr-defined]
        return made

    run.trainer = with_kill  # type: ignore[method-assign]
    with pytest.raises(KilledError):
        run.fit(lambda *_: None)
    return out / "checkpoints"


def zeroed(path: Path) -> None:
    """Damage a file as a loss of power does: its size is there, not its bytes."""
    path.write_bytes(bytes(path.stat().st_size))


def cut(path: Path) -> None:
    """Damage a file as a full disk does."""
    path.write_bytes(path.read_bytes()[:-1000])


def changed(path: Path) -> None:
    """Damage a file as an old disk does: one bit of a weight."""
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


@pytest.mark.parametrize("damage", [zeroed, cut, changed])
@pytest.mark.parametrize(("name", "after"), [(LAST, "goes on after best.ckpt"), (BEST, "starts anew")])
def test_a_damaged_checkpoint_counts_as_missing(
    name: str, after: str, damage: Callable[[Path], None], store: Path, undisturbed: bytes, tmp_path: Path
) -> None:
    """With one warning; what is trained in the end is what an undisturbed run trains."""
    damage(killed(store, tmp_path / "run") / name)
    with pytest.warns(UserWarning, match=rf"{name}: damaged; the training {after}") as warned:
        bundle = train(store, out=tmp_path / "run", config=CONFIG).bundle

    assert len([each for each in warned if "damaged" in str(each.message)]) == 1
    assert bundle.read_bytes() == undisturbed


def test_whole_checkpoints_are_used(store: Path, undisturbed: bytes, tmp_path: Path) -> None:
    """The last one, without a warning."""
    checkpoints = killed(store, tmp_path / "run")

    assert checkpoint_to_resume(checkpoints) == checkpoints / LAST
    assert train(store, out=tmp_path / "run", config=CONFIG).bundle.read_bytes() == undisturbed


@pytest.mark.parametrize("setting", ["start_from", "teacher"])
def test_a_training_does_not_go_on_with_another_model(
    setting: str, store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file of the same name that was replaced is another model; put back, the training goes on."""
    models = [train(store, out=tmp_path / f"{n}", config=replace(CONFIG, seed=n)).bundle for n in range(2)]
    monkeypatch.chdir(tmp_path)
    shutil.copy(models[0], "model.safetensors")
    config = replace(CONFIG, **{setting: "model.safetensors"}, seed=7)
    killed(store, tmp_path / "run", config)
    shutil.copy(models[1], "model.safetensors")
    before = tree(tmp_path / "run")
    with pytest.raises(ConfigError, match=rf"run: this training run began with another file as {setting}"):
        train(store, out=tmp_path / "run", config=config)

    assert tree(tmp_path / "run") == before
    shutil.copy(models[0], "model.safetensors")
    whole = train(store, out=tmp_path / "whole", config=config).bundle
    assert train(store, out=tmp_path / "run", config=config).bundle.read_bytes() == whole.read_bytes()


def test_checkpoints_of_nobody_knows_what_are_not_used(store: Path, tmp_path: Path) -> None:
    """Without what the training run was, it is not continued."""
    killed(store, tmp_path / "run")
    (tmp_path / "run" / "run.json").unlink()
    with pytest.raises(ConfigError, match="holds a training run with other stores or settings"):
        train(store, out=tmp_path / "run", config=CONFIG)


def test_a_refused_training_leaves_nothing(store: Path, tmp_path: Path) -> None:
    """So that the next one, with another setting, is not refused because of it."""
    with pytest.raises(ConfigError, match="accelerator"):
        train(store, out=tmp_path / "new" / "run", config=replace(CONFIG, accelerator="tpu"))

    assert [*tmp_path.iterdir()] == []
