"""Tables of numbers: one list per read, or the means of intervals as text."""

from collections import Counter
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from poreconv.events.events import Events
from poreconv.events.targets import values_of
from poreconv.events.writers.tsv import TsvWriter
from poreconv.reads.read import Read

VALUES = pa.schema([("read_id", pa.string()), ("value", pa.list_(pa.float32()))])
"""One row per read; its list is as long as its signal, with null where a sample has no number."""

MEANS = pa.schema([("read_id", pa.string()), ("start", pa.int64()), ("end", pa.int64()), ("value", pa.float64())])
"""One row per interval ``[start, end)``, in samples, with the mean of its numbers."""

DIGITS = 4
"""Decimals of a mean in a text table."""


def values_table(read: Read, events: Events) -> pa.Table:
    """Make the row of a read.

    Args:
        read: The read.
        events: Events with values.

    Returns:
        Columns as in ``VALUES``.
    """
    value = pa.array(values_of(events, len(read.adc)), from_pandas=True)  # NaN becomes null
    return pa.table({"read_id": [read.read_id], "value": pa.array([value], VALUES.field("value").type)}, VALUES)


def interval_values(read: Read, events: Events) -> pa.Table:
    """Return the values of a read's events.

    Args:
        read: The read.
        events: Events with values.

    Returns:
        Columns as in ``MEANS``.
    """
    columns = {"read_id": pa.repeat(read.read_id, len(events)), "start": events.start, "end": events.end}
    return pa.table(columns | {"value": np.round(events.value.astype(np.float64), DIGITS)}, MEANS)


def means_table(read_id: str, value: NDArray[np.float32], every: int) -> pa.Table:
    """Return the means of stretches of a read's numbers; a stretch without a number is left out.

    Args:
        read_id: Id of the read.
        value: Number of each sample, NaN where it has none, shape ``(n_samples,)``.
        every: Length of the stretches, samples; the last one may be shorter.

    Returns:
        Columns as in ``MEANS``.
    """
    start = np.arange(0, len(value), every)
    known = ~np.isnan(value)
    n = np.add.reduceat(known, start, dtype=np.int64) if len(start) else start
    total = np.add.reduceat(np.where(known, value, 0), start, dtype=np.float64) if len(start) else start
    start, n, total = start[n > 0], n[n > 0], total[n > 0]
    end = np.minimum(start + every, len(value))
    columns = {"read_id": pa.repeat(read_id, len(start)), "start": start, "end": end}
    return pa.table(columns | {"value": np.round(total / n, DIGITS)}, MEANS)


class MeansWriter:
    """Writes tables of ``VALUES`` as tab-separated means.

    Args:
        path: The file.
        every: Number of samples of which a row is the mean.
    """

    def __init__(self, path: Path, every: int) -> None:
        self._every, self._tsv = every, TsvWriter(path, MEANS)
        self.notes: Counter[str] = self._tsv.notes

    def write(self, table: pa.Table) -> None:
        """Add rows.

        Args:
            table: Columns as in ``VALUES``.

        Raises:
            FormatError: A read id that TSV without quotes cannot hold.
        """
        for read_id, value in zip(table["read_id"].to_pylist(), table["value"], strict=True):
            numbers = value.values.to_numpy(zero_copy_only=False)
            self._tsv.write(means_table(read_id, numbers, self._every))

    def close(self) -> None:
        """Finish the file."""
        self._tsv.close()
