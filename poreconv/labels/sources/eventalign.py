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
    BlocksByRead,
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
    with the table (``--summary``) has to be given as another file. The rows of a read need not stand together, as in a
    table sorted by position, or in tables joined with ``cat``: its rows on one contig are one alignment, unless rows
    that stand apart share samples. Of several alignments of a read the one with the longest text is used; the others
    are counted as ``other_records``. Memory holds only the places of each read's rows in the file, and the rows of one
    read while it is labelled; gzip files are unpacked to a temporary file first.

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
        self._blocks = BlocksByRead()
        with ExitStack() as stack:
            self._streams = [stack.enter_context(open_plain(path)) for path in files]
            tables, names = _tables_and_names(files, self._streams)
            self._tables = dict(tables)
            for file, table in tables:
                for read, contig, block in blocks(self._streams[file], table, files[file], file):
                    self._blocks.add(_name(read, table, names, files[file]), contig, block)
            self._files = stack.pop_all()
        self.base_offset = tables[0][1].k // 2

    def events(self, read: Read) -> Events | None:
        """Label one read; see `LabelSource.events`.

        Args:
            read: Its rows are found by its id.

        Raises:
            LabelError: The rows can't be parsed (``label_unreadable``), or the events don't fit (see `fitted`).
        """
        found = self._blocks.of(read.read_id)
        if not found:
            return None
        contigs = [[block for block in found if block.contig == contig] for contig in {block.contig for block in found}]
        largest = max(contigs, key=lambda blocks: (sum(block.size for block in blocks), -blocks[0].contig))
        others, table = len(contigs) - 1, self._rows(read, largest)
        if table is None:
            others, table = len(found) - 1, self._rows(read, [max(found, key=lambda block: block.size)])
        if others:
            self.notes["other_records"] += others
        return None if table is None else _events(read, table, self._tables[found[0].file].k)

    def _rows(self, read: Read, found: Sequence[Block]) -> pa.Table | None:
        """Read blocks; return None if rows of different ones share samples: they are parts of several alignments."""
        texts = {block: self._text(block) for block in found}
        by_file = [[block for block in found if block.file == file] for file in sorted({block.file for block in found})]
        try:
            parsed = [rows(b"".join(texts[b] for b in blocks), self._tables[blocks[0].file]) for blocks in by_file]
        except pa.ArrowException as exc:
            problem = str(exc).split("\n", 1)[0]
            raise LabelError(
                f"{read.where}: its rows can't be parsed ({problem}); make the table again", reason="label_unreadable"
            ) from exc
        table = pa.concat_tables(parsed)
        n_rows = [texts[block].count(b"\n") for blocks in by_file for block in blocks]
        return None if _overlap(table, np.repeat(np.arange(len(n_rows)), n_rows)) else table

    def _text(self, block: Block) -> bytes:
        stream = self._streams[block.file]
        stream.seek(block.offset)
        text = stream.read(block.size)
        return text if text.endswith(b"\n") else text + b"\n"

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


def _overlap(table: pa.Table, block: NDArray[np.int64]) -> bool:
    """Return whether rows of different blocks share samples.

    Args:
        table: The rows.
        block: Number of each row's block, shape ``(n_rows,)``.
    """
    start, end = table["start_idx"].to_numpy(), table["end_idx"].to_numpy()
    order = np.argsort(start, kind="stable")
    shared = end[order][:-1] > start[order][1:]
    return bool((shared & (np.diff(block[order]) != 0)).any())


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
