"""Read tables of intervals, as text, BED or Parquet, and look up the rows of one read."""

import re
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet
from numpy.typing import NDArray

from poreconv.errors import ConfigError, FormatError

NEEDED = ("read_id", "start", "end")
"""Columns that every table has."""
SCHEMA = pa.schema(
    [
        ("read_id", pa.string()),
        ("start", pa.int64()),
        ("end", pa.int64()),
        ("label", pa.string()),
        ("value", pa.float32()),
    ]
)
"""Schema of the batches of `batches`; ``label`` and ``value`` are null in rows without one."""

BED = ("read_id", "start", "end", "label")
"""Names for the first columns of BED; the others are not read."""

BED_HEAD = re.compile(rb"#|track |browser |\s*$")
"""Start of a line that may precede the rows of a BED."""

BATCH_ROWS = 1 << 16
"""Rows of Parquet that are in memory at a time; text is read a megabyte at a time."""

ROW = np.dtype([("start", "<i8"), ("end", "<i8"), ("label", "<i4"), ("value", "<f4"), ("read", "<i4")])
"""A row in the temporary file: interval, index into `Tables.names` (-1: no label), value (NaN: none), and number of the
read."""

Rows = NDArray[np.void]
"""Rows of type `ROW`, shape ``(n,)``."""


class Tables:
    """The rows of one or several tables, by read.

    The tables are read once, into a temporary file of rows of a fixed size; memory holds each read's id and the place
    of its rows there. If the rows of a read are not next to each other, they are grouped in a second temporary file.

    Args:
        files: TSV, CSV, BED or Parquet files; the rows of several are taken together.

    Raises:
        FormatError: A file is not a table of intervals, or a cell is empty or not an integer.
        ConfigError: The temporary file could not be written.
    """

    def __init__(self, files: Sequence[Path]) -> None:
        self._number: dict[str, int] = {}
        self._code: dict[str, int] = {}
        self._count = np.zeros(0, np.int64)
        with ExitStack() as stack:
            self._rows: IO[bytes] = stack.enter_context(tempfile.TemporaryFile())
            with _write_errors():
                grouped = [self._add(rows) for path in files for rows in map(self._numbered, batches(path))]
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

    def _numbered(self, batch: pa.RecordBatch) -> Rows:
        rows = np.empty(len(batch), ROW)
        rows["start"], rows["end"] = batch["start"].to_numpy(), batch["end"].to_numpy()
        rows["label"], rows["read"] = _numbers(batch["label"], self._code), _numbers(batch["read_id"], self._number)
        rows["value"] = batch["value"].to_numpy(zero_copy_only=False)  # NaN where null
        return rows

    @property
    def names(self) -> list[str]:
        """The labels, in the order of their first row, which `ROW` indexes; an empty text counts as a label."""
        return list(self._code)

    def of(self, read_id: str) -> Rows | None:
        """Return the rows of a read, sorted by start and end; None if it has none.

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

    def close(self) -> None:
        """Remove the temporary file."""
        self._files.close()


@contextmanager
def _write_errors() -> Iterator[None]:
    """Raise a `ConfigError` if the temporary file can't be written; `batches` handles the errors of reading itself."""
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
    while content := rows.read(BATCH_ROWS * ROW.itemsize):
        batch = np.frombuffer(content, ROW)
        batch = batch[np.argsort(batch["read"], kind="stable")]
        first = np.flatnonzero(np.diff(batch["read"], prepend=-1))
        read, n = batch["read"][first], np.diff(first, append=len(batch))
        mapped[np.repeat(free[read] - first, n) + np.arange(len(batch))] = batch
        free[read] += n
    mapped.flush()
    return sorted_rows


def batches(path: Path) -> Iterator[pa.RecordBatch]:
    """Read a table batch by batch.

    Args:
        path: Parquet by its content, BED by its suffix, else TSV or CSV.

    Yields:
        Rows with the columns of `SCHEMA`.

    Raises:
        FormatError: The file is neither text nor Parquet, lacks a column, or has a cell that is empty or not an
            integer.
    """
    empty: Counter[str] = Counter()
    try:
        for batch in _kind(path)(path):
            empty.update({name: batch[name].null_count for name in NEEDED})
            if not empty.total():
                yield _in_schema(batch)
    except (pa.ArrowException, OSError, UnicodeDecodeError) as exc:
        problem = str(exc).split("\n", 1)[0]
        raise FormatError(
            f"{path}: not a table of intervals ({problem}); start and end are whole samples, value is a number"
        ) from exc
    for name in NEEDED:
        if empty[name]:
            raise FormatError(f"{path}: column {name}: {empty[name]} cells are empty; fill them")


