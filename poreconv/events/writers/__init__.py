"""Events out: one table, in several formats. Adding one: one file here, one line in ``WRITERS``."""

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
    """An open output file. Made as ``SomeWriter(path)``."""

    notes: Counter[str]
    """What the format could not say, counted; complete when the file is closed."""

    def write(self, table: pa.Table) -> None:
        """Add rows.

        Args:
            table: Columns as in `table.EVENTS`, and facts on the reads as `with_facts` adds them; the rows of a read
                follow each other, in one call or several.
        """
        ...

    def close(self) -> None:
        """Finish the file."""
        ...


def writer_for(out: Path) -> Callable[[Path], Writer]:
    """The kind of writer that an output's suffix asks for.

    Raises:
        ConfigError: No writer has that suffix.
    """
    if out.suffix not in WRITERS:
        raise ConfigError(f"{out}: cannot tell the format; end the name in {' or '.join(WRITERS)}")
    kind: Callable[[Path], Writer] = lookup(WRITERS, out.suffix, kind="output format")
    return kind
