"""Labels that people marked in ``poreconv studio``."""

from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import numpy as np

from poreconv.config import SourceConfig, require
from poreconv.errors import LabelError
from poreconv.events.events import Events, union
from poreconv.labels.bases import BASES
from poreconv.labels.fit import check_fit
from poreconv.labels.marks import BACKGROUND, Mark, MarkedKind, Marks
from poreconv.labels.sources.intervals import without_overlaps
from poreconv.reads.read import Read

ROW = np.dtype([("start", "<i8"), ("end", "<i8"), ("label", "<i2")])
"""An interval, with the index of its class."""


class Studio:
    """The marks of one project, the folder of ``--project``; it may be open in a studio meanwhile.

    Which marks count, intervals, boundaries or classes of whole reads, is chosen in the project; see `labelled`.
    Classes are those of the marks, in the order in which they were made. What a person has looked at and left empty is
    of the class ``background``, the first one; what nobody has looked at is not covered.
    """

    in_file = False

    def __init__(self, files: Sequence[Path], config: SourceConfig) -> None:
        """Open the project.

        Args:
            files: Its folder.
            config: Not used.

        Raises:
            ConfigError: Several folders are given.
            FormatError: The folder is no project.
        """
        require(len(files) == 1, f"labels studio: {len(files)} projects; give one folder with --labels_from")
        self.notes: Counter[str] = Counter()
        with ExitStack() as stack:
            self._marks = stack.enter_context(Marks(files[0]))
            self.classes, self._used_as = self._marks.label_classes(), self._marks.used_as
            self._files = stack.pop_all()
        self.base_offset = 0 if self.classes == BASES else None

    def events(self, read: Read) -> Events | None:
        """Label one read; see `LabelSource.events`.

        Args:
            read: Its marks are found by its id.

        Raises:
            LabelError: A mark reaches outside the signal (``label_outside_signal``).
        """
        events = labelled(self._marks.of(read.read_id), self._used_as, self.classes)
        if events is None:
            return None
        check_fit(read, events.start, events.end)
        covered = int(np.max(events.coverage, initial=0))
        if covered > len(read.adc):
            raise LabelError(
                f"{read.where}: looked at up to sample {covered}, but the read has {len(read.adc)}; give the files that"
                " were marked",
                reason="label_outside_signal",
            )
        return events

    def close(self) -> None:
        """Close the project."""
        self._files.close()


def labelled(marks: Sequence[Mark], used_as: MarkedKind, classes: tuple[str, ...]) -> Events | None:
    """Return the labels that the marks of a read make; None without one.

    Of overlapping intervals the one that was changed last counts. What was looked at and has no interval is of the
    class ``background``. An event that a boundary begins ends at the next boundary, or with what was looked at; a
    boundary outside that is known alone.

    Args:
        marks: Of the read, the one that was changed last at the end.
        used_as: Which kind of marks counts.
        classes: Of all reads, see `Marks.label_classes`.
    """
    used, seen = [mark for mark in marks if mark.kind == used_as], [mark for mark in marks if mark.kind == "seen"]
    if used_as == "read":
        return _intervals(used[-1:], classes) if used else None
    if used_as == "boundary":
        return _between(used, seen) if used or seen else None
    background = [replace(mark, label=BACKGROUND) for mark in seen if BACKGROUND in classes]
    return _intervals([*background, *used], classes) if used or seen else None


def _intervals(marks: Iterable[Mark], classes: tuple[str, ...]) -> Events:
    """Make events of intervals, in ascending priority."""
    cut = without_overlaps(np.array([(mark.start, mark.end, classes.index(mark.label)) for mark in marks], ROW))
    return Events.of(cut["start"], cut["end"], label=cut["label"], classes=classes)


def _between(boundaries: Sequence[Mark], seen: Sequence[Mark]) -> Events:
    """Make events of boundaries and of what was looked at."""
    place = np.unique(np.array([mark.start for mark in boundaries], np.int64))
    looked_at = union(np.array([(mark.start, mark.end) for mark in seen], np.int64).reshape(-1, 2))
    end = place + 1
    if len(looked_at):
        within = np.maximum(np.searchsorted(looked_at[:, 0], place, side="right") - 1, 0)
        inside = (place >= looked_at[within, 0]) & (place < looked_at[within, 1])
        following = np.append(place[1:], np.iinfo(np.int64).max)[: len(place)]
        end = np.where(inside, np.minimum(following, looked_at[within, 1]), end)
    return Events.of(place, end, coverage=np.concatenate([looked_at, np.column_stack([place, place + 1])]))
