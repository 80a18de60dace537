"""A read in a few thousand numbers, to be drawn when its file has moved: all of it from afar, one place from near."""

from dataclasses import asdict, dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import DTypeLike, NDArray

from poreconv.config import IGNORE, require
from poreconv.events.events import Events
from poreconv.events.matching import partners
from poreconv.events.targets import boundaries, encode, events_in, known_starts
from poreconv.models.recipe import Recipe
from poreconv.plot.decimation import bin_starts, binned
from poreconv.reads.chemistry import fields_of
from poreconv.reads.read import Calibration, Read

BINS = 800
"""Of the whole read: about the pixels that a page is wide."""

WRONG_BINS = 80
"""Bins in which errors are counted along the read."""

NEAR_EVENTS, FEWEST_NEAR, MOST_NEAR = 20, 100, 2000
"""How near the near place is: so many events of mean dwell, but no fewer and no more samples than these."""

TOLERANCE = 1
"""Samples by which a boundary may miss before it counts as an error."""

MOST_EVENTS = 300
"""A read with more of them keeps those at the near place alone: all at once could not be told apart."""


@dataclass(frozen=True, slots=True, eq=False)
class Excerpt:
    """What is kept of a read."""

    read_id: str
    chemistry: str
    sample_rate_hz: float
    calibration: Calibration
    n_samples: int
    """Of the whole read."""
    envelope: NDArray[np.int16]
    """Least and greatest count in each bin of the read, shape ``(2, n_bins)``."""
    start: int
    """First sample of the near place."""
    adc: NDArray[np.int16]
    """Counts at the near place, shape ``(n_near,)``."""
    truth: Events
    """In samples of the whole read."""
    predicted: Events
    probabilities_CN: NDArray[np.float32]
    """Of each class at the near place, shape ``(C, n_near)``; no rows if they are not known sample by sample."""
    wrong: NDArray[np.int64]
    """Errors in each of some bins along the read, shape ``(n_wrong_bins,)``."""
    complete: bool
    """Whether all events are kept; else those at the near place."""

    def __post_init__(self) -> None:
        """Check that the parts fit each other."""
        where = f"excerpt of read {self.read_id}"
        require(0 <= self.start < self.end <= self.n_samples, f"{where}: samples {self.start} to {self.end}")
        require(self.envelope.ndim == 2 and self.envelope.shape[0] == 2, f"{where}: envelope of two rows expected")
        require(self.probabilities_CN.shape[1:] == self.adc.shape, f"{where}: probabilities of other samples")

    @property
    def end(self) -> int:
        """Sample after the last of the near place."""
        return self.start + len(self.adc)

    @classmethod
    def of(
        cls,
        read: Read,
        target: NDArray[np.int8],
        predicted: Events,
        probabilities_CT: NDArray[np.float32],
        recipe: Recipe,
    ) -> Self:
        """Keep the essence of a read, and the place where most goes wrong.

        Args:
            read: The read, ``T`` samples.
            target: Its true classes, shape ``(T,)``.
            predicted: What was found.
            probabilities_CT: Of each class; left out if they are told at another sample rate.
            recipe: Of the model that found it.
        """
        wrong_T = wrong_samples(target, predicted, recipe)
        n_near = min(len(read.adc), int(np.clip(NEAR_EVENTS * recipe.mean_dwell, FEWEST_NEAR, MOST_NEAR)))
        near = worst_place(wrong_T, target != IGNORE, n_near)
        bins = binned(read.adc, BINS)
        known = probabilities_CT.shape[1] == len(target)
        events = events_in(target, recipe.task, recipe.classes), predicted
        complete = max(map(len, events)) <= MOST_EVENTS
        truth, predicted = events if complete else [visible(one, near) for one in events]
        return cls(
            read_id=read.read_id,
            chemistry=read.chemistry,
            sample_rate_hz=read.sample_rate_hz,
            calibration=read.calibration,
            n_samples=len(read.adc),
            envelope=np.stack([bins.min(1), bins.max(1)]),
            start=near.start,
            adc=read.adc[near],
            truth=truth,
            predicted=predicted,
            probabilities_CN=probabilities_CT[:, near].round(3) if known else np.zeros((0, n_near), np.float32),
            wrong=np.add.reduceat(wrong_T, bin_starts(len(wrong_T), WRONG_BINS), dtype=np.int64),
            complete=complete,
        )

    def read(self) -> Read:
        """A read that looks the same: exact at the near place, elsewhere swinging between each bin's extremes."""
        at = np.arange(self.n_samples)
        width = -(-self.n_samples // self.envelope.shape[1])
        adc = self.envelope[at % 2, at // width]
        adc[self.start : self.end] = self.adc
        return Read(self.read_id, adc, self.calibration, self.sample_rate_hz, **fields_of(self.chemistry))

    def probabilities(self, label: int) -> NDArray[np.float32]:
        """Probability of a class at each sample of the whole read; 0 away from the near place."""
        whole = np.zeros(self.n_samples, np.float32)
        whole[self.start : self.end] = self.probabilities_CN[label]
        return whole

    def to_dict(self) -> dict[str, Any]:
        """As JSON types; long rows of numbers are texts, which stay on one line."""
        return {
            "read_id": self.read_id,
            "chemistry": self.chemistry,
            "sample_rate_hz": self.sample_rate_hz,
            "calibration": asdict(self.calibration),
            "n_samples": self.n_samples,
            "envelope": [_row(row) for row in self.envelope],
            "start": self.start,
            "adc": _row(self.adc),
            "truth": _events_row(self.truth),
            "predicted": _events_row(self.predicted),
            "probabilities": [_row(row) for row in self.probabilities_CN],
            "wrong": _row(self.wrong),
            "complete": self.complete,
        }

    @classmethod
    def from_dict(cls, plain: dict[str, Any]) -> Self:
        """The inverse of `to_dict`."""
        adc = _numbers(plain["adc"], np.int16)
        rows = [_numbers(row, np.float32) for row in plain["probabilities"]]
        return cls(
            read_id=str(plain["read_id"]),
            chemistry=str(plain["chemistry"]),
            sample_rate_hz=float(plain["sample_rate_hz"]),
            calibration=Calibration(**plain["calibration"]),
            n_samples=int(plain["n_samples"]),
            envelope=np.stack([_numbers(row, np.int16) for row in plain["envelope"]]),
            start=int(plain["start"]),
            adc=adc,
            truth=_events(plain["truth"]),
            predicted=_events(plain["predicted"]),
            probabilities_CN=np.stack(rows) if rows else np.zeros((0, len(adc)), np.float32),
            wrong=_numbers(plain["wrong"], np.int64),
            complete=bool(plain["complete"]),
        )


def wrong_samples(target: NDArray[np.int8], predicted: Events, recipe: Recipe) -> NDArray[np.bool_]:
    """Tell where a prediction errs, inside the coverage.

    Returns:
        Shape ``(T,)``: for task `boundary`, true boundaries without a partner within `TOLERANCE`, and predicted ones;
        else samples of the wrong class.
    """
    if recipe.task != "boundary":
        return np.asarray((target != IGNORE) & (encode(predicted, len(target), recipe.task) != target))
    true, found = boundaries(target), known_starts(predicted, target)
    partner = partners(true, found, TOLERANCE)
    wrong_T = np.zeros(len(target), bool)
    wrong_T[np.delete(found, partner[partner >= 0])] = True
    wrong_T[true[partner < 0]] = True
    return wrong_T


def worst_place(wrong_T: NDArray[np.bool_], known_T: NDArray[np.bool_], n_near: int) -> slice:
    """Choose the ``n_near`` samples with most errors, or, if there are none, of which most is known.

    Of places that are as bad it is the one in the middle.
    """
    width = min(n_near, len(wrong_T))
    flags_T = wrong_T if wrong_T.any() else known_T
    total = np.append(0, np.cumsum(flags_T, dtype=np.int64))
    inside = total[width:] - total[:-width]
    best = np.flatnonzero(inside == inside.max())
    start = int(best[len(best) // 2])
    return slice(start, start + width)


def visible(events: Events, near: slice) -> Events:
    """The events that lie at a place, if only in part."""
    seen = events.within(near.start, near.stop)
    kept = [column[seen] for column in (events.start, events.end, events.label, events.score)]
    return Events.of(kept[0], kept[1], label=kept[2], classes=events.classes, score=kept[3])


def _row(values: NDArray[Any]) -> str:
    return " ".join(f"{value:g}" if values.dtype.kind == "f" else str(value) for value in values)


def _numbers(row: str, dtype: DTypeLike) -> NDArray[Any]:
    return np.array(row.split(), dtype)


def _events_row(events: Events) -> dict[str, Any]:
    columns = {name: _row(getattr(events, name)) for name in ("start", "end", "label")}
    return columns | {"classes": list(events.classes)}


def _events(plain: dict[str, Any]) -> Events:
    start, end, label = (_numbers(plain[name], np.int64) for name in ("start", "end", "label"))
    return Events.of(start, end, label=label, classes=plain["classes"])
