"""What a training needs of Lightning: callbacks, checkpoints that exist whole or not at all, and fewer words."""

import logging
import signal
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import lightning as L
import torch
from lightning.pytorch.callbacks import Callback, EarlyStopping
from lightning.pytorch.plugins.io import TorchCheckpointIO

from poreconv.config import TrainConfig
from poreconv.files import whole_file
from poreconv.labeller import SCORE
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
    logger = logging.getLogger("lightning.pytorch")
    level = logger.level
    with warnings.catch_warnings():
        for message in NOT_NEWS:
            warnings.filterwarnings("ignore", message=message)
        try:
            logger.setLevel(logging.WARNING)
            yield
        finally:
            logger.setLevel(level)


@contextmanager
def interruptible() -> Iterator[None]:
    """Let Ctrl-C be a KeyboardInterrupt again, where Lightning exits and leaves the signal ignored."""
    handler = signal.getsignal(signal.SIGINT)
    try:
        yield
    except SystemExit as exc:
        raise KeyboardInterrupt from exc
    finally:
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGINT, handler)


def uses_bf16(config: TrainConfig) -> bool:
    """Whether to compute in bf16: asked for, or left open and the processor can."""
    if config.precision != "auto":
        return config.precision == "bf16"
    if torch.cuda.is_available() and config.accelerator != "cpu":
        return bool(torch.cuda.is_bf16_supported())
    return bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())


class WholeFileCheckpoints(TorchCheckpointIO):
    """Checkpoints that exist whole or not at all, also where the temporary folder is on another file system."""

    def save_checkpoint(self, checkpoint: dict[str, Any], path: Any, storage_options: Any = None) -> None:
        """Write beside the place, then rename."""
        with whole_file(Path(path)) as partial:
            super().save_checkpoint(checkpoint, partial, storage_options)


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
        if isinstance(exception, KeyboardInterrupt):
            self._write()
