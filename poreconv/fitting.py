"""What a training needs of Lightning: callbacks, checkpoints that exist whole or not at all, and fewer words."""

import ctypes
import logging
import platform
import signal
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import lightning as L
from lightning.fabric.utilities.exceptions import MisconfigurationException
from lightning.pytorch.callbacks import Callback, EarlyStopping, Timer
from lightning.pytorch.loggers import CSVLogger, TensorBoardLogger
from lightning.pytorch.plugins.io import TorchCheckpointIO
from torch import nn

from poreconv.backends.pytorch import default_device, has_bf16
from poreconv.config import TrainConfig, require
from poreconv.errors import ConfigError
from poreconv.files import whole_file
from poreconv.labeller import SCORE
from poreconv.processes import is_first
from poreconv.progress import Report

NOT_NEWS = (
    ".*isinstance.treespec, LeafSpec.*",  # Lightning's use of a deprecated function of torch
    ".*does not have many workers",  # the training process gathers the batches itself: see TrainConfig.loader_workers
    "Checkpoint directory .* exists and is not empty",  # a run that goes on
)
"""Warnings that tell a user nothing."""


@contextmanager
def quiet() -> Iterator[None]:
    """Leave out what Lightning says of itself; warnings about the training stay."""
    loggers = [logging.getLogger(name) for name in ("lightning.pytorch", "lightning.fabric")]
    levels = [logger.level for logger in loggers]
    with warnings.catch_warnings():
        for message in NOT_NEWS:
            warnings.filterwarnings("ignore", message=message)
        try:
            for logger in loggers:
                logger.setLevel(logging.WARNING)
            yield
        finally:
            for logger, level in zip(loggers, levels, strict=True):
                logger.setLevel(level)


@contextmanager
def interruptible() -> Iterator[None]:
    """Let Ctrl-C be a KeyboardInterrupt again, where Lightning exits and leaves the signal ignored.

    Of several processes the first one hears it, and ends the others.
    """
    handler = signal.getsignal(signal.SIGINT)
    if not is_first() and threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    except SystemExit as exc:
        raise KeyboardInterrupt from exc
    finally:
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGINT, handler)


M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3
"""Of glibc's malloc.h."""
KEPT_BYTES, GLIBC_BYTES = 2**30, (2**26, 2**25)
"""Blocks up to this size are kept; and what glibc adjusts both thresholds to by itself, at most."""


@contextmanager
def memory_kept() -> Iterator[None]:
    """Keep the memory that a step frees for the next one, where glibc would give it back to the system each time.

    Without it, a tenth of a step on a CPU goes into getting the same pages again. Other systems are left as they are.
    """
    if platform.libc_ver()[0] != "glibc":
        yield
        return
    libc = ctypes.CDLL(None)
    for threshold in (M_TRIM_THRESHOLD, M_MMAP_THRESHOLD):
        libc.mallopt(threshold, KEPT_BYTES)
    try:
        yield
    finally:
        for threshold, most in zip((M_TRIM_THRESHOLD, M_MMAP_THRESHOLD), GLIBC_BYTES, strict=True):
            libc.mallopt(threshold, most)
        libc.malloc_trim(0)


def uses_bf16(config: TrainConfig) -> bool:
    """Whether to compute in bf16: asked for, or left open and the processor can."""
    if config.precision != "auto":
        return config.precision == "bf16"
    return has_bf16(default_device("cpu" if config.accelerator == "cpu" else None))


def make_trainer(config: TrainConfig, out: Path, callbacks: list[Callback]) -> L.Trainer:
    """Lightning's trainer.

    Args:
        config: How to train.
        out: Folder of the run, for the logs.
        callbacks: What goes along with the training.

    Raises:
        ConfigError: There is no such accelerator here, or not so many devices.
    """
    try:
        return _trainer(config, out, callbacks)
    except (ValueError, MisconfigurationException) as exc:
        raise ConfigError(f"accelerator {config.accelerator!r}, devices {config.devices}: {exc}") from exc


