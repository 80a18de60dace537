"""Read the first sheet of a spreadsheet (.xlsx), whoever made it."""

import re
import warnings
import zipfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa

from poreconv.errors import ConfigError, FormatError

MOST_BYTES = 256 << 20
"""Largest size of an unpacked spreadsheet; a sheet with as many rows as there can be needs less."""

MOST_ROWS, MOST_COLUMNS = 1 << 20, 1 << 14
"""Rows and columns that a sheet can have."""

SHEETS = "xl/worksheets/"
"""Folder of the sheets in the archive."""

FORMULA, LONGEST_TAG = re.compile(rb"<([\w.-]+:)?f[\s/>]"), 64
"""The start of a formula, and bytes that are searched again with what follows them."""

ERRORS = (
    AttributeError, EOFError, LookupError, NotImplementedError, OSError, OverflowError, RuntimeError, SyntaxError,
    TypeError, ValueError, zipfile.BadZipFile, zlib.error,
)  # fmt: skip
"""Errors that openpyxl raises on a file that is damaged or of another layout."""

BATCH_ROWS = 1 << 12
"""Rows that are in memory at a time: few, so that the first are soon known."""

Row = tuple[Any, ...]


@dataclass(frozen=True)
class Spreadsheet:
    """The first sheet of an .xlsx; its first row has the column names.

    Values are read as the program that saved the file stored them. No formula is calculated, and no link is followed.
    """

    path: Path
    names: Sequence[str]
    decimal_comma: bool = field(default=False, init=False)

    def batches(self, columns: Mapping[str, int]) -> Iterator[pa.RecordBatch]:
        """Read some columns as text; see `Table.batches`.

        Args:
            columns: Name in the batches -> index in ``names``.

        Raises:
            FormatError: The file is damaged, or a cell has a formula that was never calculated.
        """
        rows = islice(_rows(self.path, max(columns.values(), default=0) + 1, list(columns.values())), 1, None)
        while chunk := list(islice(rows, BATCH_ROWS)):
            cells = [pa.array([_text(row[index]) for row in chunk], pa.string()) for index in columns.values()]
            yield pa.RecordBatch.from_arrays(cells, list(columns))

    def number_of(self, row: int) -> int:
        """Return the number of a row in the sheet; see `Table.number_of`.

        Args:
            row: Its index.
        """
        return row + 2


def open_spreadsheet(path: Path) -> Spreadsheet:
    """Open an .xlsx.

    Args:
        path: The file, of any origin.

    Raises:
        FormatError: The file is not an .xlsx, is damaged, or is larger than a sheet can be.
        ConfigError: openpyxl is not installed.
    """
    header = next(_rows(path, MOST_COLUMNS), ())
    names = [_text(cell) or "" for cell in header]
    while names and not names[-1]:
        names.pop()
    return Spreadsheet(path, [name.strip() for name in names])


def _rows(path: Path, n_columns: int, checked: Sequence[int] = ()) -> Iterator[Row]:
    """Yield the first cells of each row of the first sheet; in the checked columns no formula may lack its value."""
    with _errors_of(path), ExitStack() as stack:
        _check_size(path)
        sheets = [stack.enter_context(_sheet(path, values=True))]
        if checked and _has_formulas(path):
            sheets.append(stack.enter_context(_sheet(path, values=False)))
        cells = [sheet.iter_rows(max_col=n_columns, values_only=True) for sheet in sheets]
        for number, (row, *formulas) in enumerate(zip(*cells, strict=True), start=1):
            if number > MOST_ROWS:
                raise FormatError(f"{path}: over {MOST_ROWS:,} rows, more than a sheet can have; save it as .csv")
            if any(row[at] is None and written[at] is not None for written in formulas for at in checked):
                raise FormatError(
                    f"{path}: row {number}: a formula without its value; open the file in a program for spreadsheets,"
                    " and save it"
                )
            yield row


@contextmanager
def _errors_of(path: Path) -> Iterator[None]:
    try:
        yield
    except ERRORS as exc:
        problem = " ".join(str(exc).split()) or type(exc).__name__
        raise FormatError(f"{path}: not a readable .xlsx ({problem}); save it again, or as .csv (UTF-8)") from exc


def _check_size(path: Path) -> None:
    """Refuse what would fill the memory; the sizes in the archive's directory also bound what zipfile unpacks."""
    with zipfile.ZipFile(path) as archive:
        size = sum(part.file_size for part in archive.infolist())
    if size > MOST_BYTES:
        raise FormatError(
            f"{path}: {size >> 20:,} MiB unpacked, and at most {MOST_BYTES >> 20} are read; save the sheet as .csv"
        )


def _has_formulas(path: Path) -> bool:
    """Return whether any sheet has a formula, so that those without are read only once."""
    with zipfile.ZipFile(path) as archive:
        for part in archive.infolist():
            if part.filename.startswith(SHEETS):
                with archive.open(part) as stream:
                    end = b""
                    while block := stream.read(1 << 20):
                        if FORMULA.search(end + block):
                            return True
                        end = block[-LONGEST_TAG:]
    return False


@contextmanager
def _sheet(path: Path, *, values: bool) -> Iterator[Any]:
    """Open the first sheet with the stored values, or with the formulas."""
    try:
        import openpyxl
    except ImportError as exc:
        raise ConfigError(
            f"{path}: spreadsheets need openpyxl, which is not installed; pip install 'poreconv[xlsx]'"
        ) from exc
    with path.open("rb") as stream:  # of a path, openpyxl would check the suffix
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # about styles, which don't matter here
            book = openpyxl.load_workbook(stream, read_only=True, data_only=values, keep_links=False)
        sheet = next(iter(book.worksheets), None)
        if sheet is None:
            raise FormatError(f"{path}: no sheet with cells in it; put the table on the first sheet")
        sheet.reset_dimensions()  # what the file states of them may be wrong
        yield sheet


def _text(cell: Any) -> str | None:
    """Return a cell as text; a whole number without decimals, also if the spreadsheet stores it as a float."""
    if cell is None:
        return None
    whole = isinstance(cell, float) and cell.is_integer()
    return str(int(cell)) if whole else str(cell)
