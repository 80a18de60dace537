"""Labels from tables of intervals: typed by hand, or written by ``poreconv label``."""

from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from poreconv.config import SourceConfig, require
from poreconv.errors import LabelError
from poreconv.events.events import Events
from poreconv.labels.bases import BASES
from poreconv.labels.fit import check_each, fitted
from poreconv.labels.parsing.tables import OPEN, Rows, Tables
from poreconv.reads.read import Read

UNKNOWN = "unknown"
"""The value of `SourceConfig.outside` that leaves samples uncovered; every other value is a class name."""


OVERLAPS = "overlapping_rows"
"""Note on rows that overlap another one of their read, where `SourceConfig.overlaps` decides."""


class Intervals:
    """A table (text, .xlsx, Parquet) with columns ``read_id, start, end``, perhaps ``label`` and ``value``; or BED.

    ``[start, end)`` are raw samples; an empty ``end`` in the last interval of a read is the read's end. ``value`` is a
    number that all samples of the interval have. Other columns are ignored, and so are case, spaces, hyphens and
    underscores in the names of these, and spaces around cells; an empty label is class -1, an empty value is not known;
    several files count as one table. A BED (suffix ``.bed``) has the read id as its sequence and the class as its name;
    strand and score are ignored. `SourceConfig.outside` decides about the samples of a read outside its intervals:
    ``unknown`` leaves them uncovered; a class name makes each gap an event of this class, so that the whole read is
    covered. `SourceConfig.overlaps` decides about samples in several intervals. A read without a row has no label; a
    read that is all background needs one row with this label.

    If all labels are among A, C, G and T, and ``outside`` is ``unknown``, the classes are A, C, G, T in this order;
    otherwise they are the sorted labels, with the class of ``outside`` first.

    Memory does not grow with the number of rows: they are kept, 36 bytes each, in a temporary file, which is removed
    when the process ends.
    """

    in_file = False

    def __init__(self, files: Sequence[Path], config: SourceConfig) -> None:
        """Index the tables.

        Args:
            files: Tables, whose kind is found by content, and BED files, by suffix; text may be compressed.
            config: ``outside`` and ``overlaps`` are used.

        Raises:
            FormatError: A file is not such a table.
            ConfigError: ``outside`` is a class but no interval has a label; or the temporary file can't be written.
        """
        self.notes: Counter[str] = Counter()
        self._outside, self._overlaps = config.outside != UNKNOWN, config.overlaps
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

        Raises:
            LabelError: An interval does not fit the read (see `fitted`), or its end is empty and it is not the last one
                (``label_empty``).
        """
        rows = self._tables.of(read.read_id)
        if rows is None:
            return None
        rows = self._checked(read, rows)
        of_rows = {"label": self._class[rows["label"]], "value": rows["value"]}
        events = fitted(read, rows["start"], rows["end"], classes=self.classes, **of_rows)
        return _with_outside(events, len(read.adc)) if self._outside else events

    def _checked(self, read: Read, rows: Rows) -> Rows:
        """Return the rows of a read as intervals that do not overlap."""

        def name(at: int) -> str:
            return self._tables.name_of(rows[at])

        rows = _with_ends(read, rows, name)
        check_each(read, rows["start"], rows["end"], name=name)
        overlapping = rows["start"][1:] < np.maximum.accumulate(rows["end"])[:-1]
        if not overlapping.any():
            return rows
        if self._overlaps == "error":
            at = int(np.argmax(overlapping))  # the rows before it do not overlap
            raise LabelError(
                f"{read.where}: {name(at + 1)} starts at {rows['start'][at + 1]}, before {name(at)} ends at"
                f" {rows['end'][at]}; remove the overlap, or give --overlaps first or last",
                reason="label_order",
            )
        self.notes[OVERLAPS] += int(overlapping.sum())
        order = np.lexsort((rows["row"], rows["file"]))
        return without_overlaps(rows[order[::-1] if self._overlaps == "first" else order])

    def close(self) -> None:
        """Remove the temporary file."""
        self._files.close()


def _with_ends(read: Read, rows: Rows, name: Callable[[int], str]) -> Rows:
    """Let the last interval end with the read, if its end is empty; no other end may be empty."""
    is_open = rows["end"] == OPEN
    if is_open[:-1].any():
        at = int(np.argmax(is_open))
        raise LabelError(
            f"{read.where}: {name(at)} has no end, and {name(len(rows) - 1)} starts at {rows['start'][-1]}; only the"
            " last interval of a read may leave its end empty",
            reason="label_empty",
        )
    ended = rows.copy()
    ended["end"][is_open] = len(read.adc)
    return ended


def without_overlaps(rows: Rows) -> Rows:
    """Cut intervals so that none overlap: each sample belongs to the last of those that contain it.

    Args:
        rows: Rows with ``start`` and ``end``, none of them empty, in ascending priority.

    Returns:
        Rows sorted by start: each row as often as there are pieces left of it.
    """
    edge = np.unique(np.append(rows["start"], rows["end"]))
    owner: NDArray[np.int64] = np.full(len(edge), -1)  # of the samples from each edge to the next
    first, end = np.searchsorted(edge, rows["start"]), np.searchsorted(edge, rows["end"])
    for number in range(len(rows)):
        owner[first[number] : end[number]] = number
    piece = np.flatnonzero(np.diff(owner, prepend=-1))
    piece, after = piece[owner[piece] >= 0], np.append(piece[1:], len(edge) - 1)[owner[piece] >= 0]
    cut = rows[owner[piece]]
    cut["start"], cut["end"] = edge[piece], edge[after]
    return cut


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
