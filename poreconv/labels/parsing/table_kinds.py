"""Open tables of any kind: text, spreadsheets, Parquet."""

from codecs import BOM_UTF16_BE, BOM_UTF16_LE
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet

from poreconv.errors import FormatError
from poreconv.labels.parsing.cells import SUGGESTION, Table, table_errors
from poreconv.labels.parsing.spreadsheet import open_spreadsheet
from poreconv.labels.parsing.text_table import text_table

BATCH_ROWS = 1 << 16
"""Rows of Parquet that are in memory at a time; text is read a megabyte at a time."""

OTHERS = {
    b"\xd0\xcf\x11\xe0": "a spreadsheet in the format of Excel 97",
    BOM_UTF16_LE: "text in UTF-16",
    BOM_UTF16_BE: "text in UTF-16",
}
"""First bytes of a table that is not read -> what it is."""


@dataclass(frozen=True)
class ParquetTable:
    """A Parquet file."""

    path: Path
    decimal_comma: bool = field(default=False, init=False)

    @cached_property
    def names(self) -> list[str]:
        """Column names."""
        return list(pa.parquet.read_schema(self.path).names)

    def batches(self, columns: Mapping[str, int]) -> Iterator[pa.RecordBatch]:
        """Read some columns; see `Table.batches`.

        Args:
            columns: Name in the batches -> index in ``names``.
        """
        stored = {name: self.names[index] for name, index in columns.items()}
        with pa.parquet.ParquetFile(self.path) as file:
            for batch in file.iter_batches(BATCH_ROWS, columns=list(stored.values())):
                yield pa.RecordBatch.from_arrays([batch[name] for name in stored.values()], list(stored))

    def number_of(self, row: int) -> int:
        """Return the number of a row, the first being 1; see `Table.number_of`.

        Args:
            row: Its index.
        """
        return row + 1


def open_table(path: Path) -> Table:
    """Open a table of any kind by its content: Parquet, .xlsx, else text, plain or compressed.

    Args:
        path: The file. In text, tabs separate the columns if there is one in the first line, else semicolons or commas,
            whichever are more.

    Raises:
        FormatError: The file is not a table.
        ConfigError: It is a spreadsheet, and openpyxl is not installed.
    """
    with table_errors(path):
        with path.open("rb") as stream:
            head = stream.read(4)
        if head == b"PK\x03\x04":
            return open_spreadsheet(path)
        other = next((what for start, what in OTHERS.items() if head.startswith(start)), None)
        if other is not None:
            raise FormatError(f"{path}: {other}; {SUGGESTION}")
        return ParquetTable(path) if head == b"PAR1" else text_table(path)
