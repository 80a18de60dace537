"""Events in the places of a reference, in the columns of eventalign."""

from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Literal

import pyarrow as pa

from poreconv.config import require
from poreconv.events.writers import Writer
from poreconv.events.writers.parquet import ParquetWriter
from poreconv.events.writers.tsv import TsvWriter

REFERENCE_EVENTS = pa.schema(
    [
        ("contig", pa.string()),
        ("position", pa.int64()),
        ("reference_kmer", pa.string()),
        ("read_name", pa.string()),
        ("strand", pa.string()),
        ("event_level_mean", pa.float64()),
        ("event_stdv", pa.float64()),
        ("event_length", pa.float64()),
        ("model_kmer", pa.string()),
        ("start_idx", pa.int64()),
        ("end_idx", pa.int64()),
        ("reference_base", pa.string()),
        ("run_id", pa.string()),
    ]
)
"""One row per event.

- ``position``: place of the event's own base, from 0; ``strand``: that of the alignment, + or -
- ``reference_kmer``: the k-mer with that base in the middle, on the forward strand of the reference
- ``model_kmer``, ``reference_base``: k-mer and base in the direction of the read, 5' to 3'
- N stands for bases of the reference that are not known
- ``event_level_mean``, ``event_stdv``: of the current, pA, as it was measured; ``event_length``: seconds
- ``start_idx``, ``end_idx``: samples ``[start, end)`` from the first stored one

In nanopolish's tables ``position`` is the first base of the k-mer, and ``strand`` the template (t) or complement (c).
"""

READ_NAME = REFERENCE_EVENTS.get_field_index("read_name")

JOB_ROWS = REFERENCE_EVENTS.set(READ_NAME, pa.field("read_id", pa.string()))
"""The columns as jobs write them: the read has the name that it has in every table of a job."""

Sorting = Literal["read", "position"]
"""Order of the rows: `read`: as the events follow each other in the signals; `position`: by place on the reference."""

SORTED_BY = [(name, "ascending") for name in ("contig", "position", "strand", "read_name", "start_idx")]

FORMATS: dict[str, Callable[[Path, pa.Schema], Writer]] = {".tsv": TsvWriter, ".parquet": ParquetWriter}
"""Suffix -> writer of rows of any columns."""


def reference_writer(sort: Sorting, out: Path) -> Callable[[Path], Writer]:
    """Return what opens the writer for an output of events in reference places.

    Args:
        sort: Order of the rows.
        out: The output.

    Raises:
        ConfigError: Its suffix names no such format.
    """
    known = out.suffix in FORMATS
    require(known, f"{out}: reference places are written as {' or '.join(FORMATS)}; end the name in one of them")
    return partial(ReferenceWriter, sort=sort)


class ReferenceWriter:
    """Writes tables of `JOB_ROWS`; those that are sorted by position are all in memory until the file is closed.

    Args:
        path: The file; its suffix is one of `FORMATS`.
        sort: Order of the rows.
    """

    def __init__(self, path: Path, sort: Sorting = "read") -> None:
        self._file = FORMATS[path.suffix](path, REFERENCE_EVENTS)
        self.notes: Counter[str] = self._file.notes
        self._kept: list[pa.Table] | None = [] if sort == "position" else None

    def write(self, table: pa.Table) -> None:
        """Add rows.

        Args:
            table: Columns as in `JOB_ROWS`.

        Raises:
            FormatError: A read id or contig that TSV without quotes cannot hold.
        """
        rows = table.rename_columns(REFERENCE_EVENTS.names).replace_schema_metadata()
        if self._kept is None:
            self._file.write(rows)
        else:
            self._kept.append(rows)

    def close(self) -> None:
        """Finish the file."""
        if self._kept:
            self._file.write(pa.concat_tables(self._kept).sort_by(SORTED_BY))
        self._file.close()
