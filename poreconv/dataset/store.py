"""The store, a prepared dataset on disk: signal and targets as memory-mapped flat files, and an index of the reads.

A store is a folder of four files: ``reads.parquet``, ``signal.i16``, ``target.i8`` (classes) or ``target.f4``
(numbers), ``dataset.json``. It exists whole or not at all.
"""

from collections.abc import Collection, Sequence
from copy import copy
from dataclasses import dataclass, field, replace
from itertools import combinations, permutations
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self

import numpy as np
import pyarrow as pa
from numpy.typing import DTypeLike, NDArray

from poreconv.config import NormalisationConfig, SplitConfig
from poreconv.dataset.index import INDEX, read_index
from poreconv.dataset.split_counts import SplitCounts
from poreconv.dataset.splits import SPLITS, SplitName, group_of
from poreconv.errors import ConfigError, StoreError
from poreconv.events.tasks import task_named
from poreconv.events.tasks.task import Task
from poreconv.reads.chemistry import chemistry_named
from poreconv.reads.read import Calibration, Read
from poreconv.reads.scaling import normalise
from poreconv.runtime.ledger import Ledger
from poreconv.runtime.records import from_json

if TYPE_CHECKING:  # torch asks of a dataset only that it has a length and items, and a store is prepared without torch
    from torch.utils.data import Dataset

    from poreconv.dataset.tensors import StoredRead

    _Dataset = Dataset[StoredRead]
else:
    _Dataset = object

TARGET_FILES = {np.dtype(np.int8): "target.i8", np.dtype(np.float32): "target.f4"}
"""Type of a target -> its file."""

FILES = ("dataset.json", "reads.parquet", "signal.i16", *TARGET_FILES.values())
"""Names of the files of stores."""


@dataclass(frozen=True)
class StoreInfo:
    """The description of a store, ``dataset.json``."""

    schema_version: Literal[2] = field(default=2, kw_only=True)
    task: str
    classes: tuple[str, ...]
    labels: tuple[str, ...]
    """Names of the label sources, or what the user called the truth."""
    split: SplitConfig
    """The rule of the splits."""
    median_dwell: float
    """Median duration of the events of the kept reads, samples."""
    longest_event: float | None
    """Targets ignore events of more samples; None: they ignore none."""
    counts: dict[str, dict[str, int]]
    """Of each split: reads, samples, events, and what the task counts of each class."""
    ledger: Ledger
    provenance: dict[str, Any] = field(default_factory=dict)
    """Version, inputs, settings."""
    resampled: bool = False
    """Whether reads were resampled to one rate; labelling must then do the same."""
    content_hash: str = ""
    """SHA-256 of index, signal and targets."""
    moved: dict[str, SplitName] = field(default_factory=dict)
    """Read, or run, channel or reference, whichever the rule splits by -> its split, where that is not the rule's."""


