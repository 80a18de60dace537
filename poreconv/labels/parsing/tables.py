"""Read tables of intervals, of any kind or BED, and look up the rows of one read."""

import re
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from poreconv.errors import ConfigError, FormatError
from poreconv.labels.parsing.cells import Batch, Table, batches_of, columns_in, table_errors
from poreconv.labels.parsing.table_kinds import open_table
from poreconv.labels.parsing.text_table import TextTable, head_of

NEEDED = ("read_id", "start", "end")
"""Columns that every table has."""

COLUMNS = (*NEEDED, "label", "value")
"""Columns that are read."""

BED = ("read_id", "start", "end", "label")
"""Names for the first columns of BED; the others are not read."""

BED_HEAD = re.compile(rb"#|track |browser |\s*$")
"""Start of a line that may precede the rows of a BED."""

OPEN = np.iinfo(np.int64).max
"""The end of an interval whose cell is empty: the read's end."""

BLOCK_ROWS = 1 << 16
"""Rows that are grouped by read at a time."""

ROW = np.dtype(
    [
        ("start", "<i8"),
        ("end", "<i8"),
        ("label", "<i4"),
        ("value", "<f4"),
        ("read", "<i4"),
        ("row", "<u4"),
        ("file", "<u4"),
    ]
)
"""A row in the temporary file: interval (end `OPEN`: the read's), index into `Tables.names` (-1: no label), value (NaN:
none), number of the read, index of the row in its table and of the table among the files."""

Rows = NDArray[np.void]
"""Rows of type `ROW`, shape ``(n,)``."""


class Tables:
    """The rows of one or several tables, by read.

    The tables are read once, into a temporary file of rows of a fixed size; memory holds each read's id and the place
    of its rows there. If the rows of a read are not next to each other, they are grouped in a second temporary file.

    Args:
        files: Tables of any kind and BED files; the rows of several are taken together.

    Raises:
        FormatError: A file is not a table of intervals, or a cell is empty or not a whole number.
        ConfigError: The temporary file could not be written.
    """

    def __init__(self, files: Sequence[Path]) -> None:
        self._opened = [_opened(path) for path in files]
        self._number: dict[str, int] = {}
        self._code: dict[str, int] = {}
        self._count = np.zeros(0, np.int64)
        with ExitStack() as stack:
            self._rows: IO[bytes] = stack.enter_context(tempfile.TemporaryFile())
            with _write_errors():
                grouped = [
                    self._add(self._numbered(batch, file))
                    for file, table in enumerate(self._opened)
                    for batch in batches_of(table, _columns(table))
                ]
                self._rows.flush()
                self._edge = np.append(0, np.cumsum(self._count))
                if not all(grouped):
                    self._rows = _by_read(self._rows, self._edge, stack.enter_context(tempfile.TemporaryFile()))
            self._files = stack.pop_all()

    def _add(self, rows: Rows) -> bool:
        """Write some rows; return whether the rows of each read, with those written before, are next to each other."""
        self._rows.write(rows.tobytes())
        last = max(len(self._count) - 1, 0)
        count = np.bincount(rows["read"], minlength=len(self._number))
        count[: len(self._count)] += self._count
        self._count = count
        return bool((np.diff(rows["read"], prepend=last) >= 0).all())

    def _numbered(self, batch: Batch, file: int) -> Rows:
        read_id, start, end = batch.text("read_id"), batch.whole("start"), batch.whole("end")
        label, value = batch.text("label"), batch.numbers("value")
        filled = np.logical_or.reduce([_valid(cells) for cells in (read_id, start, end, label, value)])
        for name, cells in (("read_id", read_id), ("start", start)):
            if (empty := filled & ~_valid(cells)).any():
                raise batch.refusal(int(np.argmax(empty)), f"column {name} is empty; fill the cell, or empty the row")
        rows = np.empty(batch.n_rows, ROW)
        rows["start"], rows["end"] = start.fill_null(0).to_numpy(), end.fill_null(OPEN).to_numpy()
        rows["label"], rows["read"] = _numbers(label, self._code), _numbers(read_id, self._number)
        rows["value"] = value.to_numpy(zero_copy_only=False)  # NaN where null
        rows["row"], rows["file"] = batch.first + np.arange(batch.n_rows), file
        return rows[filled]

    @property
    def names(self) -> list[str]:
        """The labels, in the order of their first row, which `ROW` indexes."""
        return list(self._code)

    def of(self, read_id: str) -> Rows | None:
        """Return the rows of a read, sorted by start and end, equal ones in the order of the tables; None without one.

        Args:
            read_id: Id of the read.
        """
        number = self._number.get(read_id)
        if number is None:
            return None
        first, end = self._edge[number : number + 2].tolist()
        self._rows.seek(first * ROW.itemsize)
        rows = np.frombuffer(self._rows.read((end - first) * ROW.itemsize), ROW)
        ordered: Rows = rows[np.lexsort((rows["end"], rows["start"]))]
        return ordered

    def name_of(self, row: np.void) -> str:
        """Return a row's name in messages: its file's, and its number as a reader of the file sees it.

        Args:
            row: The row.
        """
        table = self._opened[row["file"]]
        return f"{table.path.name} row {table.number_of(int(row['row']))}"

    def close(self) -> None:
        """Remove the temporary file."""
        self._files.close()


