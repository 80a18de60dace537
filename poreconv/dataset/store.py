"""The prepared dataset on disk: signal and targets as flat files, memory-mapped, and an index of the reads in them.

A folder of four files: ``reads.parquet``, ``signal.i16``, ``target.i8``, ``dataset.json``. It exists whole or not at
all.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from itertools import combinations
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from poreconv.config import IGNORE, SplitConfig, Task
from poreconv.errors import StoreError
from poreconv.reads.chemistry import conflict, fields_of
from poreconv.reads.read import Calibration, Read
from poreconv.reads.scaling import normalise

SCHEMA_VERSION = 2
SPLITS = ("train", "validation", "test")

INDEX = pa.schema(
    [
        ("read_id", pa.string()),
        ("offset", pa.int64()),
        ("length", pa.int64()),
        ("shift_pa", pa.float64()),
        ("scale_pa", pa.float64()),
        ("calibration_offset", pa.float64()),
        ("calibration_scale", pa.float64()),
        ("sample_rate_hz", pa.float64()),
        ("recorded_hz", pa.float64()),
        ("run_id", pa.string()),
        ("channel", pa.int32()),
        ("chemistry", pa.string()),
        ("reference", pa.string()),
        ("split", pa.string()),
        ("source", pa.string()),
        ("first_labelled", pa.int64()),
        ("end_labelled", pa.int64()),
    ]
)
"""Columns of ``reads.parquet``; ``recorded_hz`` is the sample rate before resampling, ``reference`` empty where it is
not known; offset and length count samples in ``signal.i16``; ``[first_labelled, end_labelled)`` spans the read's known
targets."""


@dataclass(frozen=True)
class StoreInfo:
    """What ``dataset.json`` says."""

    task: Task
    classes: tuple[str, ...]
    labels: tuple[str, ...]
    """Label sources."""
    split: SplitConfig
    median_dwell: float
    """Of all events of the kept reads, samples."""
    longest_event: float | None
    """Longer events are ignored, samples; None: none are."""
    counts: dict[str, dict[str, int]]
    """Split -> reads, samples, events, and samples of each class (task `read`: its reads)."""
    ledger: dict[str, Any]
    provenance: dict[str, Any] = field(default_factory=dict)
    """Version, inputs, settings."""
    resampled: bool = False
    """Whether reads were brought to one sample rate, as labelling must do then too."""
    content_hash: str = ""
    """SHA-256 of index, signal and targets."""

    def to_json(self) -> str:
        """As JSON text."""
        return json.dumps({"schema_version": SCHEMA_VERSION, **asdict(self)}, indent=1)

    @classmethod
    def from_json(cls, text: str, *, where: Path) -> Self:
        """The inverse of `to_json`.

        Raises:
            StoreError: Not a dataset's JSON, or one of another schema version.
        """
        try:
            plain = json.loads(text)
            version = plain.pop("schema_version")
            if version != SCHEMA_VERSION:
                raise StoreError(f"{where}: schema version {version}, not {SCHEMA_VERSION}; run poreconv prepare again")
            plain["split"] = SplitConfig(**plain["split"])
            plain["classes"], plain["labels"] = tuple(plain["classes"]), tuple(plain["labels"])
            return cls(**plain)
        except (ValueError, KeyError, TypeError, AttributeError) as exc:
            raise StoreError(f"{where}: not the description of a dataset ({exc}); run poreconv prepare again") from exc


class Store:
    """An open dataset; nothing of its signal is in memory until asked for.

    Args:
        path: The folder.

    Raises:
        StoreError: It is no dataset, or its files disagree.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        described = path / "dataset.json"
        if not described.is_file():
            raise StoreError(f"{path}: no dataset (no dataset.json in it); make one with poreconv prepare")
        self.info = StoreInfo.from_json(described.read_text(errors="replace"), where=described)
        self.index = _read_index(path / "reads.parquet")
        self._columns: dict[str, NDArray[Any]] = {
            name: self.index[name].to_numpy() for name in INDEX.names if not pa.types.is_string(INDEX.field(name).type)
        }
        n_samples = int(self.length.sum())
        self.signal = _map(path / "signal.i16", np.int16, n_samples)
        self.target = _map(path / "target.i8", np.int8, n_samples)
        self._check_index(n_samples)

    def _check_index(self, n_samples: int) -> None:
        first, end = self.column("first_labelled"), self.column("end_labelled")
        outside = (self.offset < 0) | (self.length < 1) | (self.offset + self.length > n_samples)
        if (outside | (first < 0) | (first > end) | (end > self.length)).any():
            raise StoreError(f"{self.path}: the index points outside the signal; run poreconv prepare again")

    def __len__(self) -> int:
        """Number of reads."""
        return int(self.index.num_rows)

    @property
    def offset(self) -> NDArray[np.int64]:
        """First sample of each read in the flat files, shape ``(n_reads,)``."""
        return self.column("offset")

    @property
    def length(self) -> NDArray[np.int64]:
        """Samples of each read, shape ``(n_reads,)``."""
        return self.column("length")

    def column(self, name: str) -> NDArray[Any]:
        """A numeric column of the index, shape ``(n_reads,)``."""
        return self._columns[name]

    def text(self, name: str) -> list[str]:
        """A text column of the index."""
        column: list[str] = self.index[name].to_pylist()
        return column

    def rows(self, split: str) -> NDArray[np.int64]:
        """Rows of the reads of a split (``all``: every read), shape ``(n,)``."""
        if split == "all":
            return np.arange(len(self))
        if split not in SPLITS:
            raise StoreError(f"{self.path}: no split {split!r}; choose one of {', '.join(SPLITS)}, all")
        return np.flatnonzero(np.array(self.text("split"), dtype=object) == split)

    def read(self, row: int) -> Read:
        """A read as it was before preparation, as far as the index keeps it."""
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
            **fields_of(str(self.index["chemistry"][row])),
        )

    def read_target(self, row: int) -> NDArray[np.int8]:
        """Class of each sample of a read, shape ``(n_samples,)``."""
        return np.array(self.target[self._span(row)])

    def _span(self, row: int) -> slice:
        return slice(int(self.offset[row]), int(self.offset[row] + self.length[row]))

    def windows(
        self, rows: NDArray[np.int64], start: NDArray[np.int64], length: int, *, clip: float
    ) -> tuple[NDArray[np.float32], NDArray[np.int8]]:
        """Gather normalised windows of reads, all at once.

        Args:
            rows: Which reads, shape ``(B,)``.
            start: First sample of each window in its read, shape ``(B,)``; may lie before the read.
            length: Samples of every window.
            clip: Largest absolute normalised value.

        Returns:
            Signal and target, shape ``(B, length)``; beyond the read they are 0 and ``IGNORE``.
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
        x_BT[outside], y_BT[outside] = 0, IGNORE
        return x_BT, y_BT


def _read_index(path: Path) -> pa.Table:
    try:
        table = pq.read_table(path)
    except (OSError, pa.ArrowInvalid) as exc:
        raise StoreError(f"{path}: not readable as a Parquet table; run poreconv prepare again") from exc
    if table.schema.names != INDEX.names:
        raise StoreError(f"{path}: not the columns of a dataset's index; run poreconv prepare again")
    empty = [name for name in INDEX.names if table[name].null_count]
    if empty:
        raise StoreError(f"{path}: empty cells in {', '.join(empty)}; run poreconv prepare again")
    try:
        return table.cast(INDEX).combine_chunks()
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as exc:
        raise StoreError(f"{path}: columns of other types ({exc}); run poreconv prepare again") from exc


def _map(path: Path, dtype: type[np.generic], n_samples: int) -> NDArray[Any]:
    size = path.stat().st_size if path.is_file() else -1
    if size != n_samples * np.dtype(dtype).itemsize:
        raise StoreError(
            f"{path}: {size} bytes for {n_samples} samples of {np.dtype(dtype)}; run poreconv prepare again"
        )
    return np.memmap(path, dtype, "r") if n_samples else np.zeros(0, dtype)


class StoreWriter:
    """Writes the files of a dataset into a folder that exists, read by read; a context manager.

    Args:
        folder: Where; the caller renames it when `finish` is done.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._signal = (folder / "signal.i16").open("wb")
        self._target = (folder / "target.i8").open("wb")
        self._index = pq.ParquetWriter(folder / "reads.parquet", INDEX)
        self._rows: list[dict[str, Any]] = []
        self._offset = 0
        self._digest = hashlib.sha256()

    def append(self, row: dict[str, Any], adc: NDArray[np.int16], target: NDArray[np.int8]) -> None:
        """Add a read.

        Args:
            row: The index columns but ``offset``, ``length`` and the span of known targets.
            adc: Counts, shape ``(n_samples,)``.
            target: Classes, same shape.
        """
        known = target != IGNORE
        first, end = (int(known.argmax()), len(known) - int(known[::-1].argmax())) if known.any() else (0, 0)
        whole = row | {"offset": self._offset, "length": len(adc), "first_labelled": first, "end_labelled": end}
        for stream, data in ((self._signal, adc.tobytes()), (self._target, target.tobytes())):
            stream.write(data)
            self._digest.update(data)
        self._digest.update(json.dumps(whole, sort_keys=True).encode())
        self._offset += len(adc)
        self._rows.append(whole)
        if len(self._rows) >= 4096:
            self._flush()

    def _flush(self) -> None:
        self._index.write_table(pa.Table.from_pylist(self._rows, INDEX))
        self._rows = []

    def __enter__(self) -> Self:
        """The open files."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the files."""
        for stream in (self._signal, self._target, self._index):
            stream.close()

    def finish(self, info: StoreInfo) -> None:
        """Write what is left, and the description."""
        self._flush()
        described = replace(info, content_hash=self._digest.hexdigest())
        (self._folder / "dataset.json").write_text(described.to_json())