class Store(_Dataset):
    """An open store; its signal stays on disk until it is used.

    It is a torch ``Dataset`` of whole reads, of any split: ``DataLoader(store, batch_size=None)``; for the reads of one
    split, ``torch.utils.data.Subset(store, store.rows("train"))``.

    Args:
        path: The folder.

    Raises:
        StoreError: It is not a store, or its files don't fit together.
    """

    def __init__(self, path: Path | str) -> None:
        self.path: Path = Path(path)
        described = self.path / "dataset.json"
        if not described.is_file():
            raise StoreError(f"{path}: not a store (it has no dataset.json); make one with poreconv prepare")
        self.info: StoreInfo = _read_info(described)
        self.task: Task = _task_of(described, self.info)
        self.index: pa.Table = read_index(self.path / "reads.parquet")
        self._columns: dict[str, NDArray[Any]] = {
            name: self.index[name].to_numpy() for name in INDEX.names if not pa.types.is_string(INDEX.field(name).type)
        }
        self._check_index(self._map_files())
        split = np.array(self.text("split"), dtype=object)
        self._rows: dict[str, NDArray[np.int64]] = {name: np.flatnonzero(split == name) for name in SPLITS}

    def _map_files(self) -> int:
        n_samples = int(self.length.sum())
        self.signal: NDArray[np.int16] = _map(self.path / "signal.i16", np.int16, n_samples)
        file = TARGET_FILES[np.dtype(self.task.dtype)]
        self.target: NDArray[Any] = _map(self.path / file, self.task.dtype, n_samples)
        return n_samples

    def __getstate__(self) -> dict[str, Any]:
        """Pickle without the samples: another process maps the files itself."""
        return {name: value for name, value in vars(self).items() if name not in {"signal", "target"}}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Unpickle, and map the files."""
        vars(self).update(state)
        self._map_files()

    def _check_index(self, n_samples: int) -> None:
        first, end = self.column("first_labelled"), self.column("end_labelled")
        outside = (self.offset < 0) | (self.length < 1) | (self.offset + self.length > n_samples)
        if (outside | (first < 0) | (first > end) | (end > self.length)).any():
            raise StoreError(f"{self.path}: the index points outside the signal; run poreconv prepare again")

    def __len__(self) -> int:
        """Number of reads."""
        return int(self.index.num_rows)

    def __getitem__(self, row: int) -> "StoredRead":
        """Return a whole read as tensors; its row in the index may be negative, to count from the end."""
        from poreconv.dataset.tensors import StoredRead, as_batch

        if not -len(self) <= row < len(self):
            raise IndexError(f"{self.path}: read {row} of {len(self)}")
        row = row % len(self)
        whole = np.array([row]), np.array([0]), int(self.length[row])
        x_B1T, y_BT = as_batch(*self.windows(*whole, clip=NormalisationConfig().clip))
        return StoredRead(x_B1T[0], y_BT[0], str(self.index["read_id"][row]))

    @property
    def offset(self) -> NDArray[np.int64]:
        """First sample of each read in the flat files, shape ``(n_reads,)``."""
        return self.column("offset")

    @property
    def length(self) -> NDArray[np.int64]:
        """Samples of each read, shape ``(n_reads,)``."""
        return self.column("length")

    def column(self, name: str) -> NDArray[Any]:
        """Return a numeric column of the index, shape ``(n_reads,)``.

        Args:
            name: A name in ``INDEX``.
        """
        return self._columns[name]

    def text(self, name: str) -> list[str]:
        """Return a text column of the index.

        Args:
            name: A name in ``INDEX``.
        """
        column: list[str] = self.index[name].to_pylist()
        return column

    def rows(self, split: str) -> NDArray[np.int64]:
        """Return the rows of the reads of a split, shape ``(n,)``, ascending.

        Args:
            split: One of ``SPLITS``, or ``all`` for every read.

        Raises:
            StoreError: There is no such split.
        """
        if split == "all":
            return np.arange(len(self))
        if split not in SPLITS:
            raise StoreError(f"{self.path}: no split {split!r}; choose one of {', '.join(SPLITS)}, all")
        return self._rows[split]

    def groups(self) -> list[str]:
        """Return the group of each read, which is not split; see `group_of`."""
        fields = (self.text("read_id"), self.text("run_id"), self.column("channel").tolist(), self.text("reference"))
        return [
            group_of(self.info.split.by, read_id=read_id, run_id=run_id, channel=channel, reference=reference)
            for read_id, run_id, channel, reference in zip(*fields, strict=True)
        ]

    def assigned(self, *, train: Collection[str], validation: Collection[str]) -> Self:
        """Return the store with other splits: reads of the given groups train and validate, all others are for testing.

        It shares the files of this one. Its splits are those of `rows` and `info`; the index is as it was.

        Args:
            train: Groups to train on, see `groups`.
            validation: Groups to validate on; they may be those to train on.
        """
        groups = self.groups()
        inside = {
            name: np.fromiter(map(frozenset(chosen).__contains__, groups), bool, len(groups))
            for name, chosen in (("train", train), ("validation", validation))
        }
        inside["test"] = ~(inside["train"] | inside["validation"])
        listed: dict[str, SplitName] = dict.fromkeys(sorted(validation), "validation")
        listed |= dict.fromkeys(sorted(train), "train")
        other = copy(self)
        other._rows = {name: np.flatnonzero(inside[name]) for name in SPLITS}
        other.info = replace(
            self.info,
            split=replace(self.info.split, validation=0.0, test=1.0),  # what is not listed is for testing
            moved=listed,
            counts=other._counts(),
        )
        return other

    def _counts(self) -> dict[str, dict[str, int]]:
        counts = SplitCounts(self.info.classes, self.task)
        for split in SPLITS:
            for row in self._rows[split].tolist():
                target = self.read_target(row)
                counts.add(split, target, len(self.task.events(target, self.info.classes)))
        return counts.by_split

    def read(self, row: int) -> Read:
        """Return a read as it was before preparation, as far as the index keeps it.

        Args:
            row: Its row in the index.
        """
        return Read(
            read_id=str(self.index["read_id"][row]),
            adc=np.array(self.signal[self._span(row)]),
            calibration=Calibration(
                float(self.column("calibration_offset")[row]), float(self.column("calibration_scale")[row])
            ),
            sample_rate_hz=float(self.column("sample_rate_hz")[row]),
            channel=int(self.column("channel")[row]),
            run_id=str(self.index["run_id"][row]),
            source=self.path,
            chemistry_code=str(self.index["chemistry"][row]),
        )

    def read_target(self, row: int) -> NDArray[Any]:
        """Return the target of a read, shape ``(n_samples,)``; see `Task.target`.

        Args:
            row: Its row in the index.
        """
        return np.array(self.target[self._span(row)])

    def _span(self, row: int) -> slice:
        return slice(int(self.offset[row]), int(self.offset[row] + self.length[row]))

    def windows(
        self, rows: NDArray[np.int64], start: NDArray[np.int64], length: int, *, clip: float
    ) -> tuple[NDArray[np.float32], NDArray[Any]]:
        """Cut normalised windows out of reads, all at once.

        Args:
            rows: Rows of the reads in the index, shape ``(B,)``.
            start: First sample of each window, counted in its read, shape ``(B,)``; may lie before the read.
            length: Samples of each window.
            clip: Largest absolute normalised value.

        Returns:
            ``(signal, target)``, shape ``(B, length)`` each; outside the read they are 0 and unknown.
        """
        position = start[:, None] + np.arange(length)
        n_samples = self.length[rows][:, None]
        outside = (position < 0) | (position >= n_samples)
        flat = self.offset[rows][:, None] + np.clip(position, 0, n_samples - 1)
        x_BT = normalise(
            self.signal[flat],
            offset=self.column("calibration_offset")[rows][:, None],
            scale=self.column("calibration_scale")[rows][:, None],
            shift_pa=self.column("shift_pa")[rows][:, None],
            scale_pa=self.column("scale_pa")[rows][:, None],
            clip=clip,
        )
        y_BT = self.target[flat]
        x_BT[outside], y_BT[outside] = 0, self.task.unknown
        return x_BT, y_BT


def _read_info(path: Path) -> StoreInfo:
    try:
        return from_json(path.read_bytes(), StoreInfo)
    except ConfigError as exc:
        raise StoreError(f"{path}: {exc}; run poreconv prepare again") from exc


def _task_of(path: Path, info: StoreInfo) -> Task:
    try:
        return task_named(info.task)
    except ConfigError as exc:
        raise StoreError(f"{path}: {exc}") from exc


def _map(path: Path, dtype: DTypeLike, n_samples: int) -> NDArray[Any]:
    size = path.stat().st_size if path.is_file() else -1
    if size != n_samples * np.dtype(dtype).itemsize:
        raise StoreError(
            f"{path}: {size} bytes for {n_samples} samples of {np.dtype(dtype)}; run poreconv prepare again"
        )
    return np.memmap(path, dtype, "r") if n_samples else np.zeros(0, dtype)


def open_stores(paths: Sequence[Path], *, allow_mixed: bool = False) -> list[Store]:
    """Open stores that are to train together.

    Args:
        paths: Their folders.
        allow_mixed: Whether chemistries that are known to differ may train together.

    Raises:
        StoreError: They differ in task, classes, split rule, sample rate or chemistry, a read that was moved to a split
            is in another one in another store, or one is not a store.
    """
    stores = [Store(path) for path in paths]
    for store in stores[1:]:
        for name in ("task", "classes", "split"):
            first, other = getattr(stores[0].info, name), getattr(store.info, name)
            if first != other:
                raise StoreError(f"{stores[0].path} and {store.path}: {name} {first} and {other}; prepare them alike")
    for one, another in permutations(stores, 2):
        _check_moved(one, another)
    rates = distinct(stores, "sample_rate_hz")
    if len(rates) > 1:
        listed = ", ".join(f"{rate:g}" for rate in rates)
        remedy = f"prepare them with --resample_hz {rates[0]:g}"
        raise StoreError(f"{_names(stores)}: sample rates {listed} Hz do not train together; {remedy}")
    chemistries = distinct(stores, "chemistry")
    pairs = combinations(map(chemistry_named, chemistries), 2)
    if not allow_mixed and any(one.conflicts_with(other) for one, other in pairs):
        raise StoreError(
            f"{_names(stores)}: chemistries {', '.join(chemistries)} train together only with --allow_mixed"
        )
    return stores


def _check_moved(store: Store, other: Store) -> None:
    """Refuse another store that has a read in another split than the one to which this store moved it."""
    moved, by = store.info.moved, store.info.split.by
    if not moved:
        return
    for group, split in zip(other.groups(), other.text("split"), strict=True):
        if moved.get(group, split) != split:
            raise StoreError(
                f"{store.path} and {other.path}: {by} {group} is in {moved[group]} of the first, where that split would"
                f" have been empty, and in {split} of the second; prepare the files of both as one store"
            )


def subsample_reads(stores: Sequence[Store], split: str, most_samples: int) -> list[tuple[Store, int]]:
    """List labelled reads of a split; if they have too many samples together, every n-th read.

    Args:
        stores: Open stores.
        split: One of ``SPLITS``, or ``all``.
        most_samples: About the largest total number of samples; at least one read is listed if there is any.

    Returns:
        Store and row of each read.
    """
    places = [(store, int(row)) for store in stores for row in store.rows(split)]
    places = [(store, row) for store, row in places if store.column("end_labelled")[row] > 0]
    n_samples = sum(int(store.length[row]) for store, row in places)
    return places[:: max(1, -(-n_samples // most_samples))]


def distinct(stores: Sequence[Store], column: str) -> list[Any]:
    """Return the distinct values of an index column over several stores, sorted.

    Args:
        stores: Open stores.
        column: A name in ``INDEX``.
    """
    return sorted({value for store in stores for value in store.index[column].unique().to_pylist()})


def _names(stores: Sequence[Store]) -> str:
    return ", ".join(str(store.path) for store in stores)