@contextmanager
def _write_errors() -> Iterator[None]:
    """Raise a `ConfigError` if the temporary file can't be written; errors of reading are `FormatError`s by then."""
    try:
        yield
    except OSError as exc:
        folder = tempfile.gettempdir()
        raise ConfigError(
            f"{folder}: can't store the rows of the labels ({exc}); set TMPDIR to another folder"
        ) from exc


def _numbers(names: pa.StringArray, known: dict[str, int]) -> NDArray[np.int32]:
    """Number strings in the order of their first appearance; -1: null."""
    encoded = names.dictionary_encode()
    found = encoded.dictionary.to_pylist()
    by_code = np.array([*(known.setdefault(name, len(known)) for name in found), -1], np.int32)
    code: NDArray[np.int32] = encoded.indices.fill_null(len(found)).to_numpy()
    return by_code[code]


def _by_read(rows: IO[bytes], edge: NDArray[np.int64], sorted_rows: IO[bytes]) -> IO[bytes]:
    """Group the rows by read in another file, those of a read in their order."""
    rows.seek(0)
    shutil.copyfileobj(rows, sorted_rows)  # reserves the space before the file is mapped
    sorted_rows.flush()
    mapped, free = np.memmap(sorted_rows, ROW, "r+"), edge[:-1].copy()
    rows.seek(0)
    while content := rows.read(BLOCK_ROWS * ROW.itemsize):
        batch = np.frombuffer(content, ROW)
        batch = batch[np.argsort(batch["read"], kind="stable")]
        first = np.flatnonzero(np.diff(batch["read"], prepend=-1))
        read, n = batch["read"][first], np.diff(first, append=len(batch))
        mapped[np.repeat(free[read] - first, n) + np.arange(len(batch))] = batch
        free[read] += n
    mapped.flush()
    return sorted_rows


def _valid(cells: pa.Array) -> NDArray[np.bool_]:
    valid: NDArray[np.bool_] = pc.is_valid(cells).to_numpy(zero_copy_only=False)
    return valid


def _opened(path: Path) -> Table:
    return _bed(path) if path.name.removesuffix(".gz").endswith(".bed") else open_table(path)


def _bed(path: Path) -> Table:
    """Open a BED whose sequences are reads; ``.`` is an empty name."""
    with table_errors(path):
        lines = head_of(path)
    skip = next((number for number, line in enumerate(lines) if not BED_HEAD.match(line)), len(lines))
    n_columns = len(lines[skip].split(b"\t")) if skip < len(lines) else len(BED)
    names = [*BED, *(f"column {number}" for number in range(len(BED), n_columns))][:n_columns]
    return TextTable(path, names, "\t", skip, quoted=False, empty=".")


def _columns(table: Table) -> dict[str, int]:
    """The columns to read, of those in the file."""
    found = columns_in(table, COLUMNS)
    missing = [name for name in NEEDED if name not in found]
    if missing:
        raise FormatError(
            f"{table.path}: no column {', '.join(missing)} in its first row; a table of intervals has read_id, start,"
            " end and, for classes, label, or for numbers value"
        )
    return found
