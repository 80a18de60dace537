"""A loss, transforms, callbacks and loggers of the user's own."""

import math
import pickle
from dataclasses import replace
from pathlib import Path
from typing import Any

import lightning as L
import numpy as np
import pytest
import torch
from lightning.pytorch.loggers import CSVLogger
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from poreconv.commands.train import train
from poreconv.config import TrainConfig
from poreconv.dataset.store import Store
from poreconv.errors import ConfigError
from poreconv.events.tasks import task_named
from poreconv.training.data import Reads, SquiggleData, WindowBatches
from poreconv.training.plugins import Plugins
from poreconv.training.run import TrainingRun
from tests.support.data import squiggle_store
from tests.support.models import TINY

NAME = __name__
CONFIG = TrainConfig(max_steps=6, batch_size=4, chunk_samples=120, validate_every=3, precision="32", accelerator="cpu")
BOUNDARY = task_named("boundary")


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store of simulated squiggles."""
    return squiggle_store(tmp_path_factory.mktemp("store"), n_reads=12)


def plain(logits: Tensor, target: Tensor) -> Tensor:
    """Cross-entropy without class weights."""
    return functional.cross_entropy(logits, target, ignore_index=-1)


class Learnt(nn.Module):
    """Cross-entropy with a learnt temperature."""

    def __init__(self, n_classes: int) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(n_classes, 1))

    def forward(self, logits: Tensor, target: Tensor) -> Tensor:
        """Return the loss."""
        return functional.cross_entropy(logits * self.scale, target, ignore_index=-1)


def reverse(x: NDArray[np.float32], y: NDArray[Any]) -> tuple[NDArray[np.float32], NDArray[Any]]:
    """Turn a window round."""
    return x[::-1], y[::-1]


def add_noise(
    x: NDArray[np.float32], y: NDArray[Any], rng: np.random.Generator
) -> tuple[NDArray[np.float32], NDArray[Any]]:
    """Add noise, by chance."""
    return x + rng.normal(0, 0.1, len(x)), y


class Ending(L.Callback):
    """Ends a training at its second step."""

    def on_train_batch_end(self, trainer: L.Trainer, *_: Any) -> None:
        """Fail."""
        if trainer.global_step == 2:
            raise ValueError("it is enough")


def batches(store: Path, *transforms: Any, **config: Any) -> WindowBatches:
    """The training windows of a store."""
    reads = Reads([Store(store)], "train", 5.0)
    return WindowBatches(
        reads, replace(CONFIG, **config), slice(None), Plugins(transforms=transforms).make_transforms()
    )


@pytest.mark.parametrize("asked", [plain, f"{NAME}:plain", nn.CrossEntropyLoss(ignore_index=-1)])
def test_a_loss_takes_the_place_of_the_tasks(asked: Any) -> None:
    """A function, a name, or one of torch."""
    loss = Plugins(loss=asked).make_loss(2, BOUNDARY)
    logits, target = torch.tensor([[[0.0, 2.0, 9.0], [1.0, 0.0, -9.0]]]), torch.tensor([[1, 0, -1]])
    expected = (math.log1p(math.exp(-1)) + math.log1p(math.exp(-2))) / 2

    assert loss is not None
    assert float(loss(logits.half(), target)) == pytest.approx(expected)


def test_a_loss_of_ones_own_trains(store: Path, tmp_path: Path) -> None:
    """Unweighted cross-entropy is that of the task without class balance, so it makes the same model."""
    asked: dict[str, Any] = {"network": "unet", "settings": TINY["unet"], "with_report": False}
    own = train(store, out=tmp_path / "own", loss=plain, config=CONFIG, **asked)
    same = train(store, out=tmp_path / "same", config=replace(CONFIG, class_balance=0.0), **asked)

    assert own.bundle.read_bytes() == same.bundle.read_bytes()


def test_a_loss_with_weights_is_trained_and_goes_on(store: Path, tmp_path: Path) -> None:
    """Its weights are in the checkpoints: a killed training ends like an undisturbed one."""
    settings, plugins = TINY["unet"], Plugins(Learnt, [add_noise])
    steps = [None] * 4
    killed = TrainingRun([Store(store)], tmp_path / "one", "unet", settings, CONFIG, plugins)
    with pytest.raises(ConfigError, match="training with your own code failed: IndexError"):
        killed.fit(lambda *_: steps.pop())
    weight = killed.module.own_loss.function.scale
    one, two = (
        train(
            store, out=tmp_path / name, network="unet", settings=settings, config=CONFIG, loss=Learnt,
            transforms=[add_noise], with_report=False,
        )
        for name in ("one", "two")
    )  # fmt: skip

    assert not torch.equal(weight, torch.ones(2, 1))
    assert one.bundle.read_bytes() == two.bundle.read_bytes()


WRONG_LOSSES: dict[str, tuple[Any, str]] = {
    "unknown samples": (nn.CrossEntropyLoss(), "failed: IndexError: Target -1 is out of bounds.*targets are -1 where"),
    "not a scalar": (lambda z, y: z.sum(1), r"returned shape \(2, 256\); the mean, a scalar, is expected"),
    "a number": (lambda z, y: 1.0, "returned a float; a tensor is expected"),
    "no gradient": (lambda z, y: z.detach().mean(), "computing the gradient of the loss failed: RuntimeError"),
    "not finite": (lambda z, y: (z * math.inf).mean(), "is not finite where targets are -1"),
    "no function": ({}, "loss builtins:dict: a dict; give a function, a module or its class"),
}


@pytest.mark.parametrize("name", WRONG_LOSSES)
def test_a_loss_is_tried_before_the_training(name: str, store: Path, tmp_path: Path) -> None:
    """One line, and no folder."""
    own, message = WRONG_LOSSES[name]
    with pytest.raises(ConfigError, match=message):
        train(store, out=tmp_path / "run", loss=own, config=CONFIG)

    assert not (tmp_path / "run").exists()


def test_transforms_change_windows_in_turn(store: Path) -> None:
    """Signal and targets together, after the augmentation."""
    (x_B1T, y_BT), (reversed_x, reversed_y) = batches(store)[3], batches(store, f"{NAME}:reverse")[3]

    assert torch.equal(reversed_x, x_B1T.flip(-1))
    assert torch.equal(reversed_y, y_BT.flip(-1))


def test_what_a_transform_draws_repeats(store: Path) -> None:
    """It is a function of seed, step and window, whichever process makes the window, and after pickling."""
    windows = batches(store, add_noise)
    x_B1T, _ = windows[5]
    rows = pickle.loads(pickle.dumps(Plugins(transforms=[add_noise]).make_transforms()))
    part = WindowBatches(Reads([Store(store)], "train", 5.0), CONFIG, slice(1, None, 2), rows)

    assert torch.equal(x_B1T, windows[5][0])
    assert torch.equal(x_B1T[1::2], part[5][0])
    assert not torch.equal(x_B1T, windows[6][0])
    assert len({float(row.std()) for row in x_B1T - batches(store)[5][0]}) == len(x_B1T)


WRONG_TRANSFORMS: dict[str, tuple[Any, str]] = {
    "shorter": (lambda x, y: (x[1:], y[1:]), r"returned shapes \(119,\) and \(119,\); signal and targets of \(120,\)"),
    "signal only": (lambda x, y: x, "returned shapes"),
    "fails": (lambda x, y: x.nonsense, "transforming a window failed: AttributeError"),
}


@pytest.mark.parametrize("name", WRONG_TRANSFORMS)
def test_a_transform_is_tried_before_the_training(name: str, store: Path) -> None:
    """On one window."""
    own, message = WRONG_TRANSFORMS[name]
    with pytest.raises(ConfigError, match=message):
        SquiggleData([Store(store)], CONFIG, transforms=Plugins(transforms=[own]).make_transforms())


def test_callbacks_and_loggers_take_part(store: Path, tmp_path: Path) -> None:
    """A callback's error is one line; a logger has the losses."""
    logger = CSVLogger(tmp_path / "elsewhere", flush_logs_every_n_steps=1)
    message = r"^train: training with your own code failed: ValueError: it is enough \(.*test_plugins\.py, line \d+\)$"
    with pytest.raises(ConfigError, match=message):
        train(store, out=tmp_path / "run", network="unet", settings=TINY["unet"], callbacks=[Ending], config=CONFIG)
    train(
        store, out=tmp_path / "logged", network="unet", settings=TINY["unet"], loggers=[logger], config=CONFIG,
        with_report=False,
    )  # fmt: skip

    assert "validation_score" in (Path(logger.log_dir) / "metrics.csv").read_text()


@pytest.mark.parametrize(
    ("plugins", "message"),
    [
        (Plugins(callbacks=[CSVLogger]), "CSVLogger: making it failed: TypeError"),
        (Plugins(callbacks=[dict]), "callback builtins:dict: a dict; one of Lightning's callbacks is expected"),
        (Plugins(callbacks=["os:sep"]), "callback os:sep: a str; one of Lightning's callbacks is expected"),
    ],
)
def test_what_is_no_callback_is_refused(plugins: Plugins, message: str) -> None:
    """The message names it."""
    with pytest.raises(ConfigError, match=message):
        plugins.make_callbacks()


def test_a_training_does_not_go_on_with_another_loss(store: Path, tmp_path: Path) -> None:
    """The folder knows the source of what decides on the weights."""
    asked: dict[str, Any] = {"network": "unet", "settings": TINY["unet"], "config": CONFIG, "with_report": False}
    train(store, out=tmp_path / "run", loss=plain, **asked)
    with pytest.raises(ConfigError, match="holds a training run with other stores or settings"):
        train(store, out=tmp_path / "run", loss=Learnt, **asked)
    with pytest.raises(ConfigError, match="holds a training run with other stores or settings"):
        train(store, out=tmp_path / "run", **asked)
