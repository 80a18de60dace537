"""Events, or other rows, as tab-separated text with a header line."""

from collections import Counter
from pathlib import Path

import pyarrow as pa
import pyarrow.csv as pc

from poreconv.errors import FormatError
from poreconv.events.writers.table import EVENTS


class TsvWriter:
    """Writes a TSV table, piece by piece."""

    def __init__(self, path: Path, schema: pa.Schema = EVENTS) -> None:
        options = pc.WriteOptions(delimiter="\t", quoting_style="none", quoting_header="none")
        self.notes: Counter[str] = Counter()
        self._path = path
        self._writer = pc.CSVWriter(path, schema, write_options=options)

    def write(self, table: pa.Table) -> None:
        """Add rows.

        Raises:
            FormatError: A read id or label that such text cannot hold.
        """
        try:
            self._writer.write_table(table)
        except pa.ArrowInvalid as exc:
            raise FormatError(
                f"{self._path}: a read id or label has a tab, quote or line break in it; write .parquet instead"
            ) from exc

    def close(self) -> None:
        """Finish the file."""
        self._writer.close()
