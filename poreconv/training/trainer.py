"""What a training needs of Lightning: callbacks, checkpoints that exist whole or not at all, and fewer words."""

import ctypes
import logging
import platform
import signal
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import lightning as L
from lightning.fabric.utilities.exceptions import MisconfigurationException
from lightning.pytorch.callbacks import Callback
from lightning.pytorch.loggers import CSVLogger, TensorBoardLogger
from lightning.pytorch.plugins.io import TorchCheckpointIO
from torch import nn

from poreconv.config import TrainConfig, require
from poreconv.errors import ConfigError
from poreconv.inference.backends.pytorch import default_device, has_bf16
from poreconv.runtime.files import whole_file
from poreconv.training.distributed import is_first

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
