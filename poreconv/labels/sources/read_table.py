"""Labels of whole reads from tables: the user's own, or a basecaller's table of barcodes."""

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

from poreconv.config import SourceConfig
from poreconv.errors import FormatError, LabelError
from poreconv.events.events import Events
from poreconv.labels.fit import fitted_whole
from poreconv.labels.parsing.tables import header_of, is_parquet
from poreconv.reads.read import Read

LABEL_COLUMNS = ("label", "barcode_arrangement", "barcode")
"""Label column of the user's own table, of guppy's summaries, and of dorado's; the first one present is used."""

NO_LABEL = ("", "unclassified")
"""Cells that are not a class: both basecallers write the second one for a read without a barcode."""


class ReadTable:
    """TSV, CSV or Parquet with columns ``read_id`` and ``label``, or a basecaller's barcoding or sequencing summary.

    Each read is one event from its first sample to its last. Classes are the sorted labels. Other columns are ignored;
    a read without a row, or with an empty or ``unclassified`` cell, has no label. Further rows of a read are counted as
    ``other_records``; if their labels differ, the read is dropped (``label_contradicted``).

    Source:
        https://github.com/nanoporetech/dorado, issue 1267 (``barcoding_summary.txt``); guppy's has
        ``barcode_arrangement``.
    """

    in_file = False
    base_offset: int | None = None

    def __init__(self, files: Sequence[Path], config: SourceConfig) -> None:
        """Read the tables; memory holds one entry per read.

        Args:
            files: Tables; Parquet is recognised by its content.
            config: Not used.

        Raises:
            FormatError: A file is not such a table.
        """
        self.notes: Counter[str] = Counter()
        self._labels: dict[str, str] = {}
        self._others: Counter[str] = Counter()
        self._contradicted: set[str] = set()
        for path in files:
            for read_id, label in labelled_rows(path):
                self._add(read_id, label)
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


def labelled_rows(path: Path) -> Iterator[tuple[str, str]]:
    """Yield the read id and label of each row that has a label.

    Args:
        path: A TSV, CSV or Parquet file; text may be compressed.

    Raises:
        FormatError: The file is neither text nor Parquet, or lacks a column.
    """
    try:
        for batch in _from_parquet(path) if is_parquet(path) else _from_text(path):
            pairs = zip(*(column.cast(pa.string()).to_pylist() for column in batch.columns), strict=True)
            yield from ((read_id, label) for read_id, label in pairs if (label or "") not in NO_LABEL)
    except (pa.ArrowException, OSError, UnicodeDecodeError) as exc:
        problem = str(exc).split("\n", 1)[0]
        raise FormatError(f"{path}: not a table of labels ({problem}); make or copy it again") from exc


def _from_parquet(path: Path) -> Iterator[pa.RecordBatch]:
    with pa.parquet.ParquetFile(path) as file:
        yield from file.iter_batches(columns=_columns(path, file.schema_arrow.names))


def _from_text(path: Path) -> Iterator[pa.RecordBatch]:
    delimiter, found = header_of(path)
    names = _columns(path, found)
    typed = pa.csv.ConvertOptions(include_columns=names, column_types=dict.fromkeys(names, pa.string()))
    with pa.csv.open_csv(
        str(path), parse_options=pa.csv.ParseOptions(delimiter=delimiter), convert_options=typed
    ) as batches:
        yield from batches


def _columns(path: Path, names: Sequence[str]) -> list[str]:
    """Return the names of the columns of read id and label, in this order."""
    label = next((name for name in LABEL_COLUMNS if name in names), None)
    if "read_id" not in names or label is None:
        raise FormatError(
            f"{path}: no columns read_id and label (or {' or '.join(LABEL_COLUMNS[1:])}); name the columns in the "
            "first line"
        )
    return ["read_id", label]
