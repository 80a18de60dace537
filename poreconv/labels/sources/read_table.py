"""Labels of whole reads from tables: the user's own, or a basecaller's table of barcodes."""

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

from poreconv.config import SourceConfig
from poreconv.errors import FormatError, LabelError
from poreconv.events.events import Events
from poreconv.labels.fit import fitted_whole
from poreconv.labels.parsing.cells import Batch, Table, batches_of, columns_in
from poreconv.labels.parsing.table_kinds import open_table
from poreconv.reads.read import Read

READ_ID = "read_id"
LABEL_COLUMNS = ("label", "barcode_arrangement", "barcode")
"""Label column of the user's own table, of guppy's summaries, and of dorado's; the first one present is used."""

NO_LABEL = ("", "unclassified")
"""Cells that are not a class: both basecallers write the second one for a read without a barcode."""

NO_BARCODE = (*NO_LABEL, "unknown")
"""Cells of the basecallers' columns that are not a class: dorado's summary has the last one without a barcode."""

PARENT_COLUMN = "parent_read_id"
"""Column of a summary with the read that was split, which is the one in the signal file; else the read's own id."""

ALIAS = "alias"
"""Column with the name that a sample sheet gives to a barcode."""


class ReadTable:
    """A table (text, .xlsx, Parquet) of ``read_id`` and ``label``, or a basecaller's barcoding or sequencing summary.

    Each read is one event from its first sample to its last. Classes are the sorted labels. Other columns are ignored;
    a read without a row, or with an empty or ``unclassified`` cell (in a basecaller's column also ``unknown``), has no
    label. A row of a part of a split read (``parent_read_id``) counts for that read, if it has no row of its own.
    Further rows of a read are counted as ``other_records``; if their labels differ, the read is dropped
    (``label_contradicted``).

    Source:
        https://github.com/nanoporetech/dorado, issue 1267 (``barcoding_summary.txt``); guppy's has
        ``barcode_arrangement``.
    """

    in_file = False
    base_offset: int | None = None

    def __init__(self, files: Sequence[Path], config: SourceConfig) -> None:
        """Read the tables; memory holds one entry per read.

        Args:
            files: Tables, whose kind is found by content; text may be compressed.
            config: Not used.

        Raises:
            FormatError: A file is not such a table, or none contains a label.
        """
        self.notes: Counter[str] = Counter()
        self._labels: dict[str, str] = {}
        self._others: Counter[str] = Counter()
        self._contradicted: set[str] = set()
        parts: list[tuple[str, str]] = []
        for path in files:
            for read_id, label, parent in labelled_rows(path):
                self._add(read_id, label)
                if parent and parent != read_id:
                    parts.append((parent, label))
        own = frozenset(self._labels)
        for parent, label in parts:
            if parent not in own:
                self._add(parent, label)
        if not self._labels:
            raise FormatError(f"{files[0]}: {_without_label(files[0])}")
        self.classes = tuple(sorted(set(self._labels.values())))
        self._class = {name: index for index, name in enumerate(self.classes)}

    def _add(self, read_id: str, label: str) -> None:
        if read_id in self._labels:
            self._others[read_id] += 1
        if self._labels.setdefault(read_id, label) != label:
            self._contradicted.add(read_id)

    def events(self, read: Read) -> Events | None:
        """Label one read; see `LabelSource.events`.

        Args:
            read: Its label is found by its id.

        Raises:
            LabelError: Its rows have different labels (``label_contradicted``).
        """
        label = self._labels.get(read.read_id)
        if label is None:
            return None
        if read.read_id in self._contradicted:
            raise LabelError(
                f"{read.where}: the table has several rows for it, with different labels; keep one of them",
                reason="label_contradicted",
            )
        self.notes += Counter(other_records=self._others[read.read_id])  # keeps no zeros
        return fitted_whole(read, self._class[label], self.classes)

    def close(self) -> None:
        """Do nothing: no file is open."""


def labelled_rows(path: Path) -> Iterator[tuple[str, str, str | None]]:
    """Yield the read id and label of each row that has a label, and the read of which it is a part, if it is one.

    Args:
        path: A table of any kind; text may be compressed.

    Raises:
        FormatError: The file is not a table, or lacks a column.
    """
    table = open_table(path)
    for batch in batches_of(table, label_columns(table)):
        yield from rows_with_label(batch)


def rows_with_label(batch: Batch) -> Iterator[tuple[str, str, str | None]]:
    """Yield what `labelled_rows` does of some rows.

    Args:
        batch: Rows of the columns that `label_columns` found.
    """
    label = _label_column(batch.columns)
    none = NO_LABEL if label == LABEL_COLUMNS[0] else NO_BARCODE
    cells = [batch.text(name).to_pylist() for name in (READ_ID, label, PARENT_COLUMN)]
    yield from (row for row in zip(*cells, strict=True) if row[0] and (row[1] or "") not in none)


def label_columns(table: Table) -> dict[str, int]:
    """Find the columns of read id and label, and of the read that was split, of those in the file.

    Args:
        table: The table.

    Returns:
        Name -> index.

    Raises:
        FormatError: There are no read ids, or no labels.
    """
    found = columns_in(table, (READ_ID, *LABEL_COLUMNS, PARENT_COLUMN))
    if READ_ID not in found or not found.keys() & set(LABEL_COLUMNS):
        raise FormatError(
            f"{table.path}: no columns read_id and label (or {' or '.join(LABEL_COLUMNS[1:])}); name the columns in the"
            " first row"
        )
    used = (READ_ID, _label_column(found), PARENT_COLUMN)
    return {name: found[name] for name in used if name in found}


def _label_column(found: Collection[str]) -> str:
    return next(name for name in LABEL_COLUMNS if name in found)


def _without_label(path: Path) -> str:
    """Describe why a table has no label."""
    table = open_table(path)
    read = f"column {_label_column(label_columns(table))}: no read has a label in it"
    alias = columns_in(table, [ALIAS])
    return f"{read}; if column {ALIAS} has the labels, name it label" if alias else f"{read}; give labels"