def open_stores(paths: Sequence[Path], *, allow_mixed: bool = False) -> list[Store]:
    """Open datasets that are to train together.

    Args:
        paths: Their folders.
        allow_mixed: Whether chemistries that are known to differ may train together.

    Raises:
        StoreError: They differ in task, classes, split rule, sample rate or chemistry.
    """
    stores = [Store(path) for path in paths]
    for store in stores[1:]:
        for what in ("task", "classes", "split"):
            one, other = getattr(stores[0].info, what), getattr(store.info, what)
            if one != other:
                raise StoreError(f"{stores[0].path} and {store.path}: {what} {one} and {other}; prepare them alike")
    rates = distinct(stores, "sample_rate_hz")
    if len(rates) > 1:
        told = ", ".join(f"{rate:g}" for rate in rates)
        how = f"prepare them with --resample_hz {rates[0]:g}"
        raise StoreError(f"{_names(stores)}: sample rates {told} Hz do not train together; {how}")
    chemistries = distinct(stores, "chemistry")
    if not allow_mixed and any(conflict(one, other) for one, other in combinations(chemistries, 2)):
        raise StoreError(
            f"{_names(stores)}: chemistries {', '.join(chemistries)} train together only with --allow_mixed"
        )
    return stores


def some_reads(stores: Sequence[Store], split: str, most_samples: int) -> list[tuple[Store, int]]:
    """Store and row of the labelled reads of a split; of many, some taken evenly, ``most_samples`` in all, or one."""
    places = [(store, int(row)) for store in stores for row in store.rows(split)]
    places = [(store, row) for store, row in places if store.column("end_labelled")[row] > 0]
    n_samples = sum(int(store.length[row]) for store, row in places)
    return places[:: max(1, -(-n_samples // most_samples))]


def distinct(stores: Sequence[Store], column: str) -> list[Any]:
    """Values of an index column over several stores, sorted."""
    return sorted({value for store in stores for value in store.index[column].unique().to_pylist()})


def _names(stores: Sequence[Store]) -> str:
    return ", ".join(str(store.path) for store in stores)
