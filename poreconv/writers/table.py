"""The events table."""

import json
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from poreconv.events import Events
from poreconv.read import Read

EVENTS = pa.schema(
    [
        ("read_id", pa.string()),
        ("start", pa.int64()),
        ("end", pa.int64()),
        ("label", pa.string()),
        ("score", pa.float64()),
        ("mean_pa", pa.float64()),
        ("sd_pa", pa.float64()),
    ]
)
"""``[start, end)`` in samples from the first stored one; score 0 to 1; mean and SD of the current in pA."""

SAMPLES = b"n_samples"
"""Key of the table's metadata: samples of each read, as JSON."""

UNNAMED = "event"
"""Label of events that have a place but no class."""


def events_table(read: Read, events: Events) -> pa.Table:
    """One row per event, numbers rounded to what they mean: 4 decimals of score, 3 of pA."""
    mean_pa, sd_pa = event_levels(read, events)
    names = np.array([*events.classes, UNNAMED], dtype=object)
    columns = {
        "read_id": pa.array([read.read_id] * len(events), pa.string()),
        "start": events.start,
        "end": events.end,
        "label": names[events.label],
        "score": np.round(events.score.astype(np.float64), 4),
        "mean_pa": np.round(mean_pa, 3),
        "sd_pa": np.round(sd_pa, 3),
    }
    return with_samples(pa.table(columns, EVENTS), {read.read_id: len(read.adc)})


def with_samples(table: pa.Table, n_samples: dict[str, int]) -> pa.Table:
    """Add how many samples each read has: in the table's metadata, as it is no event's; `samples_of` reads it."""
    return table.replace_schema_metadata({SAMPLES: json.dumps(n_samples)})


def samples_of(table: pa.Table) -> dict[str, int]:
    """Samples by read id; the inverse of `with_samples`."""
    told: dict[str, Any] = json.loads((table.schema.metadata or {}).get(SAMPLES, b"{}"))
    return {read_id: int(n) for read_id, n in told.items()}


def event_levels(read: Read, events: Events) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mean and SD of the current in each event, pA, shape ``(n_events,)`` each; exact sums of the counts."""
    adc = read.adc.astype(np.int64)
    total = np.concatenate([[0], np.cumsum(adc)])
    squares = np.concatenate([[0], np.cumsum(adc * adc)])
    n = events.duration
    mean = (total[events.end] - total[events.start]) / n
    variance = (squares[events.end] - squares[events.start]) / n - mean**2
    scale = read.calibration.scale
    return (mean + read.calibration.offset) * scale, np.sqrt(np.maximum(variance, 0)) * abs(scale)
