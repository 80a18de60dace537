"""Batches for training and validation, read from the memory maps of stores."""

import math
import signal
import sys
from collections.abc import Iterator, Sequence
from typing import Any, TypeVar

import lightning as L
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, Sampler

from poreconv.config import SplitConfig, TrainConfig, require
from poreconv.dataset.splits import intervals
from poreconv.dataset.store import Store
from poreconv.dataset.tensors import Batch, as_batch
from poreconv.errors import StoreError
from poreconv.training.augment import augment, source_samples
from poreconv.training.plugins import Transforms
from poreconv.training.presets import settled

T = TypeVar("T")

ALL = slice(None)

Window = tuple[Tensor, Tensor]
"""Signal ``(1, T)`` float32, targets ``(T,)``: classes int64, numbers float32."""

TileBatch = tuple[Tensor, Tensor, Tensor]
"""A `Batch`, and the number of each tile's read, ``(B,)`` int64."""


class Reads:
    """The labelled reads of one split of several stores, numbered in one row.

    Args:
        stores: Open stores.
        split: Name of the split.
        clip: Normalised signal is clipped to plus and minus this.

    Raises:
        StoreError: No read of the split has a label.
    """

    def __init__(self, stores: Sequence[Store], split: str, clip: float) -> None:
        self._stores, self._clip, self.task = stores, clip, stores[0].task
        rows = [store.rows(split) for store in stores]
        rows = [r[s.column("end_labelled")[r] > 0] for r, s in zip(rows, stores, strict=True)]
        self.store = np.repeat(np.arange(len(stores)), [len(r) for r in rows])
        self.row = np.concatenate(rows)
        if not len(self.row):
            names = ", ".join(str(store.path) for store in stores)
            raise StoreError(f"{names}: no labelled read in split {split}; {_remedy(stores[0].info.split, split)}")
        self.first = np.concatenate([s.column("first_labelled")[r] for r, s in zip(rows, stores, strict=True)])
        self.end = np.concatenate([s.column("end_labelled")[r] for r, s in zip(rows, stores, strict=True)])

    def windows(
        self, number: NDArray[np.int64], start: NDArray[np.int64], length: int
    ) -> tuple[NDArray[np.float32], NDArray[Any]]:
        """Gather windows of reads; see `Store.windows`.

        Args:
            number: Number of the read of each window, shape ``(B,)``.
            start: First sample of each window, shape ``(B,)``; may lie outside the read.
            length: Samples of each window.

        Returns:
            Normalised signal and targets, shape ``(B, length)``.
        """
        x_BT = np.empty((len(number), length), np.float32)
        y_BT = np.empty((len(number), length), self.task.dtype)
        for i in np.unique(self.store[number]):
            here = self.store[number] == i
            x_BT[here], y_BT[here] = self._stores[i].windows(
                self.row[number[here]], start[here], length, clip=self._clip
            )
        return x_BT, y_BT


def _remedy(rule: SplitConfig, split: str) -> str:
    if split not in intervals(rule):
        return (
            f"its share is 0 (validation {rule.validation:g}, test {rule.test:g}): prepare the store with other shares"
        )
    other_rule = "" if rule.by == "read" else ", or split them by read"
    return f"prepare more {rule.by}s as one store: two are enough to train, three to judge the model too{other_rule}"


