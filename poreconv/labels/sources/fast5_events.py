"""Labels from the event tables of albacore and early guppy: rows of fixed or detected length, merged by their moves."""

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
"""Index of the base, within a k-mer state, that is the event's class: the middle one of the 5-mers, and the third of
the 6-mers, that these basecallers used."""


class Fast5Events(InFast5):
    """``Basecall_1D_nnn/BaseCalled_template/Events`` of the read's own fast5 file, with ``model_state`` and ``move``.

    The first row and each row with a move above 0 begin an event; rows with move 0 continue it. Gaps between rows
    (events that the basecaller removed) are not covered. The class is the middle base of ``model_state``, which these
    tables write in signal order, also for RNA. A move of 2 skips a base, which has no place and is counted as
    ``bases_without_place``. Of several basecalls the newest with such a table is used; the others are counted as
    ``other_basecalls``.

    The place of a row is stored in one of four forms; see `row_places`. In albacore 2 and guppy 2 rows are blocks of 5
    (DNA) or 15 samples (RNA), and boundaries are right to about one block: real currents jump 2 samples before an
    event's start.
    """

    classes = BASES
    base_offset: int | None = STATE_BASE

    def events(self, read: Read) -> Events | None:
        """Label one read; see `LabelSource.events`.

        Args:
            read: Its fast5 file and id locate the table; its sample rate and start place the rows on its signal.
        """
        with unreadable_dropped(read):
            found = [call for call in basecalls_with(self._groups.of(read), "Events") if _has_moves(call)]
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


def _has_moves(basecall: Basecall) -> bool:
    events = basecall.template["Events"]
    return {"model_state", "move"} <= set(events.dtype.names or ()) and len(events) > 0


def state_base(states: NDArray[np.bytes_]) -> NDArray[np.int16]:
    """Return the class of each row: base `STATE_BASE` of its k-mer state.

    Args:
        states: K-mers as bytes, shape ``(n_rows,)``.

    Returns:
        Indices into `BASES`, shape ``(n_rows,)``; -1 for other letters, and where states are too short.
    """
    if states.dtype.itemsize <= STATE_BASE:
        return np.full(len(states), -1, np.int16)
    letters = np.ascontiguousarray(states).view("S1").reshape(len(states), -1)
    return base_index(letters[:, STATE_BASE].tobytes())


def row_places(
    read: Read, table: NDArray[Any], basecall: Basecall | None = None
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Place the rows of an event table on the signal.

    - Without a ``start`` column, rows tile the basecall's segment from ``first_sample_template`` on, ``block_stride``
      samples each (if that is missing too: the segment's duration divided by the number of rows, rounded down).
    - Integer starts are samples, floating-point starts are seconds (times the sample rate, rounded).
    - Starts count from the read's first sample or from the start of acquisition, whichever makes the table fit the
      signal; if both do (in the first seconds of a sequencing run), the one by which the table starts at the basecall's
      ``first_sample_template``.

    Args:
        read: Its sample rate, start sample and number of samples are used.
        table: A structured array, shape ``(n_rows,)``, at least one row; with ``start`` it has ``length`` too.
        basecall: The basecall that the table belongs to, None if it belongs to none.

    Returns:
        ``start, end``: half-open raw samples, shape ``(n_rows,)`` each.

    Raises:
        LabelError: Neither count fits, or both do and nothing decides (``label_start``); seconds are too coarse to
            identify a sample (``label_start``); there is no ``start`` column and no segment (``label_incomplete``).
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
            f"{read.where}: its event table has no starts, and no basecall that states where it begins; label the read "
            "again",
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
            f"{read.where}: event times of type {value.dtype} are too coarse at {value[-1]:.3f} s to identify a "
            "sample; basecall the read again",
            reason="label_start",
        )
    return np.rint(value.astype(np.float64) * read.sample_rate_hz).astype(np.int64)


def _zero(read: Read, basecall: Basecall | None, first: int, end: int) -> int:
    """Return what to subtract from the table's starts: 0, or the read's start if they count from acquisition."""
    fits = [zero for zero in {0, read.start_sample} if first - zero >= 0 and end - zero <= len(read.adc)]
    segment = None if basecall is None else basecall.segment
    if len(fits) > 1 and segment is not None:
        fits = [zero for zero in fits if first - zero == segment.first_sample]
    if len(fits) == 1:
        return fits[0]
    raise LabelError(
        f"{read.where}: events [{first}, {end}) don't fit its {len(read.adc)} samples, neither as they are nor counted "
        f"from its start at sample {read.start_sample}, or fit both ways and nothing decides; basecall the read again",
        reason="label_start",
    )
