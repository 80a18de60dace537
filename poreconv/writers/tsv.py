"""Events as tab-separated text with a header line."""

from pathlib import Path

import pyarrow as pa
import pyarrow.csv as pc

from poreconv.writers.table import EVENTS


class TsvWriter:
    """Writes a TSV table, piece by piece."""

    def __init__(self, path: Path) -> None:
        options = pc.WriteOptions(delimiter="\t", quoting_style="none", quoting_header="none")
        self._writer = pc.CSVWriter(path, EVENTS, write_options=options)

    def write(self, table: pa.Table) -> None:
        """Add rows."""
        self._writer.write_table(table)

    def close(self) -> None:
        """Finish the file."""
        self._writer.close()
