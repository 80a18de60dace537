"""Labels from tables of intervals: typed by hand, or written by ``poreconv label``."""

from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack, closing
from pathlib import Path

import numpy as np

from poreconv.config import SourceConfig, require
from poreconv.events.events import Events
from poreconv.labels.bases import BASES
from poreconv.labels.fit import fitted
from poreconv.labels.parsing.tables import Tables
from poreconv.reads.read import Read

UNKNOWN = "unknown"
"""The value of `SourceConfig.outside` that leaves samples uncovered; every other value is a class name."""


class Intervals:
    """TSV, CSV or Parquet with columns ``read_id, start, end`` and, if there are any, ``label`` and ``value``; or BED.

    ``[start, end)`` are raw samples; ``value`` is a number that all samples of the interval have. Other columns are
    ignored; an empty label is class -1, an empty value is not known; several files count as one table. A BED (suffix
    ``.bed``) has the read id as its sequence and the class as its name; strand and score are ignored.
    `SourceConfig.outside` decides about the samples of a read outside its intervals: ``unknown`` leaves them uncovered;
    a class name makes each gap an event of this class, so that the whole read is covered. A read without a row has no
    label; a read that is all background needs one row with this label.

    If all labels are among A, C, G and T, and ``outside`` is ``unknown``, the classes are A, C, G, T in this order;
    otherwise they are the sorted labels, with the class of ``outside`` first.

    Memory does not grow with the number of rows: they are kept, 28 bytes each, in a temporary file, which is removed
    when the process ends.
    """

    in_file = False

    def __init__(self, files: Sequence[Path], config: SourceConfig) -> None:
        """Index the tables.

        Args:
            files: Tables, whose kind is found by content, and BED files, by suffix; text may be compressed.
            config: ``outside`` is used.

        Raises:
            FormatError: A file is not such a table.
            ConfigError: ``outside`` is a class but no interval has a label; or the temporary file can't be written.
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
        """Label one read; see `LabelSource.events`.

        Args:
            read: Its rows are found by its id.
        """
        rows = self._tables.of(read.read_id)
        if rows is None:
            return None
        start, end, label, value = rows["start"], rows["end"], self._class[rows["label"]], rows["value"]
        events = fitted(read, start, end, label=label, classes=self.classes, value=value)
        return _with_outside(events, len(read.adc)) if self._outside else events

    def close(self) -> None:
        """Remove the temporary file."""
        self._files.close()


def classes_with_outside(names: set[str], outside: str) -> tuple[str, ...]:
    """Return the class names in order: first the one of what is outside, if it is a class, then the sorted names.

    Args:
        names: Names of the labels; may include ``outside``.
        outside: See `SourceConfig.outside`.
    """
    return (outside, *sorted(names - {outside})) if outside != UNKNOWN else tuple(sorted(names))


def _classes(names: set[str], outside: str) -> tuple[str, ...]:
    require(
        outside == UNKNOWN or len(names) > 0,
        f"outside {outside!r}: the intervals have no labels; fill the column 'label'",
    )
    only_bases = outside == UNKNOWN and bool(names) and names <= set(BASES)
    return BASES if only_bases else classes_with_outside(names, outside)


def _with_outside(events: Events, n_samples: int) -> Events:
    """Add events of class 0, without a value, before, between and after the intervals."""
    gap_start, gap_end = np.append(0, events.end), np.append(events.start, n_samples)
    not_empty = gap_end > gap_start
    all_start, all_end = np.append(events.start, gap_start[not_empty]), np.append(events.end, gap_end[not_empty])
    all_label = np.append(events.label, np.zeros(not_empty.sum(), np.int16))
    all_value = np.append(events.value, np.full(not_empty.sum(), np.nan))
    order = np.argsort(all_start)
    of = {"label": all_label[order], "value": all_value[order]}
    return Events.of(all_start[order], all_end[order], classes=events.classes, **of)
