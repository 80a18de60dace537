"""The events table."""

import json
from collections.abc import Mapping, Sequence
from typing import NamedTuple, Self

import numpy as np
import pyarrow as pa

from poreconv.events.events import Events
from poreconv.events.levels import event_levels
from poreconv.reads.read import Read

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

READS = b"reads"
"""Key of the table's metadata: `ReadFacts` of each read, as JSON."""

UNNAMED = "event"
"""Label of events that have a place but no class."""


class ReadFacts(NamedTuple):
    """What writers need to know of a read besides its events."""

    n_samples: int
    rna: bool
    """Whether its signal is known to run 3' to 5'."""

    @classmethod
    def of(cls, read: Read) -> Self:
        """Take it from the read."""
        return cls(len(read.adc), read.chemistry.startswith("rna"))


def events_table(read: Read, events: Events) -> pa.Table:
    """One row per event, numbers rounded to what they mean: 4 decimals of score, 3 of pA."""
    mean_pa, sd_pa = event_levels(read, events)
    names = pa.array([*events.classes, UNNAMED])
    columns = {
        "read_id": pa.repeat(read.read_id, len(events)),
        "start": events.start,
        "end": events.end,
        "label": names.take(pa.array(events.label % len(names))),
        "score": np.round(events.score.astype(np.float64), 4),
        "mean_pa": np.round(mean_pa, 3),
        "sd_pa": np.round(sd_pa, 3),
    }
    return with_facts(pa.table(columns, EVENTS), {read.read_id: ReadFacts.of(read)})


def with_facts(table: pa.Table, facts: Mapping[str, Sequence[int]]) -> pa.Table:
    """Add what is known of each read: in the table's metadata, as it is no event's; `facts_of` reads it."""
    return table.replace_schema_metadata({READS: json.dumps(facts)})


def facts_of(table: pa.Table) -> dict[str, ReadFacts]:
    """What is known of each read, by its id; the inverse of `with_facts`."""
    told: dict[str, tuple[int, bool]] = json.loads((table.schema.metadata or {}).get(READS, b"{}"))
    return {read_id: ReadFacts(*fields) for read_id, fields in told.items()}
