"""The index of a store, ``reads.parquet``: one row per read."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from poreconv.errors import StoreError

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
"""Columns of ``reads.parquet``; ``offset`` and ``length`` count samples in ``signal.i16``; ``recorded_hz`` is the
sample rate before resampling; ``reference`` is empty where it is not known; ``[first_labelled, end_labelled)`` spans
the read's known targets."""


def read_index(path: Path) -> pa.Table:
    """Read the index of a store.

    Args:
        path: Its ``reads.parquet``.

    Raises:
        StoreError: It is not a table of the columns in ``INDEX``, or has empty cells.
    """
    try:
        table = pq.read_table(path)
    except (OSError, pa.ArrowInvalid) as exc:
        raise StoreError(f"{path}: cannot be read as a Parquet table; run poreconv prepare again") from exc
    if table.schema.names != INDEX.names:
        raise StoreError(f"{path}: not the columns of a store's index; run poreconv prepare again")
    empty = [name for name in INDEX.names if table[name].null_count]
    if empty:
        raise StoreError(f"{path}: empty cells in {', '.join(empty)}; run poreconv prepare again")
    try:
        return table.cast(INDEX).combine_chunks()
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as exc:
        raise StoreError(f"{path}: columns have other types ({exc}); run poreconv prepare again") from exc
