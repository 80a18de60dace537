"""Writers of events, one per format; a new format needs one file here and one line in ``WRITERS``."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from poreconv.errors import ConfigError
from poreconv.runtime.registry import lookup

if TYPE_CHECKING:  # the command line reads this table, and pyarrow is slow to import
    import pyarrow as pa

WRITERS = {
    ".tsv": "poreconv.events.writers.tsv:TsvWriter",
    ".parquet": "poreconv.events.writers.parquet:ParquetWriter",
    ".paf": "poreconv.events.writers.paf:PafWriter",
    ".bed": "poreconv.events.writers.bed:BedWriter",
    ".bam": "poreconv.events.writers.bam:BamWriter",
}
"""Suffix -> writer."""


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
    if out.suffix not in WRITERS:
        raise ConfigError(f"{out}: no output format has this suffix; end the name in {' or '.join(WRITERS)}")
    writer: Callable[[Path], Writer] = lookup(WRITERS, out.suffix, kind="output format")
    return writer