class WindowBatches(Dataset[Batch]):
    """Training batches by step: windows around random labelled samples, a function of (seed, step).

    All labelled samples are equally likely; where the task is of whole reads, all reads.

    Args:
        reads: Reads of the training split.
        config: Batch size, chunk length, seed, augmentation, and whether stores are drawn equally often.
        rows: Rows of each batch that this process takes; default: all.
        transforms: The user's own changes of windows; default: none.
    """

    def __init__(
        self, reads: Reads, config: TrainConfig, rows: slice = ALL, transforms: Transforms | None = None
    ) -> None:
        self._reads, self._config, self._task, self._rows = reads, config, reads.task, rows
        self._transforms = transforms or Transforms()
        self._cumulative = np.cumsum(np.ones_like(reads.end) if reads.task.whole_reads else reads.end - reads.first)
        last_of_store = np.append(np.flatnonzero(np.diff(reads.store)), len(reads.store) - 1)
        self._store_end = self._cumulative[last_of_store] if config.equal_stores else self._cumulative[-1:]

    def __getitem__(self, step: int) -> Batch:
        """Return the batch of one step."""
        return self.batch(step, self._rows)

    def batch(self, step: int, rows: slice) -> Batch:
        """Return some windows of the batch of one step.

        Args:
            step: Number of the step, from 0.
            rows: Rows of the batch.
        """
        config = self._config
        rng = np.random.default_rng([config.seed, step])
        length = source_samples(config.chunk_samples, config.augment)
        number, centre = self._draw(rng, config.batch_size)
        x_BS, y_BS = self._reads.windows(number[rows], centre[rows] - length // 2, length)
        changed = augment(x_BS, y_BS, config.chunk_samples, self._task, config.augment, rng, config.batch_size, rows)
        return as_batch(*self._transforms(*changed, [config.seed, step], range(config.batch_size)[rows]))

    def _draw(self, rng: np.random.Generator, n: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Draw reads, and a labelled sample in each: numbers and samples, shape ``(n,)`` each."""
        place, reads = self._places(rng, n), self._reads
        number = np.searchsorted(self._cumulative, place, side="right")
        if self._task.whole_reads:
            return number, rng.integers(reads.first[number], reads.end[number])
        return number, reads.end[number] - (self._cumulative[number] - place)

    def _places(self, rng: np.random.Generator, n: int) -> NDArray[np.int64]:
        """Draw labelled samples or whole reads, by their number counted through all reads, shape ``(n,)``."""
        chosen = rng.integers(0, len(self._store_end), n)
        start = np.append(0, self._store_end)[chosen]
        return rng.integers(start, self._store_end[chosen])


class Windows(Dataset[Window]):
    """Random windows of the labelled reads of one split, one by one: those of which `train` makes its batches.

    Window ``i`` is a function of the seed and ``i``, whichever process draws it, so that each pass gives the same ones:
    there are as many as a training with these settings takes. Where nothing is known the target is -1 (classes; give
    the loss ``ignore_index=-1``) or NaN (numbers).

    Args:
        stores: An open store, or several; see `open_stores`.
        split: Name of the split.
        config: Length of a window, batch size, number of steps, seed, augmentation.

    Example:
        >>> windows = Windows(store, config=TrainConfig(chunk_samples=400, batch_size=8, max_steps=100))
        >>> for x, y in DataLoader(windows, batch_size=8):
        ...     loss = cross_entropy(network(x), y, ignore_index=-1)

    Raises:
        StoreError: No read of the split has a label.
    """

    def __init__(
        self, stores: Store | Sequence[Store], *, split: str = "train", config: TrainConfig | None = None
    ) -> None:
        several = [stores] if isinstance(stores, Store) else stores
        self._config = settled(several, None, None, config or TrainConfig()).config
        self._batches = WindowBatches(Reads(several, split, self._config.normalisation.clip), self._config)

    def __len__(self) -> int:
        """Return the number of windows: steps times batch size."""
        return self._config.max_steps * self._config.batch_size

    def __getitem__(self, i: int) -> Window:
        """Return window ``i``."""
        if not -len(self) <= i < len(self):
            raise IndexError(f"window {i} of {len(self)}")
        step, row = divmod(i % len(self), self._config.batch_size)
        x_B1T, y_BT = self._batches.batch(step, slice(row, row + 1))
        return x_B1T[0], y_BT[0]


class Tiles(Dataset[TileBatch]):
    """Batches of adjacent tiles that hold every labelled sample once; the targets of the margins are ignored.

    Args:
        reads: Reads of the validation split.
        tile_samples: Samples of a tile, without its margins.
        margin: Samples of context on each side.
        batch_size: Tiles in a batch.
        rows: Tiles that this process takes; default: all.
    """

    def __init__(self, reads: Reads, tile_samples: int, margin: int, batch_size: int, rows: slice = ALL) -> None:
        self._reads, self._tile, self._margin, self._batch = reads, tile_samples, margin, batch_size
        n_tiles = -(-(reads.end - reads.first) // tile_samples)
        number = np.repeat(np.arange(len(n_tiles)), n_tiles)
        place = np.arange(len(number)) - np.repeat(np.cumsum(n_tiles) - n_tiles, n_tiles)
        self._number, self._start = number[rows], (reads.first[number] + place * tile_samples)[rows]

    def __len__(self) -> int:
        """Return the number of batches."""
        return math.ceil(len(self._number) / self._batch)

    def __getitem__(self, i: int) -> TileBatch:
        """Return batch ``i``."""
        if i >= len(self):
            raise IndexError(i)
        here = slice(i * self._batch, (i + 1) * self._batch)
        start = self._start[here] - self._margin
        x_BT, y_BT = self._reads.windows(self._number[here], start, self._tile + 2 * self._margin)
        y_BT[:, : self._margin] = y_BT[:, self._margin + self._tile :] = self._reads.task.unknown
        return (*as_batch(x_BT, y_BT), torch.from_numpy(self._number[here]))


class StepSampler(Sampler[int]):
    """Step numbers of one epoch. Lightning sets the epoch, except for the first one of a resumed training run.

    Args:
        steps_per_epoch: Steps between two validations.
        epoch: The first epoch.
    """

    def __init__(self, steps_per_epoch: int, epoch: int = 0) -> None:
        self._steps, self._epoch = steps_per_epoch, epoch

    def set_epoch(self, epoch: int) -> None:
        """Go to an epoch.

        Args:
            epoch: Its number, from 0.
        """
        self._epoch = epoch

    def __len__(self) -> int:
        """Return the number of steps per epoch."""
        return self._steps

    def __iter__(self) -> Iterator[int]:
        """Iterate over the step numbers of the epoch."""
        return iter(range(self._epoch * self._steps, (self._epoch + 1) * self._steps))


class SquiggleData(L.LightningDataModule):
    """Stores as batches: random windows to train on, tiles to validate on.

    Args:
        stores: Open stores, see `open_stores`.
        config: Batch size, chunk length, seed, augmentation.
        margin: Samples of context that the network needs on each side of a tile.
        transforms: The user's own changes of training windows; default: none.

    Raises:
        StoreError: No read to train on, or none to validate on, has a label.
    """

    def __init__(
        self, stores: Sequence[Store], config: TrainConfig, margin: int = 0, transforms: Transforms | None = None
    ) -> None:
        super().__init__()
        self._transforms = transforms
        clip = config.normalisation.clip
        self._train, self._validation = (Reads(stores, split, clip) for split in ("train", "validation"))
        self._config, self._margin = config, margin
        if transforms is not None:
            WindowBatches(self._train, config, slice(1), transforms)[0]  # what can fail fails before training

    def train_dataloader(self) -> DataLoader[Batch]:
        """Return the training batches: random windows; an epoch is the steps between two validations."""
        windows = WindowBatches(self._train, self._config, self._rows, self._transforms)
        steps = self._config.validate_every
        done = self.trainer.global_step if self.trainer else 0
        return self._loader(windows, StepSampler(steps, done // steps))

    def val_dataloader(self) -> DataLoader[TileBatch]:
        """Return the validation batches: every labelled sample of the validation reads once.

        Raises:
            ConfigError: There are more processes than windows to validate on.
        """
        config, rows = self._config, self._rows
        at_once = -(-config.batch_size // (rows.step or 1))
        tiles = Tiles(self._validation, config.chunk_samples, self._margin, at_once, rows)
        require(len(tiles) > 0, f"devices: {rows.step} processes, but fewer windows to validate on; use fewer devices")
        return self._loader(tiles, None)

    @property
    def _rows(self) -> slice:
        """Rows of this process: of n processes each takes every n-th window, so that each window is taken once."""
        return slice(self.trainer.global_rank, None, self.trainer.world_size) if self.trainer else ALL

    def _loader(self, batches: Dataset[T], sampler: StepSampler | None) -> DataLoader[T]:
        workers = self._config.loader_workers
        return DataLoader(
            batches, batch_size=None, sampler=sampler, num_workers=workers, persistent_workers=workers > 0,
            worker_init_fn=leave_to_first,
            pin_memory=self._config.accelerator != "cpu" and torch.cuda.is_available(),
        )  # fmt: skip


def leave_to_first(number: int) -> None:
    """Leave Ctrl-C, which a terminal sends to all processes, and errors to the training process, which receives them.

    Args:
        number: Of the process that loads windows, in which torch calls this; not used.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    sys.excepthook = lambda *_: None  # of what still goes on there when the training process has ended
