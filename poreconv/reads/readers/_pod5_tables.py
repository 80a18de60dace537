"""The signal and run tables of an open POD5; each batch is checked before its rows are read."""

from collections import OrderedDict
from typing import Any

import numpy as np
import pod5
import pyarrow as pa
from numpy.typing import NDArray

from poreconv.reads.readers._fields import HARMLESS_BYTES, MAX_COMPRESSION, fields_of_run, printable

POD5_ERRORS = (
    pa.ArrowException,
    ArithmeticError,
    LookupError,
    MemoryError,
    OSError,
    RuntimeError,
    TypeError,
    ValueError,
)
"""What pod5 and pyarrow raise on a damaged file."""

SIGNAL_BATCHES = 4
"""Batches of the signal table that stay loaded; they are memory-mapped."""

Row = dict[str, Any]


class Signals:
    """The signal table of an open file.

    Args:
        file: The open file.
    """

    def __init__(self, file: pod5.Reader) -> None:
        self._table = file.signal_table
        self._packed = file.is_vbz_compressed
        self._rows_per_batch = max(1, file.signal_batch_row_count)
        self._checked: OrderedDict[int, tuple[Any, Any]] = OrderedDict()

    def of(self, row: Row) -> NDArray[np.int16]:
        """Read the signal of one read.

        Args:
            row: The read's row in the reads table.

        Returns:
            Counts, shape ``(n_samples,)``.

        Raises:
            ValueError: The signal does not have the length that the row states. Other damage raises ``POD5_ERRORS``.
        """
        pieces = [self._piece(number) for number in row["signal"] or ()]
        adc = pieces[0] if len(pieces) == 1 else np.concatenate([np.zeros(0, np.int16), *pieces])
        if len(adc) != row["num_samples"]:
            raise ValueError(f"{len(adc)} samples, but {row['num_samples']} in the reads table")
        return adc

    def _piece(self, number: int) -> NDArray[np.int16]:
        packed, samples = self._batch(number // self._rows_per_batch)
        stored = packed[number % self._rows_per_batch]
        if not self._packed:
            return np.asarray(stored.values, np.int16)
        buffer, n_samples = stored.as_buffer(), samples[number % self._rows_per_batch]
        if 2 * n_samples > HARMLESS_BYTES and 2 * n_samples > MAX_COMPRESSION * buffer.size:
            raise ValueError(f"{n_samples} samples by the signal table, {buffer.size} bytes stored")
        adc = np.empty(n_samples, np.int16)
        pod5.vbz_decompress_signal_into(memoryview(buffer), adc)
        return adc

    def _batch(self, number: int) -> tuple[Any, Any]:
        if number not in self._checked:
            batch = self._table.get_batch(number).select(["signal", "samples"])
            batch.validate(full=True)
            while len(self._checked) >= SIGNAL_BATCHES:
                self._checked.popitem(last=False)
            self._checked[number] = batch.column("signal"), batch.column("samples").to_pylist()
        return self._checked[number]


def rows_of(batch: Any) -> list[Row]:
    """Convert a batch into rows; column by column, which is several times as fast as Arrow's own conversion.

    Args:
        batch: An Arrow record batch.

    Returns:
        For each row, column -> value.
    """
    names = batch.schema.names
    return [dict(zip(names, cells, strict=True)) for cells in zip(*(c.to_pylist() for c in batch.columns), strict=True)]


def uuid_text(raw: bytes) -> str:
    """Format a read id as `uuid.UUID` does, which takes eight times as long.

    Args:
        raw: 16 bytes.
    """
    text = raw.hex()
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


RUN_ROW = "run_row"
"""Column that `with_run_row` adds."""


def with_run_row(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Add the row of the run table that each read refers to: the code of its run's id.

    Args:
        batch: Rows of the reads table.
    """
    run = batch.column("run_info")
    row = run.indices if isinstance(run, pa.DictionaryArray) else pa.nulls(batch.num_rows)
    return batch.append_column(RUN_ROW, row)


class Runs:
    """What the reads of each sequencing run share.

    Args:
        table: The run table of an open file.
    """

    def __init__(self, table: Any) -> None:
        self._rows: list[tuple[str, dict[str, Any]]] = []
        for number in range(table.num_record_batches):
            batch = table.get_batch(number)
            batch.validate(full=True)
            self._rows += [(run["acquisition_id"], _run(run)) for run in batch.to_pylist()]
        self._by_id = dict(reversed(self._rows))  # of several with one id, the first

    def of(self, row: Row) -> dict[str, Any]:
        """Return what is known of a read's run: the row that the read refers to, as several may have one id.

        Args:
            row: The read's row in the reads table, see `with_run_row`; if its run's id is not that of the row referred
                to, as in files of other programs, the run is found by the id.

        Returns:
            ``RUN_FIELDS`` and ``sample_rate_hz``.

        Raises:
            ValueError: The file does not describe the run.
        """
        place, run_id = row[RUN_ROW], row["run_info"]
        if place is not None and 0 <= place < len(self._rows) and self._rows[place][0] == run_id:
            return self._rows[place][1]
        run: dict[str, Any] | None = self._by_id.get(run_id)
        if run is None:
            raise ValueError(f"the file does not describe its run {str(run_id)!a}")
        return run


def _run(run: Row) -> dict[str, Any]:
    """Take a run's fields from its own columns, and from the copies of fast5's groups what these do not contain."""
    columns = {
        ("tracking_id", "run_id"): run["acquisition_id"],
        ("tracking_id", "flow_cell_product_code"): run["flow_cell_product_code"],
        ("tracking_id", "exp_script_name"): run["protocol_name"],
        ("context_tags", "sequencing_kit"): run["sequencing_kit"],
    }
    tags = {group: dict(run[group] or ()) for group in ("tracking_id", "context_tags")}

    def attribute(group: str, name: str) -> str:
        return printable(columns.get((group, name)) or tags[group].get(name) or "")

    return {"sample_rate_hz": run["sample_rate"], **fields_of_run(attribute)}
