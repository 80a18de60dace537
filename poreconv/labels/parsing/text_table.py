"""Read tables of text: comma-, semicolon- or tab-separated, plain or compressed."""

import csv
import io
from codecs import BOM_UTF8
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import IO, Any

import numpy as np
import pyarrow as pa
import pyarrow.csv
from numpy.typing import NDArray

from poreconv.errors import FormatError

HEAD_BYTES = 1 << 16
"""Bytes of a text in which its header is looked for."""


@dataclass(frozen=True)
class TextTable:
    """Lines of cells; empty lines are ignored."""

    path: Path
    names: Sequence[str]
    delimiter: str
    skip: int = 1
    """Lines before the first row."""
    quoted: bool = True
    """Whether cells may stand in quotes."""
    empty: str = ""
    """A cell without content."""

    @property
    def decimal_comma(self) -> bool:
        """See `Table.decimal_comma`."""
        return self.delimiter == ";"

    def batches(self, columns: Mapping[str, int]) -> Iterator[pa.RecordBatch]:
        """Read some columns; see `Table.batches`.

        Args:
            columns: Name in the batches -> index in ``names``.

        Raises:
            FormatError: A row has another number of cells than the header.
        """
        if not head_of(self.path)[self.skip :]:
            return  # pyarrow refuses an empty text
        refused: list[str] = []

        def refuse(row: Any) -> str:
            refused.append(row.text)
            return "error"

        numbered = [str(index) for index in range(len(self.names))]  # unlike the names, each of them occurs once
        wanted = {numbered[index]: pa.string() for index in columns.values()}
        read = pa.csv.ReadOptions(column_names=numbered, skip_rows=self.skip)
        parse = pa.csv.ParseOptions(
            delimiter=self.delimiter, quote_char='"' if self.quoted else False, invalid_row_handler=refuse
        )
        convert = pa.csv.ConvertOptions(
            include_columns=list(wanted),
            column_types=wanted,
            null_values=[self.empty],
            strings_can_be_null=True,
            quoted_strings_can_be_null=True,
        )
        try:
            with pa.csv.open_csv(
                str(self.path), read_options=read, parse_options=parse, convert_options=convert
            ) as rows:
                for batch in rows:
                    yield pa.RecordBatch.from_arrays(batch.columns, list(columns))
        except pa.ArrowInvalid as exc:
            if refused:
                raise self._wrong_number_of_cells(refused[0]) from exc
            raise

    def _wrong_number_of_cells(self, text: str) -> FormatError:
        with _lines(self.path) as lines:
            numbered = enumerate(lines, start=1)
            row = next((number for number, line in numbered if line.rstrip(b"\r\n") == text.encode()), 0)
        n_cells = len(next(csv.reader([text], delimiter=self.delimiter)))
        return FormatError(
            f"{self.path}: row {row}: {n_cells} cells, and the first row has {len(self.names)}; correct the row"
        )

    def number_of(self, row: int) -> int:
        """Return the number of a row's line; see `Table.number_of`.

        Args:
            row: Its index.
        """
        first = self.skip + 1 + row  # if there were no empty lines
        return first + int(np.searchsorted(self._rows_before_gaps, row, side="right"))

    @cached_property
    def _rows_before_gaps(self) -> NDArray[np.int64]:
        """For each empty line after the header, the number of rows before it."""
        with _lines(self.path) as lines:
            empty = [n for n, line in enumerate(lines) if n >= self.skip and not line.rstrip(b"\r\n")]
        return np.array(empty, np.int64) - self.skip - np.arange(len(empty))


@contextmanager
def _lines(path: Path) -> Iterator[IO[bytes]]:
    """Open a text, plain or compressed, to read it line by line."""
    with pa.input_stream(str(path), compression="detect") as stream, io.BufferedReader(stream) as lines:
        yield lines


def head_of(path: Path) -> list[bytes]:
    """Return the first lines of a text, without a byte-order mark; the last one may be cut.

    Args:
        path: The text, plain or compressed.
    """
    with pa.input_stream(str(path), compression="detect") as stream:
        lines: list[bytes] = stream.read(HEAD_BYTES).removeprefix(BOM_UTF8).splitlines()
    return lines


def text_table(path: Path) -> TextTable:
    """Open a table of text with a header.

    Args:
        path: The text, plain or compressed.
    """
    lines = head_of(path)
    skip = next((number for number, line in enumerate(lines) if line.strip()), 0)
    header = lines[skip].decode() if lines else ""
    delimiter = "\t" if "\t" in header else ";" if header.count(";") > header.count(",") else ","
    names = next(csv.reader([header], delimiter=delimiter), [])
    return TextTable(path, [name.strip() for name in names], delimiter, skip + 1)
