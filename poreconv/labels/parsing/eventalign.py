"""Eventalign tables on disk: where the rows of each read stand, and the rows of one read."""

import io
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, NamedTuple

import pyarrow as pa
import pyarrow.csv

from poreconv.errors import FormatError

READ_INDEX, READ_NAME = b"read_index", b"read_name"
CONTIG = b"contig"
ROW_COLUMNS = ("position", "model_kmer", "start_idx", "end_idx")
"""What events are made of."""


class Block(NamedTuple):
    """The rows of one alignment of one read, bytes of a file; the largest of a read wins."""

    size: int
    file: int
    offset: int


class Layout(NamedTuple):
    """What the first lines of a table tell."""

    columns: tuple[bytes, ...]
    read: int
    """Index of the column that tells the read."""
    k: int
    """Length of its k-mers."""

    @property
    def by_index(self) -> bool:
        """Whether reads are numbers, which another file names."""
        return self.columns[self.read] == READ_INDEX


def header(stream: IO[bytes]) -> tuple[bytes, ...]:
    """Column names; the stream stands behind them."""
    return tuple(stream.readline().rstrip(b"\r\n").split(b"\t"))


def layout(stream: IO[bytes], columns: tuple[bytes, ...], path: Path) -> Layout:
    """Check a table's columns and look at its first row; the stream stands where it did.

    Raises:
        FormatError: A column is missing, or there is no row.
    """
    missing = [name for name in ROW_COLUMNS if name.encode() not in columns]
    reads = [columns.index(name) for name in (READ_NAME, READ_INDEX) if name in columns]
    if missing or not reads or CONTIG not in columns:
        raise FormatError(
            f"{path}: no column {', '.join(missing) or 'contig, read_name or read_index'}; make the table with "
            "nanopolish eventalign --signal-index, or f5c eventalign --signal-index, without --sam or -c"
        )
    here = stream.tell()
    first = stream.readline().rstrip(b"\r\n").split(b"\t")
    stream.seek(here)
    if len(first) != len(columns):
        raise FormatError(f"{path}: line 2: {len(first)} columns, {len(columns)} in the header; make the table again")
    return Layout(columns, reads[0], len(first[columns.index(b"model_kmer")]))


def blocks(stream: IO[bytes], table: Layout, path: Path, file: int) -> Iterator[tuple[bytes, Block]]:
    """Give the read and place of each run of rows about one read and contig, from where the stream stands."""
    contig, read, splits = table.columns.index(CONTIG), table.read, max(table.columns.index(CONTIG), table.read) + 1
    begin = offset = stream.tell()
    about: tuple[bytes, bytes] | None = None
    for line in stream:
        columns = line.split(b"\t", splits)
        if len(columns) <= splits:
            raise FormatError(f"{path}: byte {offset}: a row of {len(columns)} columns; make the table again")
        if about != (here := (columns[contig], columns[read])):
            if about is not None:
                yield about[1], Block(offset - begin, file, begin)
            about, begin = here, offset
        offset += len(line)
    if about is not None:
        yield about[1], Block(offset - begin, file, begin)


def rows(text: bytes, table: Layout) -> pa.Table:
    """Read some rows: the columns `ROW_COLUMNS`.

    Raises:
        ArrowException: They are not what the header says.
    """
    types: dict[str, Any] = {name: pa.int64() for name in ROW_COLUMNS} | {"model_kmer": pa.string()}
    return pa.csv.read_csv(
        io.BytesIO(text),
        read_options=pa.csv.ReadOptions(column_names=[name.decode() for name in table.columns], use_threads=False),
        parse_options=pa.csv.ParseOptions(delimiter="\t"),
        convert_options=pa.csv.ConvertOptions(include_columns=list(ROW_COLUMNS), column_types=types),
    )


def names_in(stream: IO[bytes], columns: tuple[bytes, ...], path: Path) -> dict[bytes, str]:
    """Read a summary: the name of each read index, from where the stream stands."""
    index, name = columns.index(READ_INDEX), columns.index(READ_NAME)
    found = {}
    for number, line in enumerate(stream, start=2):
        cells = line.rstrip(b"\r\n").split(b"\t")
        if len(cells) <= max(index, name):
            raise FormatError(f"{path}: line {number}: no read_index and read_name; make the summary again")
        found[cells[index]] = cells[name].decode("utf-8", "replace")
    return found
