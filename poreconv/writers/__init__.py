"""Events out: one table, in several formats. Adding one: one file here, one line in ``WRITERS``."""

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import pyarrow as pa

from poreconv.errors import ConfigError
from poreconv.registry import lookup

WRITERS = {
    ".tsv": "poreconv.writers.tsv:TsvWriter",
    ".parquet": "poreconv.writers.parquet:ParquetWriter",
    ".paf": "poreconv.writers.paf:PafWriter",
}
"""Suffix -> writer."""


class Writer(Protocol):
    """An open output file. Made as ``SomeWriter(path)``."""

    def write(self, table: pa.Table) -> None:
        """Add rows; columns as in `poreconv.writers.table.EVENTS`, lengths of the reads as `with_samples` adds them."""
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
