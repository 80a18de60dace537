"""The table of a run's reads: one row per read, what its passage and its current were."""

import math
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow import csv

from poreconv.events.named_models import columns_writer
from poreconv.events.tabulation import TableKind
from poreconv.inference.speed import Passage
from poreconv.reads.current import Current
from poreconv.reads.read import Read

READS = pa.schema(
    [
        ("read_id", pa.string()),
        ("run_id", pa.string()),
        ("flow_cell", pa.string()),
        ("channel", pa.int32()),
        ("mux", pa.int32()),
        ("start_s", pa.float64()),
        ("duration_s", pa.float64()),
        ("end_reason", pa.string()),
        ("model", pa.string()),
        ("bases", pa.float64()),
        ("bases_per_s", pa.float64()),
        ("stalled", pa.float64()),
        ("open_pore_pa", pa.float64()),
        ("level_pa", pa.float64()),
        ("spread_pa", pa.float64()),
        ("noise_pa", pa.float64()),
        ("blocked", pa.float64()),
    ]
)
"""Start since the run began, in seconds; ``flow_cell`` is its product code; ``stalled`` and ``blocked`` are shares of
the molecule's and of the read's time. What is not known is null, in TSV empty; ``model`` counted the bases."""


class ReadHealth(NamedTuple):
    """What was measured of a read."""

    model: str
    """Name of the model that counted its bases; empty: none."""
    passage: Passage
    current: Current


def _row(read: Read, found: ReadHealth) -> pa.Table:
    """Return one read's row, with numbers rounded to the digits that they are good for."""
    passage, current = found.passage, found.current
    start_s, duration_s = (n / read.sample_rate_hz for n in (read.start_sample, len(read.adc)))
    values = (
        *(read.read_id, read.run_id, read.pore, read.channel, read.mux),
        *(round(start_s, 3), round(duration_s, 3), read.end_reason, found.model),
        *(round(passage.bases, 1), round(passage.bases_per_s, 2), round(passage.stalled, 4)),
        *(round(pa_, 3) for pa_ in (current.open_pore, current.level, current.spread, current.noise)),
        round(current.blocked, 4),
    )
    return pa.table(
        [pa.array([_known(value)], column.type) for value, column in zip(values, READS, strict=True)], READS
    )


def _known(value: Any) -> Any:
    return None if isinstance(value, float) and math.isnan(value) else value


READ_ROWS = TableKind(READS, _row, partial(columns_writer, schema=READS, of="a table of reads"))
"""One row per read; its results are `ReadHealth`."""


def read_table(path: Path, columns: Sequence[str] = READS.names) -> pa.Table:
    """Read a table of reads.

    Args:
        path: What `poreconv health` wrote, ``.parquet`` or ``.tsv``.
        columns: Those that are needed.
    """
    if path.suffix != ".tsv":
        return pq.read_table(path, columns=[*columns])
    tabs = csv.ParseOptions(delimiter="\t")
    options = csv.ConvertOptions(column_types=READS, strings_can_be_null=False, include_columns=[*columns])
    return csv.read_csv(path, parse_options=tabs, convert_options=options)
