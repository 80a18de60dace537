"""Labels from a table of intervals: typed by hand, or written by ``poreconv label``."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from poreconv.config import LabelConfig, require
from poreconv.events import Events
from poreconv.labels._bases import BASES
from poreconv.labels._fit import check_fit, fitted
from poreconv.labels._tables import read_tables
from poreconv.read import Read

UNKNOWN = "unknown"
"""The value of `LabelConfig.outside` that is no class."""


class Intervals:
    """TSV, CSV or Parquet with the columns ``read_id, start, end`` and, where intervals have a class, ``label``.

    ``[start, end)`` are raw samples. Other columns are passed over; an empty label is class -1; several files count as
    one table. Outside the intervals of a read `LabelConfig.outside` speaks: ``unknown`` leaves it uncovered, a class
    name makes events of it that reach from interval to interval, so that the whole read is covered. A read without a
    row has no label; to say that a read is all background, give it one row labelled so.

    Labels that are all of A, C, G and T give the classes A, C, G, T in this order, others their sorted names, the one
    of ``outside`` first.
    """

    in_file = False

    def __init__(self, files: Sequence[Path], config: LabelConfig) -> None:
        """Read and index the tables.

        Raises:
            FormatError: A file is no such table.
            ConfigError: ``outside`` is a class, and intervals have none.
        """
        self.notes: Counter[str] = Counter()
        table = read_tables(files)
        self._outside = config.outside != UNKNOWN
        self.classes = _classes(table, config.outside)
        self.base_offset = 0 if self.classes == BASES else None
        self._start, self._end, self._label, self._rows = _index(table, self.classes)

    def events(self, read: Read) -> Events | None:
        """Label one read; see `LabelSource.events`."""
        rows = self._rows.get(read.read_id)
        if rows is None:
            return None
        start, end, label = self._start[rows], self._end[rows], self._label[rows]
        check_fit(read, start, end)
        if self._outside:
            start, end, label = _with_outside(start, end, label, len(read.adc))
        return fitted(read, start, end, label=label, classes=self.classes)

    def close(self) -> None:
        """Nothing is open."""


def _classes(table: pa.Table, outside: str) -> tuple[str, ...]:
    names = {name for name in table["label"].unique().to_pylist() if name}
    if outside != UNKNOWN:
        require(
            len(names) > 0,
            f"outside {outside!r}: the intervals have no labels to tell them from it; fill the column 'label'",
        )
        return (outside, *sorted(names - {outside}))
    return BASES if names and names <= set(BASES) else tuple(sorted(names))


def _index(
    table: pa.Table, classes: tuple[str, ...]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int16], dict[str, slice]]:
    """Sort by read and start: ``start``, ``end``, ``label`` of all rows, and the rows of each read."""
    ids = table["read_id"].combine_chunks().dictionary_encode()
    code, start, end = ids.indices.to_numpy(), table["start"].to_numpy(), table["end"].to_numpy()
    order = np.lexsort((end, start, code))
    edge = np.searchsorted(code[order], np.arange(len(ids.dictionary) + 1)).tolist()
    rows = {name: slice(*edge[at : at + 2]) for at, name in enumerate(ids.dictionary.to_pylist())}
    return start[order], end[order], _class_index(table["label"], classes)[order], rows


def _class_index(label: pa.ChunkedArray, classes: tuple[str, ...]) -> NDArray[np.int16]:
    encoded = label.fill_null("").combine_chunks().dictionary_encode()
    position = {name: index for index, name in enumerate(classes)}
    by_code = np.array([position.get(name, -1) for name in encoded.dictionary.to_pylist()], np.int16)
    code: NDArray[np.int32] = encoded.indices.to_numpy()
    return by_code[code]


def _with_outside(
    start: NDArray[np.int64], end: NDArray[np.int64], label: NDArray[np.int16], n_samples: int
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int16]]:
    """Add events of class 0 before, between and after the intervals."""
    gap_start, gap_end = np.append(0, end), np.append(start, n_samples)
    there = gap_end > gap_start
    all_start, all_end = np.append(start, gap_start[there]), np.append(end, gap_end[there])
    all_label = np.append(label, np.zeros(there.sum(), np.int16))
    order = np.argsort(all_start)
    return all_start[order], all_end[order], all_label[order]
