"""Lightning's trainer: its set-up, checkpoints that exist whole or not at all, and fewer messages."""

import ctypes
import logging
import platform
import shutil
import signal
import threading
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import lightning as L
from lightning.fabric.utilities.exceptions import MisconfigurationException
from lightning.pytorch.callbacks import Callback
from lightning.pytorch.loggers import CSVLogger, Logger, TensorBoardLogger
from lightning.pytorch.plugins.io import TorchCheckpointIO
from torch import nn

from poreconv.config import TrainConfig, require
from poreconv.errors import ConfigError, MachineError, PoreconvError, WorkerError
from poreconv.inference.backends.pytorch import default_device, has_bf16
from poreconv.runtime.files import whole_file
from poreconv.runtime.machine import one_line
from poreconv.training.distributed import is_first

HIDDEN_WARNINGS = (
    ".*isinstance.treespec, LeafSpec.*",  # Lightning's use of a deprecated function of torch
    ".*does not have many workers",  # the training process gathers the batches itself: see TrainConfig.loader_workers
    "Checkpoint directory .* exists and is not empty",  # a resumed training run
    r"Found \d+ module\(s\) in eval mode at the start of training",  # TrainConfig.freeze
)
"""Warnings that are of no use to a user."""


@contextmanager
def quiet() -> Iterator[None]:
    """Hide Lightning's messages about itself; warnings about the training stay."""
    loggers = [logging.getLogger(name) for name in ("lightning.pytorch", "lightning.fabric")]
    levels = [logger.level for logger in loggers]
    with warnings.catch_warnings():
        for message in HIDDEN_WARNINGS:
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
    """Make Ctrl-C a KeyboardInterrupt again, where Lightning exits and leaves the signal ignored.

    Of several processes the first one receives it, and ends the others; so it is with SIGTERM on the command line.

    Raises:
        KeyboardInterrupt: Lightning exited.
    """
    in_main = threading.current_thread() is threading.main_thread()
    acted_on = [signal.SIGINT, *([signal.SIGTERM] if callable(signal.getsignal(signal.SIGTERM)) else [])]
    handlers = {number: signal.getsignal(number) for number in acted_on}
    try:
        for number in handlers if in_main and not is_first() else ():
            signal.signal(number, signal.SIG_IGN)
        yield
    except SystemExit as exc:
        raise KeyboardInterrupt from exc
    finally:
        for number, handler in handlers.items() if in_main else ():
            signal.signal(number, handler)


LOADERS = "DataLoader worker"
"""In what torch raises for the processes that load windows."""


@contextmanager
def loaders_watched() -> Iterator[None]:
    """Report the errors of the processes that load windows in one line; torch adds their tracebacks.

    Raises:
        WorkerError: Such a process died.
        PoreconvError: What was raised in it.
    """
    try:
        yield
    except PoreconvError as exc:
        if LOADERS not in str(exc):
            raise
        kind, _, message = str(exc).strip().rpartition("\n")[2].partition(": ")
        raise type(exc)(message or kind) from exc
    except RuntimeError as exc:
        if LOADERS not in str(exc):
            raise
        raise WorkerError(
            f"{one_line(exc).removesuffix('.')}, possibly out of memory, or of space in {SHARED}; run the same command"
            " again to resume, with --loader_workers 0"
        ) from exc


SHARED = Path("/dev/shm")
"""Where loader processes put their batches, on Linux."""

LOADED, BYTES_OF_SAMPLE, OTHER_BYTES = 4, 12, 2**17
"""Of a loader process: batches there, of training and validation; bytes of a sample and its target; its locks."""


def require_shared_memory(config: TrainConfig) -> None:
    """Refuse loader processes whose batches have no place; torch would end them with a bus error.

    Args:
        config: Number of the processes, and size of the batches.

    Raises:
        MachineError: The machine has not enough shared memory.
    """
    batch = config.batch_size * config.chunk_samples * BYTES_OF_SAMPLE
    needed = config.loader_workers * (LOADED * batch + OTHER_BYTES)
    free = shutil.disk_usage(SHARED).free if needed and SHARED.is_dir() else needed
    if free < needed:
        raise MachineError(
            f"{SHARED}: {free / 1e6:.1f} MB free, {config.loader_workers} loader processes need about"
            f" {needed / 1e6:.1f} MB; use fewer --loader_workers"
        )


