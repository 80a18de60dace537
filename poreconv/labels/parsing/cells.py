"""Read the cells of tables as people and programs write them: text, spreadsheets, Parquet."""

import csv
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import pyarrow as pa
import pyarrow.compute as pc

from poreconv.errors import FormatError

NO_NUMBER = pa.array(["", "NA", "N/A", "#N/A", "NaN", "nan", "NULL", "null", "None"])
"""Cells that stand for a number which is not known."""

THOUSANDS = re.compile(r"[+-]?\d{1,3}([.,]\d{3})+")
"""A number that may have separators of thousands, or as many decimals."""

SUGGESTION = "save it as .csv (UTF-8), .tsv or .xlsx"


class Table(Protocol):
    """A table with a header; nothing stays open between two calls."""

    @property
    def path(self) -> Path:
        """The file."""
        ...

    @property
    def names(self) -> Sequence[str]:
        """Column names as they stand in the file."""
        ...

    @property
    def decimal_comma(self) -> bool:
        """Whether numbers may have a decimal comma, as in a text whose columns semicolons separate."""
        ...

    def batches(self, columns: Mapping[str, int]) -> Iterator[pa.RecordBatch]:
        """Read some columns batch by batch.

        Args:
            columns: Name in the batches -> index in ``names``.

        Raises:
            FormatError: A row has another number of cells than the header.
            ArrowException: The file is damaged.
        """
        ...

    def number_of(self, row: int) -> int:
        """Return the number of a row as its reader sees it: of a line, or of a row of a sheet, from 1.

        Args:
            row: Its index among the rows that `batches` returns, from 0.
        """
        ...


@dataclass(frozen=True, slots=True)
class Batch:
    """Consecutive rows of a table; cells are converted when they are asked for."""

    table: Table
    first: int
    """Index of the first row in the table."""
    columns: Mapping[str, pa.Array]
    """Cells by column, as they are stored; a column that the table lacks is not here."""
    index: Mapping[str, int]
    """Name in ``columns`` -> index in the table's names."""
    n_rows: int

    def text(self, name: str) -> pa.Array:
        """Return a column as text without spaces around it, shape ``(n,)``; null where nothing else is in a cell.

        Args:
            name: The column; one that the table lacks is null throughout.
        """
        if name not in self.columns:
            return pa.nulls(self.n_rows, pa.string())
        trimmed = pc.utf8_trim_whitespace(self.columns[name].cast(pa.string()))
        return pc.if_else(pc.equal(trimmed, ""), None, trimmed)

    def numbers(self, name: str) -> pa.Array:
        """Return a column as float64, shape ``(n,)``; null where no number is known.

        Args:
            name: The column; one that the table lacks is null throughout.

        Raises:
            FormatError: A cell is not a number.
        """
        if _is_number(self.columns.get(name)):
            return self.columns[name].cast(pa.float64())
        text = self.text(name)
        text = pc.if_else(pc.is_in(text, NO_NUMBER), None, text)
        if self.table.decimal_comma:
            self._refuse_if(pc.match_substring_regex(text, f"^{THOUSANDS.pattern}$"), name, "ambiguous", text)
            text = pc.replace_substring(text, ",", ".")
        try:
            return text.cast(pa.float64())
        except pa.ArrowInvalid:
            bad = pa.array([each is not None and not _is_float(each) for each in text.to_pylist()])
            self._refuse_if(bad, name, "not a number", text)
            raise

    def whole(self, name: str) -> pa.Array:
        """Return a column as int64, shape ``(n,)``; null where no number is known. ``12.0`` is a whole number.

        Args:
            name: The column; one that the table lacks is null throughout.

        Raises:
            FormatError: A cell is not a whole number.
        """
        column = self.columns.get(name)
        if column is not None and pa.types.is_integer(column.type):
            return column.cast(pa.int64())
        try:
            return self.text(name).cast(pa.int64())
        except pa.ArrowInvalid:
            numbers = self.numbers(name)
        whole = pc.and_(pc.equal(pc.floor(numbers), numbers), pc.less(pc.abs(numbers), 2.0**53))
        self._refuse_if(pc.invert(whole), name, "not a whole number", self.text(name))
        return numbers.cast(pa.int64())

    def _refuse_if(self, bad: pa.Array, name: str, problem: str, cells: pa.Array) -> None:
        at = pc.index(bad, True).as_py()
        if at >= 0:
            column = self.table.names[self.index[name]]
            raise self.refusal(at, f"column {column}: {cells[at].as_py()!r} is {problem}{_REMEDY[problem]}")

    def refusal(self, at: int, problem: str) -> FormatError:
        """Return the error that names a row.

        Args:
            at: Index of the row in this batch.
            problem: What is wrong with it, and what to do.
        """
        return FormatError(f"{self.table.path}: row {self.table.number_of(self.first + at)}: {problem}")


_REMEDY = {
    "not a number": "; correct it",
    "not a whole number": "; places are whole samples",
    "ambiguous": ": thousands, or decimals? Write numbers without separators of thousands",
}


def _is_number(column: pa.Array | None) -> bool:
    return column is not None and bool(pa.types.is_floating(column.type) or pa.types.is_integer(column.type))


def _is_float(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def batches_of(table: Table, columns: Mapping[str, int]) -> Iterator[Batch]:
    """Read some columns of a table batch by batch.

    Args:
        table: The table.
        columns: Name in the batches -> index in the table's names; see `columns_in`.

    Yields:
        Its rows.

    Raises:
        FormatError: The file is damaged, is not text, or a row has another number of cells than the header.
    """
    first = 0
    with table_errors(table.path):
        for batch in table.batches(columns):
            yield Batch(table, first, {name: batch[name] for name in columns}, columns, len(batch))
            first += len(batch)


def columns_in(table: Table, wanted: Sequence[str]) -> dict[str, int]:
    """Find columns by their names: exactly, else regardless of case, spaces, hyphens and underscores.

    Args:
        table: The table.
        wanted: Names of columns.

    Returns:
        For those that there are, name -> index.

    Raises:
        FormatError: Several columns have one of the names, and none exactly.
    """
    found: dict[str, int] = {}
    for name in wanted:
        alike = [index for index, other in enumerate(table.names) if _plain(other) == _plain(name)]
        exact = [index for index in alike if table.names[index] == name]
        if len(alike) > 1 and len(exact) != 1:
            same = ", ".join(repr(table.names[index]) for index in alike)
            raise FormatError(f"{table.path}: columns {same} are both {name}; rename all but one")
        found |= {name: (exact or alike)[0]} if alike else {}
    return found


def _plain(name: str) -> str:
    return re.sub(r"[\s_-]+", "", name).casefold()


@contextmanager
def table_errors(path: Path) -> Iterator[None]:
    """Turn the errors of reading a table into `FormatError`s that name it.

    Args:
        path: The table.

    Raises:
        FormatError: The table cannot be read.
    """
    try:
        yield
    except (pa.ArrowException, OSError, UnicodeDecodeError, csv.Error) as exc:
        problem = str(exc).split("\n", 1)[0]
        raise FormatError(f"{path}: cannot be read as a table ({problem}); {SUGGESTION}, or copy it again") from exc