def _kind(path: Path) -> Callable[[Path], Iterator[pa.RecordBatch]]:
    bed = path.name.removesuffix(".gz").endswith(".bed")
    return _from_parquet if is_parquet(path) else _from_bed if bed else _from_text


def is_parquet(path: Path) -> bool:
    """Return whether a file is Parquet, by its first bytes.

    Args:
        path: The file.
    """
    with path.open("rb") as stream:
        return stream.read(4) == b"PAR1"


def _from_parquet(path: Path) -> Iterator[pa.RecordBatch]:
    with pa.parquet.ParquetFile(path) as file:
        names = _columns(path, file.schema_arrow.names)
        _check_integers(path, file.schema_arrow)
        yield from file.iter_batches(BATCH_ROWS, columns=names)


def _from_text(path: Path) -> Iterator[pa.RecordBatch]:
    """Read CSV or TSV, depending on the first line; .gz and the like are decompressed by their suffix."""
    delimiter, found = header_of(path)
    names = _columns(path, found)
    parse = pa.csv.ParseOptions(delimiter=delimiter)
    with pa.csv.open_csv(str(path), parse_options=parse, convert_options=_typed(names)) as rows:
        yield from rows


def _from_bed(path: Path) -> Iterator[pa.RecordBatch]:
    """Read BED whose sequences are reads; ``.`` is an empty name."""
    skip, n_columns = _bed_layout(path)
    if not n_columns:
        return
    names = [*BED, *(f"column {number}" for number in range(len(BED), n_columns))][:n_columns]
    read = pa.csv.ReadOptions(column_names=names, skip_rows=skip)
    parse = pa.csv.ParseOptions(delimiter="\t", quote_char=False)
    convert = _typed(_columns(path, names))
    convert.null_values, convert.strings_can_be_null = ["."], True
    with pa.csv.open_csv(str(path), read_options=read, parse_options=parse, convert_options=convert) as rows:
        yield from rows


def _typed(names: Sequence[str]) -> pa.csv.ConvertOptions:
    return pa.csv.ConvertOptions(include_columns=names, column_types={name: SCHEMA.field(name).type for name in names})


def _bed_layout(path: Path) -> tuple[int, int]:
    """Number of lines before the first row, and of columns in it; 0 columns without a row."""
    with pa.input_stream(str(path), compression="detect") as stream:
        lines = stream.read(1 << 16).splitlines()
    skip = next((number for number, line in enumerate(lines) if not BED_HEAD.match(line)), len(lines))
    return skip, len(lines[skip].split(b"\t")) if skip < len(lines) else 0


def header_of(path: Path) -> tuple[str, list[str]]:
    """Read the delimiter and the column names from the first line of a text table.

    Args:
        path: The table, plain or compressed.

    Returns:
        The delimiter, a tab if the line contains one, else a comma; and the names.
    """
    with pa.input_stream(str(path), compression="detect") as stream:
        line = stream.read(1 << 16).split(b"\n", 1)[0].decode("utf-8-sig").strip("\r")
    delimiter = "\t" if "\t" in line else ","
    return delimiter, [name.strip().strip('"') for name in line.split(delimiter)]


def _columns(path: Path, names: Sequence[str]) -> list[str]:
    """The columns to read, of those in the file."""
    missing = [name for name in NEEDED if name not in names]
    if missing:
        raise FormatError(
            f"{path}: no column {', '.join(missing)}; a table of intervals has read_id, start, end and, for classes, "
            "label, or for numbers value"
        )
    return [name for name in SCHEMA.names if name in names]


def _check_integers(path: Path, schema: pa.Schema) -> None:
    for name in ("start", "end"):
        if not pa.types.is_integer(schema.field(name).type):
            raise FormatError(f"{path}: column {name}: {schema.field(name).type}, not integers; give whole samples")


def _in_schema(batch: pa.RecordBatch) -> pa.RecordBatch:
    columns = {name: batch[name] for name in batch.schema.names}
    arrays = [columns.get(field.name, pa.nulls(len(batch))).cast(field.type) for field in SCHEMA]
    return pa.RecordBatch.from_arrays(arrays, schema=SCHEMA)
