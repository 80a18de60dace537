"""Read eventalign tables: the place of each read's rows in the file, and the rows of one read."""

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
"""Columns from which events are made."""


class Block(NamedTuple):
    """Place of the rows of one alignment of one read, in bytes; of several, the largest is used."""

    size: int
    file: int
    offset: int


class Layout(NamedTuple):
    """Layout of a table, from its first lines."""

    columns: tuple[bytes, ...]
    """Names of all columns."""
    read: int
    """Index of the column that identifies the read."""
    k: int
    """Length of the k-mers."""

    @property
    def by_index(self) -> bool:
        """Whether reads are identified by numbers, whose read ids are in another file (the summary)."""
        return self.columns[self.read] == READ_INDEX


def header(stream: IO[bytes]) -> tuple[bytes, ...]:
    """Read the column names from the first line.

    Args:
        stream: The table, at its start; left at the second line.
    """
    return tuple(stream.readline().rstrip(b"\r\n").split(b"\t"))


def layout(stream: IO[bytes], columns: tuple[bytes, ...], path: Path) -> Layout:
    """Check the columns of a table against its first row.

    Args:
        stream: The table, at its first row; its position is restored.
        columns: Names of the columns.
        path: The file, for error messages.

    Raises:
        FormatError: A column is missing, or there is no complete row.
    """
    missing = [name for name in ROW_COLUMNS if name.encode() not in columns]
    reads = [columns.index(name) for name in (READ_NAME, READ_INDEX) if name in columns]
    if missing or not reads or CONTIG not in columns:
        raise FormatError(
            f"{path}: no column {', '.join(missing) or 'contig, read_name or read_index'}; create the table with "
            "nanopolish eventalign --signal-index, or f5c eventalign --signal-index, without --sam or -c"
        )
    offset = stream.tell()
    first = stream.readline().rstrip(b"\r\n").split(b"\t")
    stream.seek(offset)
    if len(first) != len(columns):
        raise FormatError(f"{path}: line 2: {len(first)} columns, {len(columns)} in the header; create the table again")
    return Layout(columns, reads[0], len(first[columns.index(b"model_kmer")]))


def blocks(stream: IO[bytes], table: Layout, path: Path, file: int) -> Iterator[tuple[bytes, Block]]:
    """Yield the read and the place of each block of consecutive rows of one read and contig.

    Args:
        stream: The table, at its first row.
        table: Its layout.
        path: The file, for error messages.
        file: Number of the file, which the blocks contain.

    Yields:
        Name or number of the read, and the place of its rows.

    Raises:
        FormatError: A row has too few columns.
    """
    contig, read, splits = table.columns.index(CONTIG), table.read, max(table.columns.index(CONTIG), table.read) + 1
    begin = offset = stream.tell()
    previous: tuple[bytes, bytes] | None = None
    for line in stream:
        columns = line.split(b"\t", splits)
        if len(columns) <= splits:
            raise FormatError(f"{path}: byte {offset}: a row of {len(columns)} columns; create the table again")
        if previous != (current := (columns[contig], columns[read])):
            if previous is not None:
                yield previous[1], Block(offset - begin, file, begin)
            previous, begin = current, offset
        offset += len(line)
    if previous is not None:
        yield previous[1], Block(offset - begin, file, begin)


def rows(text: bytes, table: Layout) -> pa.Table:
    """Parse rows into the columns `ROW_COLUMNS`.

    Args:
        text: Complete lines of the table.
        table: Its layout.

    Raises:
        ArrowException: The rows do not match the header.
    """
    types: dict[str, Any] = {name: pa.int64() for name in ROW_COLUMNS} | {"model_kmer": pa.string()}
    return pa.csv.read_csv(
        io.BytesIO(text),
        read_options=pa.csv.ReadOptions(column_names=[name.decode() for name in table.columns], use_threads=False),
        parse_options=pa.csv.ParseOptions(delimiter="\t"),
        convert_options=pa.csv.ConvertOptions(include_columns=list(ROW_COLUMNS), column_types=types),
    )


def names_in(stream: IO[bytes], columns: tuple[bytes, ...], path: Path) -> dict[bytes, str]:
    """Read the read id of each read index from a summary.

    Args:
        stream: The summary, at its first row.
        columns: Names of its columns.
        path: The file, for error messages.

    Returns:
        Read index -> read id.

    Raises:
        FormatError: A row has too few columns.
    """
    index, name = columns.index(READ_INDEX), columns.index(READ_NAME)
    found = {}
    for number, line in enumerate(stream, start=2):
        cells = line.rstrip(b"\r\n").split(b"\t")
        if len(cells) <= max(index, name):
            raise FormatError(f"{path}: line {number}: no read_index and read_name; create the summary again")
        found[cells[index]] = cells[name].decode("utf-8", "replace")
    return found