def _trainer(config: TrainConfig, out: Path, callbacks: list[Callback]) -> L.Trainer:
    precision = "bf16-mixed" if uses_bf16(config) else "32-true"
    return L.Trainer(
        accelerator=config.accelerator,
        devices=config.devices,
        num_nodes=config.nodes,
        sync_batchnorm=True,
        precision=precision,  # type: ignore[arg-type]  # one of Lightning's literals
        max_epochs=-1,
        gradient_clip_val=config.gradient_clip,
        callbacks=callbacks,
        logger=[CSVLogger(out, name="logs/csv"), TensorBoardLogger(out, name="logs/tensorboard")],
        plugins=[WholeFileCheckpoints()],
        default_root_dir=out,
        log_every_n_steps=min(50, config.validate_every),
        num_sanity_val_steps=0,
        use_distributed_sampler=False,
        enable_progress_bar=False,
        enable_model_summary=False,
    )


def require_alike(trainer: L.Trainer, network: nn.Module) -> None:
    """Refuse a training of which the number of processes would change the result.

    Raises:
        ConfigError: Several processes on a CPU, each of which would normalise its own windows.
    """
    apart = trainer.world_size > 1 and trainer.strategy.root_device.type == "cpu"
    normalises = any(isinstance(layer, nn.BatchNorm1d) for layer in network.modules())
    require(
        not (apart and normalises),
        f"devices: {trainer.world_size} processes on a CPU cannot normalise batches together; set batch_norm to false,"
        " where the architecture has it (unet, resnet, vgg, alexnet, crnn), or train in one",
    )


class WholeFileCheckpoints(TorchCheckpointIO):
    """Checkpoints that exist whole or not at all, also where the temporary folder is on another file system."""

    def save_checkpoint(self, checkpoint: dict[str, Any], path: Any, storage_options: Any = None) -> None:
        """Write beside the place, then rename."""
        with whole_file(Path(path)) as partial:
            super().save_checkpoint(checkpoint, partial, storage_options)


class Clock(Timer):
    """The time limit. Of several processes the first one's clock counts, so that all do the same at each step."""

    def __init__(self, max_time: str) -> None:
        super().__init__(max_time, interval="step", verbose=False)

    def on_train_start(self, trainer: L.Trainer, pl_module: Any) -> None:
        """Go on from what was spent before."""
        super().on_train_start(trainer, pl_module)
        self._tell(trainer, pl_module)

    def on_train_batch_end(self, trainer: L.Trainer, pl_module: Any, *_: Any) -> None:
        """Tell how much is spent; `Stop` stops."""
        self._tell(trainer, pl_module)

    def _tell(self, trainer: L.Trainer, pl_module: Any) -> None:
        elapsed, remaining = self.time_elapsed(), self.time_remaining() or 0.0
        pl_module.spent = trainer.strategy.broadcast(elapsed / max(elapsed + remaining, 1e-9))


class Stop(EarlyStopping):
    """Stops when nothing gets better, and when steps or time are spent.

    Lightning's own `max_steps` would leave out the validation of the last steps.
    """

    def on_train_start(self, trainer: L.Trainer, pl_module: Any) -> None:
        """A run that was killed when it had stopped does not go on."""
        trainer.should_stop |= self.wait_count >= self.patience or pl_module.progress(trainer.global_step) >= 1

    def on_train_batch_end(self, trainer: L.Trainer, pl_module: Any, *_: Any) -> None:
        """Stop after the last step."""
        trainer.should_stop |= pl_module.progress(trainer.global_step) >= 1


class Watch(Callback):
    """Tells the progress bar how far the training is, and how good."""

    def __init__(self, report: Report) -> None:
        self._report = report

    def on_train_batch_end(self, trainer: L.Trainer, pl_module: Any, *_: Any) -> None:
        """Share of the training, step, loss and score."""
        metrics = trainer.callback_metrics
        numbers = [f"{name} {float(metrics[key]):.4f}" for key, name in SHOWN.items() if key in metrics]
        self._report(pl_module.progress(trainer.global_step), f"step {trainer.global_step:,}  {'  '.join(numbers)}")


SHOWN = {"train_loss": "loss", SCORE: "validation"}


class BundleOnInterrupt(Callback):
    """Ctrl-C leaves a usable bundle; the checkpoints stay, so the same command goes on."""

    def __init__(self, write: Callable[[], None]) -> None:
        self._write = write

    def on_exception(self, trainer: L.Trainer, pl_module: Any, exception: BaseException) -> None:
        """Write what there is."""
        if isinstance(exception, KeyboardInterrupt) and trainer.is_global_zero:
            self._write()