M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3
"""Of glibc's malloc.h."""
KEPT_BYTES, GLIBC_BYTES = 2**30, (2**26, 2**25)
"""Size up to which blocks are kept; and the largest values to which glibc adjusts the two thresholds by itself."""


@contextmanager
def memory_kept() -> Iterator[None]:
    """Keep the memory that a step frees for the next step, where glibc would return it to the system each time.

    Otherwise a tenth of a step on a CPU goes into getting the same pages again. Other systems are not changed.
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
    """Return whether to train in bf16: if asked for, or if the precision is ``auto`` and the device computes in it.

    Args:
        config: Precision and accelerator.
    """
    if config.precision != "auto":
        return config.precision == "bf16"
    return has_bf16(default_device("cpu" if config.accelerator == "cpu" else None))


def make_trainer(
    config: TrainConfig, out: Path, callbacks: Sequence[Callback], loggers: Sequence[Logger] = ()
) -> L.Trainer:
    """Make Lightning's trainer.

    Args:
        config: How to train.
        out: Folder of the training run, for the logs.
        callbacks: Called during the training.
        loggers: Besides those of the files in ``out``.

    Raises:
        ConfigError: This machine has no such accelerator, or fewer devices.
    """
    try:
        return _trainer(config, out, callbacks, loggers)
    except (ValueError, ImportError, MisconfigurationException) as exc:
        raise ConfigError(f"accelerator {config.accelerator!r}, devices {config.devices}: {exc}") from exc


def _trainer(config: TrainConfig, out: Path, callbacks: Sequence[Callback], loggers: Sequence[Logger]) -> L.Trainer:
    precision = "bf16-mixed" if uses_bf16(config) else "32-true"
    return L.Trainer(
        accelerator=config.accelerator,
        devices=config.devices,
        num_nodes=config.nodes,
        sync_batchnorm=True,
        precision=precision,  # type: ignore[arg-type]  # one of Lightning's literals
        max_epochs=-1,
        gradient_clip_val=config.gradient_clip,
        callbacks=list(callbacks),
        logger=[CSVLogger(out, name="logs/csv"), TensorBoardLogger(out, name="logs/tensorboard"), *loggers],
        plugins=[WholeFileCheckpoints()],
        default_root_dir=out,
        log_every_n_steps=min(50, config.validate_every),
        num_sanity_val_steps=0,
        use_distributed_sampler=False,
        enable_progress_bar=False,
        enable_model_summary=False,
    )


def require_alike(trainer: L.Trainer, network: nn.Module) -> None:
    """Refuse a training whose result would depend on the number of processes.

    Args:
        trainer: With the strategy and the number of processes.
        network: The network to train.

    Raises:
        ConfigError: Several processes on a CPU would each normalise their own windows of a batch.
    """
    apart = trainer.world_size > 1 and trainer.strategy.root_device.type == "cpu"
    normalises = any(isinstance(layer, nn.BatchNorm1d) for layer in network.modules())
    require(
        not (apart and normalises),
        f"devices: {trainer.world_size} processes on a CPU cannot normalise batches together; set batch_norm to false,"
        " where the architecture has it (unet, resnet, vgg, alexnet, crnn), or train in one process",
    )


class WholeFileCheckpoints(TorchCheckpointIO):
    """Checkpoints that exist whole or not at all, also where the temporary folder is on another file system."""

    def save_checkpoint(self, checkpoint: dict[str, Any], path: Any, storage_options: Any = None) -> None:
        """Write to a temporary name, then rename.

        Args:
            checkpoint: What Lightning stores.
            path: Where it goes.
            storage_options: Passed on to Lightning.
        """
        with whole_file(Path(path)) as partial:
            super().save_checkpoint(checkpoint, partial, storage_options)
