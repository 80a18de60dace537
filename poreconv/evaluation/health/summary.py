"""The summary of a run: medians over its reads, over windows of time and by channel."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from poreconv.runtime.ledger import Ledger

SPEED, OPEN_PORE, LEVEL, NOISE, STALLED, BLOCKED = (
    "bases_per_s",
    "open_pore_pa",
    "level_pa",
    "noise_pa",
    "stalled",
    "blocked",
)
"""Columns of the table of reads that are summarised."""

MOST_WINDOWS, READS_PER_WINDOW = 48, 10
"""Windows into which the time of a run is divided, at most; and reads in one, on average, at least."""

DRIFT_WINDOWS = 4
"""Fewest windows with reads from which a drift is estimated."""


class Quantity(NamedTuple):
    """A quantity of reads."""

    name: str
    unit: str
    is_share: bool = False
    """Whether it is a share of time: then its summary is the mean over all time, in per cent, not a median of reads."""

    def text(self, value: float) -> str:
        """Return a value as people read it; a dash where there is none.

        Args:
            value: In units of the table.
        """
        if not np.isfinite(value):
            return "-"
        return f"{value:.1%}" if self.is_share else f"{value:,.1f} {self.unit}"


QUANTITIES = {
    SPEED: Quantity("speed", "bases/s"),
    OPEN_PORE: Quantity("open-pore current", "pA"),
    LEVEL: Quantity("current of the molecule", "pA"),
    NOISE: Quantity("noise", "pA"),
    STALLED: Quantity("stalled", "", is_share=True),
    BLOCKED: Quantity("blocked", "", is_share=True),
}
"""Column -> what it is."""


class Spread(NamedTuple):
    """A quantity over reads: median and quartiles; of a share of time the mean, and no quartiles. NaN: not known."""

    middle: float
    low: float
    high: float


UNKNOWN = Spread(np.nan, np.nan, np.nan)


@dataclass(frozen=True)
class Group:
    """Some reads together: those of a channel, or of a window of time."""

    place: float
    """The channel; or the middle of the window, in hours since the run began."""
    n_reads: int
    spreads: dict[str, Spread]
    """Column -> its spread."""


@dataclass(frozen=True)
class RunHealth:
    """How a run went."""

    n_reads: int
    """Number of reads."""
    n_timed: int
    """Of those, the ones whose bases were counted."""
    hours: float
    """From the first read's start to the last one's end."""
    runs: tuple[str, ...]
    """Ids of the sequencing runs."""
    flow_cells: tuple[str, ...]
    """Product codes of their flow cells."""
    models: dict[str, int]
    """Name of a model that counted bases -> number of reads."""
    spreads: dict[str, Spread]
    """Column -> its spread over all reads."""
    drifts: dict[str, float]
    """Column -> change per hour as a share of its median; of shares of time the change itself. NaN: not known."""
    course: list[Group]
    """By window of time, windows without reads left out."""
    channels: list[Group]
    """By channel."""
    speeds: NDArray[np.float64]
    """Speed of each read that has one, bases per second."""
    ledger: Ledger

    @property
    def n_channels(self) -> int:
        """Number of channels of the flow cell, as its product code or the largest channel means it."""
        codes = {code[:7].upper() for code in self.flow_cells}
        largest = max((int(group.place) for group in self.channels), default=0)
        usual = {"FLO-FLG": 126, "FLO-MIN": 512, "FLO-PRO": 3000}
        return max([largest, *(n for code, n in usual.items() if code in codes)])


def summarised(reads: pa.Table, ledger: Ledger) -> RunHealth:
    """Summarise a table of reads.

    Args:
        reads: At least one row, columns as in ``READS``.
        ledger: Of the command that wrote it.
    """
    columns = {key: _numbers(reads, key) for key in (*QUANTITIES, "start_s", "duration_s", "channel")}
    start_h, end_h = columns["start_s"] / 3600, (columns["start_s"] + columns["duration_s"]) / 3600
    first, last = float(start_h.min()), float(start_h.max())
    n_windows = max(1, min(MOST_WINDOWS, len(reads) // READS_PER_WINDOW))
    width = (last - first) / n_windows or 1.0
    window = np.minimum(((start_h - first) / width).astype(np.int64), n_windows - 1)
    course = [_group(first + (at + 0.5) * width, columns, here) for at, here in _places(window)]
    spreads = _spreads(columns, np.arange(len(reads)))
    speeds = columns[SPEED]
    return RunHealth(
        len(reads),
        int(np.isfinite(speeds).sum()),
        float(end_h.max()) - first,
        _distinct(reads["run_id"]),
        _distinct(reads["flow_cell"]),
        _counted(reads["model"]),
        spreads,
        {key: _drift(course, key, spreads[key]) for key in QUANTITIES},
        course,
        [_group(channel, columns, here) for channel, here in _places(columns["channel"].astype(np.int64)) if channel],
        speeds[np.isfinite(speeds)],
        ledger,
    )


def _numbers(reads: pa.Table, key: str) -> NDArray[np.float64]:
    return np.asarray(reads[key].cast(pa.float64()).fill_null(np.nan).to_numpy(), np.float64)


def _distinct(column: pa.ChunkedArray) -> tuple[str, ...]:
    return tuple(sorted(_counted(column)))


def _counted(column: pa.ChunkedArray) -> dict[str, int]:
    """Return how often each text occurs, the empty one left out."""
    return {each["values"]: each["counts"] for each in column.value_counts().to_pylist() if each["values"]}


def _places(place: NDArray[np.int64]) -> Iterable[tuple[int, NDArray[np.int64]]]:
    """Yield each place, ascending, and the rows that have it."""
    order = np.argsort(place, kind="stable")
    found, first = np.unique(place[order], return_index=True)
    return zip(found.tolist(), np.split(order, first[1:]), strict=True)


def _group(place: float, columns: dict[str, NDArray[np.float64]], rows: NDArray[np.int64]) -> Group:
    return Group(float(place), len(rows), _spreads(columns, rows))


def _spreads(columns: dict[str, NDArray[np.float64]], rows: NDArray[np.int64]) -> dict[str, Spread]:
    time = columns["duration_s"][rows]
    return {key: _spread(quantity, columns[key][rows], time) for key, quantity in QUANTITIES.items()}


def _spread(quantity: Quantity, values: NDArray[np.float64], time: NDArray[np.float64]) -> Spread:
    known = np.isfinite(values)
    if not time[known].any():
        return UNKNOWN
    if quantity.is_share:
        return Spread(float(np.average(values[known], weights=time[known])), np.nan, np.nan)
    low, middle, high = np.percentile(values[known], [25, 50, 75])
    return Spread(float(middle), float(low), float(high))


def _drift(course: list[Group], key: str, overall: Spread) -> float:
    """Return the median of the slopes between windows, which a few windows do not change (Theil and Sen)."""
    from scipy.stats import theilslopes  # slow to import

    points = [(group.place, group.spreads[key].middle) for group in course]
    hours, values = np.array([point for point in points if np.isfinite(point[1])]).reshape(-1, 2).T
    if len(hours) < DRIFT_WINDOWS:
        return np.nan
    slope: Any = theilslopes(values, hours).slope
    return float(slope if QUANTITIES[key].is_share else slope / overall.middle)


def summary_rows(run: RunHealth) -> list[tuple[str, list[str]]]:
    """Return the rows of the summary: name; median or share, quartiles, change per hour.

    Args:
        run: The run.
    """
    rows = []
    for key, quantity in QUANTITIES.items():
        spread, drift = run.spreads[key], run.drifts[key]
        quartiles = "" if quantity.is_share else f"{_digits(spread.low)} to {_digits(spread.high)}"
        change = f"{100 * drift:+.2f} {'points' if quantity.is_share else '%'}" if np.isfinite(drift) else "-"
        rows.append((quantity.name, [quantity.text(spread.middle), quartiles, change]))
    return rows


def _digits(value: float) -> str:
    return f"{value:,.1f}" if np.isfinite(value) else "-"
