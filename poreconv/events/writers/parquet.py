"""Events, or other rows, as a Parquet table."""

from collections import Counter
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from poreconv.events.writers.table import EVENTS


class ParquetWriter:
    """Writes a Parquet table, one batch of rows at a time.

    Args:
        path: The file.
        schema: Columns of the table; default: those of events.
    """

    def __init__(self, path: Path, schema: pa.Schema = EVENTS) -> None:
        self.notes: Counter[str] = Counter()
        texts = [field.name for field in schema if pa.types.is_string(field.type)]
        self._writer = pq.ParquetWriter(path, schema, use_dictionary=texts)  # numbers seldom repeat

    def write(self, table: pa.Table) -> None:
        """Add rows.

        Args:
            table: Columns as in the schema.
        """
        self._writer.write_table(table)

    def close(self) -> None:
        """Finish the file."""
        self._writer.close()
