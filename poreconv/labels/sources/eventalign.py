"""Labels from the tables of nanopolish eventalign and f5c eventalign: one event per k-mer of the reference."""

from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import IO

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from poreconv.config import SourceConfig
from poreconv.errors import FormatError, LabelError
from poreconv.events.events import Events
from poreconv.labels.bases import BASES, base_index
from poreconv.labels.fit import fitted
from poreconv.labels.parsing.eventalign import (
    READ_NAME,
    ROW_COLUMNS,
    Block,
    Layout,
    blocks,
    header,
    layout,
    names_in,
    rows,
)
from poreconv.labels.parsing.streams import open_plain
from poreconv.reads.read import Read


class Eventalign:
    """TSV tables with ``start_idx`` and ``end_idx`` (``--signal-index``), plain or gzip.

    Neighbouring rows with the same reference position form one event, from the first row's start to the last row's end.
    Rows to which the aligner assigned no k-mer (``NNNNNN``) belong to no event and are not covered. The class is the
    middle base (k // 2, counted from 5') of ``model_kmer``, which is in the read's own strand.

    Reads are identified by ``read_name``, or by ``read_index``; in the latter case the summary that the program wrote
    with the table (``--summary``) has to be given as another file. Of several alignments of a read the one with the
    longest text is used; the others are counted as ``other_records``. Memory holds only the place of each read's rows
    in the file, and the rows of one read while it is labelled; gzip files are unpacked to a temporary file first.

    Source:
        https://nanopolish.readthedocs.io/en/latest/quickstart_eventalign.html; https://hasindu2008.github.io/f5c/docs/output.
    """

    in_file = False
    classes = BASES
    base_offset: int | None

    def __init__(self, files: Sequence[Path], config: SourceConfig) -> None:
        """Index the tables.

        Args:
            files: Tables, and at most one summary.
            config: Not used.

        Raises:
            FormatError: A file is neither, a table with ``read_index`` has no summary, or k-mers differ in length.
        """
        self.notes: Counter[str] = Counter()
        self._best: dict[str, Block] = {}
        self._others: Counter[str] = Counter()
        with ExitStack() as stack:
            self._streams = [stack.enter_context(open_plain(path)) for path in files]
            tables, names = _tables_and_names(files, self._streams)
            self._tables = dict(tables)
            for file, table in tables:
                for read, block in blocks(self._streams[file], table, files[file], file):
                    self._add(_name(read, table, names, files[file]), block)
            self._files = stack.pop_all()
        self.base_offset = tables[0][1].k // 2

    def _add(self, name: str, block: Block) -> None:
        best = self._best.get(name)
        if best is not None:
            self._others[name] += 1
        if best is None or block.size > best.size:
            self._best[name] = block

    def events(self, read: Read) -> Events | None:
        """Label one read; see `LabelSource.events`.

        Args:
            read: Its rows are found by its id.

        Raises:
            LabelError: The rows can't be parsed (``label_unreadable``), or the events don't fit (see `fitted`).
        """
        block = self._best.get(read.read_id)
        if block is None:
            return None
        if read.read_id in self._others:
            self.notes["other_records"] += self._others[read.read_id]
        stream = self._streams[block.file]
        stream.seek(block.offset)
        try:
            table = rows(stream.read(block.size), self._tables[block.file])
        except pa.ArrowException as exc:
            problem = str(exc).split("\n", 1)[0]
            raise LabelError(
                f"{read.where}: its rows can't be parsed ({problem}); make the table again", reason="label_unreadable"
            ) from exc
        return _events(read, table, self._tables[block.file].k)

    def close(self) -> None:
        """Close the files."""
        self._files.close()


def _tables_and_names(
    files: Sequence[Path], streams: Sequence[IO[bytes]]
) -> tuple[list[tuple[int, Layout]], dict[bytes, str]]:
    """Return each table with its index in ``files``, and the read names in the summary; reads the streams' headers."""
    tables: list[tuple[int, Layout]] = []
    summaries: list[dict[bytes, str]] = []
    for file, (path, stream) in enumerate(zip(files, streams, strict=True)):
        columns = header(stream)
        if READ_NAME in columns and b"position" not in columns and b"read_index" in columns:
            summaries.append(names_in(stream, columns, path))
        else:
            tables.append((file, layout(stream, columns, path)))
    numbered = [files[file] for file, table in tables if table.by_index]
    if not tables or len(numbered) != len(summaries) or len(numbered) > 1:
        raise FormatError(
            f"{files[0]}: {len(tables)} tables, {len(numbered)} of them with read_index, {len(summaries)} summaries; "
            "give one table and its summary (--summary), or tables with read_name (--print-read-names)"
        )
    if len({table.k for _, table in tables}) > 1:
        raise FormatError(
            f"{files[0]}: it and the other tables have k-mers of different lengths; give tables of one length"
        )
    return tables, summaries[0] if summaries else {}


def _name(read: bytes, table: Layout, names: dict[bytes, str], path: Path) -> str:
    if not table.by_index:
        return read.decode("utf-8", "replace")
    if read not in names:
        raise FormatError(f"{path}: read_index {read!r} is not in the summary; give the summary of this table")
    return names[read]


def _events(read: Read, table: pa.Table, k: int) -> Events | None:
    position, kmer, start, end = (table[name].to_numpy() for name in ROW_COLUMNS)
    letters = "".join(kmer)
    if len(letters) != k * len(kmer) or any(len(word) != k for word in kmer):
        raise LabelError(
            f"{read.where}: some k-mers don't have length {k}; make the table again", reason="label_unreadable"
        )
    middle = base_index(letters.encode("ascii", "replace")[k // 2 :: k])
    known = np.array([set(word) != {"N"} for word in kmer], bool)
    return _merged(read, position[known], start[known], end[known], middle[known]) if known.any() else None


def _merged(
    read: Read, position: NDArray[np.int64], start: NDArray[np.int64], end: NDArray[np.int64], label: NDArray[np.int16]
) -> Events:
    """Merge neighbouring rows of one position into one event, in signal order."""
    order = np.argsort(start, kind="stable")
    position, start, end, label = position[order], start[order], end[order], label[order]
    first = np.flatnonzero(np.append(True, position[1:] != position[:-1]))
    return fitted(read, start[first], np.maximum.reduceat(end, first), label=label[first], classes=BASES)
