"""Labels from tables of intervals: typed by hand, or written by ``poreconv label``."""

from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack, closing
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from poreconv.config import SourceConfig, require
from poreconv.events.events import Events
from poreconv.labels.bases import BASES
from poreconv.labels.fit import check_fit, fitted
from poreconv.labels.parsing.tables import Tables
from poreconv.reads.read import Read

UNKNOWN = "unknown"
"""The value of `SourceConfig.outside` that is no class."""


class Intervals:
    """TSV, CSV, Parquet: columns ``read_id, start, end`` and, where intervals have a class, ``label``; or BED.

    ``[start, end)`` are raw samples. Other columns are passed over; an empty label is class -1; several files count as
    one table. A BED (suffix ``.bed``) has the read id as its sequence, and the class as its name; strand and score are
    passed over. Outside the intervals of a read `SourceConfig.outside` speaks: ``unknown`` leaves it uncovered, a class
    name makes events of it that reach from interval to interval, so that the whole read is covered. A read without a
    row has no label; to say that a read is all background, give it one row labelled so.

    Labels that are all of A, C, G and T give the classes A, C, G, T in this order, others their sorted names, the one
    of ``outside`` first.

    Memory does not grow with the rows: they stand, 24 bytes each, in a temporary file, which goes with the process.
    """

    in_file = False

    def __init__(self, files: Sequence[Path], config: SourceConfig) -> None:
        """Index the tables.

        Raises:
            FormatError: A file is no such table.
            ConfigError: ``outside`` is a class, and intervals have none; or there is no room for the temporary file.
        """
        self.notes: Counter[str] = Counter()
        self._outside = config.outside != UNKNOWN
        with ExitStack() as stack:
            self._tables = stack.enter_context(closing(Tables(files)))
            self.classes = _classes({name for name in self._tables.names if name}, config.outside)
            self._files = stack.pop_all()
        self.base_offset = 0 if self.classes == BASES else None
        position = {name: index for index, name in enumerate(self.classes)}
        self._class = np.array([*(position.get(name, -1) for name in self._tables.names), -1], np.int16)

    def events(self, read: Read) -> Events | None:
        """Label one read; see `LabelSource.events`."""
        rows = self._tables.of(read.read_id)
        if rows is None:
            return None
        start, end, label = rows["start"], rows["end"], self._class[rows["label"]]
        check_fit(read, start, end)
        if self._outside:
            start, end, label = _with_outside(start, end, label, len(read.adc))
        return fitted(read, start, end, label=label, classes=self.classes)

    def close(self) -> None:
        """Remove the temporary file."""
        self._files.close()


def classes_with(names: set[str], outside: str) -> tuple[str, ...]:
    """Classes of labels with these names: sorted, behind the class of what is outside them."""
    return (outside, *sorted(names - {outside})) if outside != UNKNOWN else tuple(sorted(names))


def _classes(names: set[str], outside: str) -> tuple[str, ...]:
    require(
        outside == UNKNOWN or len(names) > 0,
        f"outside {outside!r}: the intervals have no labels to tell them from it; fill the column 'label'",
    )
    only_bases = outside == UNKNOWN and bool(names) and names <= set(BASES)
    return BASES if only_bases else classes_with(names, outside)


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
