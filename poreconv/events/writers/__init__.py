"""Writers of events, one per format. To add one: a file here and a line in ``WRITERS``, or an installed package."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from poreconv.errors import ConfigError
from poreconv.runtime.registry import installed, lookup

if TYPE_CHECKING:  # the command line reads this table, and pyarrow is slow to import
    import pyarrow as pa

WRITERS = {
    ".tsv": "poreconv.events.writers.tsv:TsvWriter",
    ".parquet": "poreconv.events.writers.parquet:ParquetWriter",
    ".paf": "poreconv.events.writers.paf:PafWriter",
    ".bed": "poreconv.events.writers.bed:BedWriter",
    ".bam": "poreconv.events.writers.bam:BamWriter",
    ".peaks": "poreconv.events.writers.peaks:PeaksWriter",
}
"""Suffix -> writer. Installed packages offer others as entry points of the group `INSTALLED`, by suffix."""

INSTALLED = "poreconv.writers"
"""Group of entry points, asked only for suffixes that the table does not have."""


class Writer(Protocol):
    """An open output file; made as ``SomeWriter(path)``."""

    notes: Counter[str]
    """Counts of what the format could not express; complete when the file is closed."""

    def write(self, table: pa.Table) -> None:
        """Add rows.

        Args:
            table: Columns as in `table.EVENTS`, with the facts about the reads that `with_facts` adds; the rows of a
                read follow each other, in one call or several.
        """
        ...

    def close(self) -> None:
        """Finish the file."""
        ...


def writer_for(out: Path) -> Callable[[Path], Writer]:
    """Return the writer class for an output's suffix.

    Args:
        out: The output.

    Raises:
        ConfigError: No writer has that suffix.
    """
    known = out.suffix in WRITERS
    writer: Callable[[Path], Writer] | None = (
        lookup(WRITERS, out.suffix, kind="output format") if known else installed(INSTALLED, out.suffix)
    )
    if writer is None:
        raise ConfigError(f"{out}: no output format has this suffix; end the name in {' or '.join(WRITERS)}")
    return writer
