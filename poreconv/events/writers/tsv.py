"""Events, or other rows, as tab-separated text with a header line."""

from collections import Counter
from pathlib import Path

import pyarrow as pa
import pyarrow.csv as pc

from poreconv.errors import FormatError
from poreconv.events.writers.table import EVENTS


class TsvWriter:
    """Writes a TSV table, one batch of rows at a time.

    Args:
        path: The file.
        schema: Columns of the table; default: those of events.
    """

    def __init__(self, path: Path, schema: pa.Schema = EVENTS) -> None:
        options = pc.WriteOptions(delimiter="\t", quoting_style="none", quoting_header="none")
        self.notes: Counter[str] = Counter()
        self._path = path
        self._writer = pc.CSVWriter(path, schema, write_options=options)

    def write(self, table: pa.Table) -> None:
        """Add rows.

        Args:
            table: Columns as in the schema.

        Raises:
            FormatError: A read id or label that TSV without quotes cannot hold.
        """
        try:
            self._writer.write_table(table)
        except pa.ArrowInvalid as exc:
            raise FormatError(
                f"{self._path}: a read id or label contains a tab, quote or line break; write .parquet instead"
            ) from exc

    def close(self) -> None:
        """Finish the file."""
        self._writer.close()
