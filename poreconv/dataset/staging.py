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

from poreconv.dataset.index import INDEX
from poreconv.events.events import Events
from poreconv.reads.distinct import JobLedger, JoinedJobs
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
        self._table = pq.ParquetWriter(
            path, SCHEMA, compression="none", use_dictionary=False, write_statistics=False, write_page_checksum=True
        )
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

    def finish(self, ledger: JobLedger) -> None:
        """Write the remaining reads, and the ledger.

        Args:
            ledger: Of the job.
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


@dataclass(frozen=True)
class StagedFile:
    """The labelled reads of a job, without those that an earlier job has used."""

    path: Path
    """What `StagedWriter` wrote."""
    left_out: frozenset[str]
    """Ids that an earlier job has used."""

    def reads(self, classes: tuple[str, ...]) -> Iterator[LabelledRead]:
        """Yield labelled reads as they were written, one row group in memory at a time.

        Args:
            classes: Class names of the events.
        """
        for batch, numbers in self._batches(SCHEMA.names):
            rows = batch.select(ROW_FIELDS).to_pylist()
            for i in numbers:
                array = {name: _array(batch, name, i) for name in ARRAYS}
                yield LabelledRead(rows[i], array.pop("adc"), Events.of(**array, classes=classes))

    def rows(self, columns: Sequence[str]) -> Iterator[dict[str, Any]]:
        """Yield some columns of each read's row.

        Args:
            columns: Names in ``ROW_FIELDS``, ``read_id`` among them.
        """
        for batch, numbers in self._batches(columns):
            rows = batch.to_pylist()
            yield from (rows[i] for i in numbers)

    def durations(self) -> Iterator[NDArray[np.int32]]:
        """Yield the durations of the events of each read, samples, shape ``(n_events,)``."""
        for batch, numbers in self._batches(["read_id", "start", "end"]):
            for i in numbers:
                yield _array(batch, "end", i) - _array(batch, "start", i)

    def _batches(self, columns: Sequence[str]) -> Iterator[tuple[pa.RecordBatch, list[int]]]:
        """Yield row groups, each with the numbers of the rows that are used."""
        with pq.ParquetFile(self.path, memory_map=True) as table:
            for i in range(table.num_row_groups):
                for batch in table.read_row_group(i, list(columns), use_threads=False).to_batches():
                    read_ids = batch["read_id"].to_pylist()
                    yield batch, [row for row, read_id in enumerate(read_ids) if read_id not in self.left_out]


def staged_files(paths: Sequence[Path]) -> tuple[list[StagedFile], Ledger]:
    """Open what the jobs of a preparation have staged.

    Args:
        paths: The file of each job, in order.

    Returns:
        The files, in which together each read stands once; and the ledger of all jobs, without the reads that are kept.
    """
    jobs = JoinedJobs()
    ledgers = (from_json(pq.read_metadata(path).metadata[b"ledger"], JobLedger) for path in paths)
    files = [StagedFile(path, jobs.add(ledger, ())) for path, ledger in zip(paths, ledgers, strict=True)]
    return files, jobs.ledger


def _array(batch: pa.RecordBatch, name: str, i: int) -> NDArray[Any]:
    return np.frombuffer(batch[name][i].as_buffer(), ARRAYS[name])
