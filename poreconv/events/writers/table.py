"""The events table."""

from collections.abc import Mapping
from typing import NamedTuple, Self

import numpy as np
import pyarrow as pa

from poreconv.events.events import Events
from poreconv.events.levels import event_levels
from poreconv.reads.read import Read
from poreconv.runtime.records import from_json, to_json

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
"""``[start, end)`` in samples from the first stored one; score from 0 to 1; mean and SD of the current in pA."""

READS = b"reads"
"""Key of the table's metadata: `ReadFacts` of each read, as JSON."""


class ReadFacts(NamedTuple):
    """Facts about a read that writers need besides its events."""

    n_samples: int
    """Length of the read."""
    rna: bool
    """Whether its signal is known to run 3' to 5'."""

    @classmethod
    def of(cls, read: Read) -> Self:
        """Return the facts about a read.

        Args:
            read: The read.
        """
        return cls(len(read.adc), read.chemistry.rna)


def events_table(read: Read, events: Events) -> pa.Table:
    """Make the events table of a read: one row per event, with its level.

    Args:
        read: The read.
        events: Its events.

    Returns:
        Columns as in ``EVENTS``, rounded to the digits that mean something: score to 4 decimals, pA to 3.
    """
    table, (mean_pa, sd_pa) = events.to_arrow(), event_levels(read, events)
    columns = {
        "read_id": pa.repeat(read.read_id, len(events)),
        **{name: table[name] for name in ("start", "end", "label")},
        "score": np.round(events.score.astype(np.float64), 4),
        "mean_pa": np.round(mean_pa, 3),
        "sd_pa": np.round(sd_pa, 3),
    }
    return with_facts(pa.table(columns, EVENTS), {read.read_id: ReadFacts.of(read)})


def with_facts(table: pa.Table, facts: Mapping[str, ReadFacts]) -> pa.Table:
    """Add facts about reads to the table's metadata, where `facts_of` reads them.

    Args:
        table: A table of any columns.
        facts: Facts by read id.
    """
    return table.replace_schema_metadata({READS: to_json(facts)})


def facts_of(table: pa.Table) -> dict[str, ReadFacts]:
    """Return the facts about each read of a table, by read id; the inverse of `with_facts`.

    Args:
        table: A table to which `with_facts` added them; of any other the result is empty.
    """
    return from_json((table.schema.metadata or {}).get(READS, b"{}"), dict[str, ReadFacts])
