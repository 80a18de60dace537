"""Reads with their events, and the files that hold them between the two passes of a preparation."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import DTypeLike, NDArray

from poreconv.dataset.store import INDEX
from poreconv.events.events import Events
from poreconv.runtime.ledger import Ledger
from poreconv.runtime.records import from_json, to_json

ROW_FIELDS = [name for name in INDEX.names if name not in {"offset", "length", "first_labelled", "end_labelled"}]
"""Columns of the store's index that are known when a read has been labelled."""

ARRAYS: dict[str, DTypeLike] = {
    "adc": np.int16, "start": np.int32, "end": np.int32, "label": np.int16, "value": np.float32, "coverage": np.int32,
}  # fmt: skip
"""Columns that hold an array as bytes: lists of numbers cost Parquet ten times as much."""

SCHEMA = pa.schema([*[INDEX.field(name) for name in ROW_FIELDS], *[(name, pa.binary()) for name in ARRAYS]])

BATCH_BYTES = 8 << 20
"""Signal per row group: bounds the memory of writing and reading."""


@dataclass(frozen=True, slots=True, eq=False)
class LabelledRead:
    """A read and its events, on the way into a store."""

    row: dict[str, Any]
    """Its columns in ``ROW_FIELDS``."""
    adc: NDArray[np.int16]
    """Counts, shape ``(n_samples,)``."""
    events: Events


class StagedWriter:
    """Writes the labelled reads of a job, and its ledger, into one file; a context manager.

    Args:
        path: The file.
    """

    def __init__(self, path: Path) -> None:
        self._table = pq.ParquetWriter(path, SCHEMA, compression="none", use_dictionary=False, write_statistics=False)
        self._batch: list[LabelledRead] = []
        self._size = 0

    def append(self, read: LabelledRead) -> None:
        """Add a read.

        Args:
            read: The read.
        """
        self._batch.append(read)
        self._size += read.adc.nbytes
        if self._size > BATCH_BYTES:
            self._flush()

    def _flush(self) -> None:
        self._table.write_table(_table(self._batch))
        self._batch, self._size = [], 0

    def finish(self, ledger: Ledger) -> None:
        """Write the remaining reads, and the ledger.

        Args:
            ledger: Of all reads of the job.
        """
        self._flush()
        self._table.add_key_value_metadata({"ledger": to_json(ledger)})

    def __enter__(self) -> Self:
        """Return the open file."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the file."""
        self._table.close()


def _table(batch: Sequence[LabelledRead]) -> pa.Table:
    columns = {name: [read.row[name] for read in batch] for name in ROW_FIELDS}
    for name, dtype in ARRAYS.items():
        arrays = (read.adc if name == "adc" else getattr(read.events, name) for read in batch)
        columns[name] = [array.astype(dtype, copy=False).tobytes() for array in arrays]
    return pa.table(columns, SCHEMA)


def ledger_of(path: Path) -> Ledger:
    """Return the ledger of a staged file.

    Args:
        path: What `StagedWriter` wrote.
    """
    return from_json(pq.read_metadata(path).metadata[b"ledger"], Ledger)


def read_staged(path: Path, classes: tuple[str, ...]) -> Iterator[LabelledRead]:
    """Yield labelled reads as they were written, one row group in memory at a time.

    Args:
        path: What `StagedWriter` wrote.
        classes: Class names of the events.
    """
    for batch in _batches(path, SCHEMA.names):
        rows = batch.select(ROW_FIELDS).to_pylist()
        for i, row in enumerate(rows):
            array = {name: _array(batch, name, i) for name in ARRAYS}
            yield LabelledRead(row, array.pop("adc"), Events.of(**array, classes=classes))


def durations(path: Path) -> Iterator[NDArray[np.int32]]:
    """Yield the durations of the events of each staged read, samples, shape ``(n_events,)``.

    Args:
        path: What `StagedWriter` wrote.
    """
    for batch in _batches(path, ["start", "end"]):
        for i in range(batch.num_rows):
            yield _array(batch, "end", i) - _array(batch, "start", i)


def _batches(path: Path, columns: list[str]) -> Iterator[pa.RecordBatch]:
    with pq.ParquetFile(path, memory_map=True) as table:
        for i in range(table.num_row_groups):
            yield from table.read_row_group(i, columns, use_threads=False).to_batches()


def _array(batch: pa.RecordBatch, name: str, i: int) -> NDArray[Any]:
    return np.frombuffer(batch[name][i].as_buffer(), ARRAYS[name])
