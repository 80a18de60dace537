"""Read eventalign tables: the place of each read's rows in the file, and the rows of one read."""

import io
from array import array
from codecs import BOM_UTF8
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import IO, Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.csv
from numpy.typing import NDArray

from poreconv.errors import FormatError

READ_INDEX, READ_NAME = b"read_index", b"read_name"
CONTIG = b"contig"
ROW_COLUMNS = ("position", "model_kmer", "start_idx", "end_idx")
"""Columns from which events are made."""


class Block(NamedTuple):
    """Place of consecutive rows of one read on one contig, in bytes."""

    size: int
    file: int
    offset: int
    contig: int = 0
    """Number of the contig."""


class BlocksByRead:
    """The blocks of each read, which need not stand together: 24 bytes of memory each, and each read's name."""

    def __init__(self) -> None:
        self._read: dict[str, int] = {}
        self._contig: dict[bytes, int] = {}
        self._of_read, self._fields = array("q"), array("q")

    def add(self, name: str, contig: bytes, block: Block) -> None:
        """Add a block.

        Args:
            name: Id of the read.
            contig: Name of the contig.
            block: The place of the rows; its contig is not yet numbered.
        """
        self._of_read.append(self._read.setdefault(name, len(self._read)))
        number = self._contig.setdefault(contig, len(self._contig))
        self._fields.extend(block._replace(contig=number))

    def of(self, name: str) -> list[Block]:
        """Return the blocks of a read, in the order of the files; empty if it has none.

        Args:
            name: Id of the read.
        """
        read = self._read.get(name)
        if read is None:
            return []
        order, edge = self._sorted
        fields = np.frombuffer(self._fields, np.int64).reshape(-1, len(Block._fields))
        return [Block(*row) for row in fields[order[edge[read] : edge[read + 1]]].tolist()]

    @cached_property
    def _sorted(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """The blocks' numbers in the order of the reads, and where those of each read begin."""
        of_read = np.frombuffer(self._of_read, np.int64)
        order = np.argsort(of_read, kind="stable")
        return order, np.searchsorted(of_read[order], np.arange(len(self._read) + 1))


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


def blocks(stream: IO[bytes], table: Layout, path: Path, file: int) -> Iterator[tuple[bytes, bytes, Block]]:
    """Yield read, contig and place of each block of consecutive rows of one read and contig.

    Args:
        stream: The table, at its first row.
        table: Its layout.
        path: The file, for error messages.
        file: Number of the file, which the blocks contain.

    Yields:
        Name or number of the read, name of the contig, and the place of the rows.

    Raises:
        FormatError: A row has too few columns, or a header in the middle, where tables were joined, shows that the rows
            after it have other columns or other reads under the same numbers.
    """
    contig, read, splits = table.columns.index(CONTIG), table.read, max(table.columns.index(CONTIG), table.read) + 1
    begin = offset = stream.tell()
    previous: tuple[bytes, bytes] | None = None
    current: tuple[bytes, bytes] | None
    for line in stream:
        columns = line.split(b"\t", splits)
        if len(columns) <= splits:
            raise FormatError(f"{path}: byte {offset}: a row of {len(columns)} columns; create the table again")
        current = (columns[contig], columns[read])
        if current[0].removeprefix(BOM_UTF8) == CONTIG and current[1] in {READ_NAME, READ_INDEX}:
            _check_same_header(line, table, f"{path}: byte {offset}")
            current = None
        if previous != current:
            if previous is not None:
                yield previous[1], previous[0], Block(offset - begin, file, begin)
            previous, begin = current, offset
        offset += len(line)
    if previous is not None:
        yield previous[1], previous[0], Block(offset - begin, file, begin)


def _check_same_header(line: bytes, table: Layout, where: str) -> None:
    """Check a header in the middle of a table, which stands there if tables were joined."""
    columns = tuple(line.removeprefix(BOM_UTF8).rstrip(b"\r\n").split(b"\t"))
    if columns != table.columns:
        raise FormatError(f"{where}: another header in the middle; give the joined tables as files of their own")
    if table.by_index:
        raise FormatError(f"{where}: a second header: joined tables number their reads anew; give read_name")


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
