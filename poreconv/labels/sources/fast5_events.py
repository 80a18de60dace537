"""Labels from the event tables of albacore and early guppy: rows of a fixed or detected length, merged by move."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from poreconv.errors import LabelError
from poreconv.events.events import Events
from poreconv.labels.bases import BASES, base_index
from poreconv.labels.fit import check_fit, fitted
from poreconv.labels.parsing.basecall import Basecall, basecalls_with, needed_segment
from poreconv.labels.parsing.fast5 import InFast5, rows_of, unreadable_dropped
from poreconv.reads.read import Read

STATE_BASE = 2
"""The base of a state that an event stands for: the middle one of the 5-mers (third of the 6-mers) in use then."""


class Fast5Events(InFast5):
    """``Basecall_1D_nnn/BaseCalled_template/Events`` of the read's own fast5 file, with ``model_state`` and ``move``.

    A row with a move above 0 begins an event, as does the first row; rows with move 0 continue it. Gaps between rows
    (events that the basecaller removed) are not covered. The class is the middle base of ``model_state``, which these
    tables write in signal order, for RNA too. A move of 2 skips a base, which has no place: it is counted as
    ``bases_without_place``. The newest basecall with such a table wins; the others are counted as ``other_basecalls``.

    Where a row lies was written in four ways; see `row_places`. Rows are blocks of 5 (DNA) or 15 samples (RNA) in
    albacore 2 and guppy 2, right to about one block: real currents jump 2 samples before an event's start.
    """

    classes = BASES
    base_offset: int | None = STATE_BASE

    def events(self, read: Read) -> Events | None:
        """Label one read; see `LabelSource.events`."""
        with unreadable_dropped(read):
            found = [one for one in basecalls_with(self._groups.of(read), "Events") if _called(one)]
            if not found:
                return None
            if len(found) > 1:
                self.notes["other_basecalls"] += len(found) - 1
            return self._events(read, found[0])

    def _events(self, read: Read, basecall: Basecall) -> Events:
        table = rows_of(read, basecall.template["Events"])
        start, end = row_places(read, table, basecall)
        check_fit(read, start, end)
        begins = table["move"] > 0
        begins[0] = True
        first = np.flatnonzero(begins)
        last = np.append(first[1:], len(table)) - 1
        skipped = int(np.maximum(table["move"].astype(np.int64) - 1, 0).sum())
        if skipped:
            self.notes["bases_without_place"] += skipped
        return fitted(read, start[first], end[last], label=state_base(table["model_state"])[first], classes=BASES)


def _called(basecall: Basecall) -> bool:
    events = basecall.template["Events"]
    return {"model_state", "move"} <= set(events.dtype.names or ()) and len(events) > 0


def state_base(states: NDArray[np.bytes_]) -> NDArray[np.int16]:
    """Class of each row by its state; -1 where states are shorter than `STATE_BASE`."""
    if states.dtype.itemsize <= STATE_BASE:
        return np.full(len(states), -1, np.int16)
    letters = np.ascontiguousarray(states).view("S1").reshape(len(states), -1)
    return base_index(letters[:, STATE_BASE].tobytes())


def row_places(
    read: Read, table: NDArray[Any], basecall: Basecall | None = None
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Place the rows of an event table on the signal.

    - No ``start`` column: rows tile the basecall's segment, ``block_stride`` samples each (without one: the segment's
      duration over the number of rows, rounded down), from ``first_sample_template``.
    - Integers are samples, floating-point numbers are seconds (times the sample rate, rounded).
    - They count from the read's first sample or from the start of acquisition, whichever makes the table fit the
      signal; if both do (in the first seconds of a run), the one that starts at the basecall's
      ``first_sample_template``.

    Returns:
        ``start, end``, half-open raw samples, shape ``(n_rows,)`` each.

    Raises:
        LabelError: Neither fits, or both and nothing decides (``label_start``); seconds too coarse to name a sample
            (``label_start``); no column and no segment (``label_incomplete``).
    """
    if "start" not in (table.dtype.names or ()):
        return _tiled(read, basecall, len(table))
    start = _samples(read, table["start"])
    end = start + _samples(read, table["length"])
    zero = _zero(read, basecall, int(start[0]), int(end[-1]))
    return start - zero, end - zero


def _tiled(read: Read, basecall: Basecall | None, rows: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    if basecall is None:
        raise LabelError(
            f"{read.where}: an event table without starts, and no basecall to tell them; label the read again",
            reason="label_incomplete",
        )
    segment = needed_segment(read, basecall)
    stride = basecall.stride or segment.duration // rows
    edge = segment.first_sample + np.arange(rows + 1, dtype=np.int64) * stride
    return edge[:-1], edge[1:]


def _samples(read: Read, value: NDArray[Any]) -> NDArray[np.int64]:
    if value.dtype.kind != "f":
        return value.astype(np.int64)
    if np.spacing(value[-1]) * read.sample_rate_hz > 1:
        raise LabelError(
            f"{read.where}: event times of type {value.dtype} are too coarse at {value[-1]:.3f} s to name a sample; "
            "basecall the read again",
            reason="label_start",
        )
    return np.rint(value.astype(np.float64) * read.sample_rate_hz).astype(np.int64)


def _zero(read: Read, basecall: Basecall | None, first: int, end: int) -> int:
    """The sample that the table counts from: 0 (the read's first) or where acquisition began."""
    fits = [zero for zero in {0, read.start_sample} if first - zero >= 0 and end - zero <= len(read.adc)]
    segment = None if basecall is None else basecall.segment
    if len(fits) > 1 and segment is not None:
        fits = [zero for zero in fits if first - zero == segment.first_sample]
    if len(fits) == 1:
        return fits[0]
    raise LabelError(
        f"{read.where}: events [{first}, {end}) fit its {len(read.adc)} samples neither as they are nor counted from "
        f"its start at sample {read.start_sample}, or both and nothing decides; basecall the read again",
        reason="label_start",
    )
