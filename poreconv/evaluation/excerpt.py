"""Excerpts of reads: a few thousand numbers from which a read, and one window in detail, are drawn without its file."""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from poreconv.config import require
from poreconv.evaluation.criteria import criterion_of
from poreconv.events.events import Events
from poreconv.models.recipe import Recipe
from poreconv.plot.decimation import bin_starts, binned
from poreconv.reads.read import Calibration, Read

BINS = 800
"""Number of bins of the envelope of the whole read: about the width of a page in pixels."""

WRONG_BINS = 80
"""Number of bins along the read in which errors are counted."""

DETAIL_EVENTS, DETAIL_FEWEST, DETAIL_MOST = 20, 100, 2000
"""Length of the detail window: this many events of mean dwell, at least and at most this many samples."""

TOLERANCE = 1
"""Distance in samples up to which a predicted boundary matches a true one."""

MOST_EVENTS = 300
"""A read with more true or predicted events keeps only those in its detail window: more cannot be drawn apart."""


@dataclass(frozen=True, slots=True, eq=False)
class Track:
    """Events as an excerpt keeps them: their places and classes, without scores and coverage."""

    start: NDArray[np.int64]
    """First sample of each event, shape ``(n,)``."""
    end: NDArray[np.int64]
    """Sample after the last of each event, shape ``(n,)``."""
    label: NDArray[np.int16]
    """Index into ``classes``, shape ``(n,)``."""
    classes: tuple[str, ...]

    @classmethod
    def of(cls, events: Events) -> Self:
        """Keep the places and classes of events.

        Args:
            events: The events.
        """
        return cls(events.start, events.end, events.label, events.classes)

    @property
    def events(self) -> Events:
        """The events, with a score of 1."""
        return Events.of(self.start, self.end, label=self.label, classes=self.classes)


@dataclass(frozen=True, slots=True, eq=False)
class Excerpt:
    """What a report keeps of a read: an envelope of all of it, and every sample of one window, the detail window."""

    read_id: str
    chemistry: str
    sample_rate_hz: float
    calibration: Calibration
    n_samples: int
    """Length of the whole read."""
    envelope: NDArray[np.int16]
    """Smallest and largest count in each bin of the read, shape ``(2, n_bins)``."""
    start: int
    """First sample of the detail window."""
    adc: NDArray[np.int16]
    """Counts in the detail window, shape ``(n_detail,)``."""
    truth: Track
    """True events, in samples of the whole read."""
    predicted: Track
    """Predicted events, in samples of the whole read."""
    curves: dict[str, NDArray[np.float32]]
    """What is drawn below the events, such as the probability of a class, by name: in the detail window, shape
    ``(n_detail,)`` each; empty if not known for each sample."""
    wrong: NDArray[np.int64]
    """Number of errors in each of `WRONG_BINS` bins or fewer along the read, shape ``(n_wrong_bins,)``."""
    complete: bool
    """Whether all events are kept, or only those in the detail window."""

    def __post_init__(self) -> None:
        """Check that the fields fit each other."""
        where = f"excerpt of read {self.read_id}"
        require(
            0 <= self.start < self.end <= self.n_samples,
            f"{where}: samples {self.start} to {self.end} of {self.n_samples}",
        )
        require(self.envelope.ndim == 2 and self.envelope.shape[0] == 2, f"{where}: its envelope needs two rows")
        require(
            all(curve.shape == self.adc.shape for curve in self.curves.values()),
            f"{where}: its curves are of other samples than adc",
        )

    @property
    def end(self) -> int:
        """Sample after the last one of the detail window."""
        return self.start + len(self.adc)

    @classmethod
    def of(
        cls,
        read: Read,
        target: NDArray[Any],
        predicted: Events,
        outputs_CT: NDArray[np.float32],
        recipe: Recipe,
    ) -> Self:
        """Make the excerpt of a read; its detail window is where most errors are.

        Args:
            read: The read, ``T`` samples.
            target: The truth, shape ``(T,)``; see `Task.target`.
            predicted: The events that the model found.
            outputs_CT: What the decoder makes of the network's outputs, shape ``(C, T)``; left out if ``T`` is
                another, since the model works at another sample rate.
            recipe: Recipe of the model.
        """
        criterion = criterion_of(recipe.task)
        wrong_T, known_T = criterion.wrong(target, predicted), recipe.asked.known(target)
        n_detail = min(len(read.adc), int(np.clip(DETAIL_EVENTS * recipe.mean_dwell, DETAIL_FEWEST, DETAIL_MOST)))
        detail = worst_window(wrong_T, known_T, n_detail)
        bins = binned(read.counts, BINS)
        comparable = outputs_CT.shape[1] == len(target)
        curves = criterion.curves(target, outputs_CT, recipe.classes) if comparable else {}
        events = recipe.asked.events(target, recipe.classes), predicted
        complete = max(map(len, events)) <= MOST_EVENTS
        truth, predicted = events if complete else [events_inside(track, detail) for track in events]
        return cls(
            read_id=read.read_id,
            chemistry=read.chemistry.code,
            sample_rate_hz=read.sample_rate_hz,
            calibration=read.calibration,
            n_samples=len(read.adc),
            envelope=np.stack([bins.min(1), bins.max(1)]),
            start=detail.start,
            adc=read.counts[detail],
            truth=Track.of(truth),
            predicted=Track.of(predicted),
            curves={name: curve[detail].astype(np.float32).round(3) for name, curve in curves.items()},
            wrong=np.add.reduceat(wrong_T, bin_starts(len(wrong_T), WRONG_BINS), dtype=np.int64),
            complete=complete,
        )

    def read(self) -> Read:
        """Return a read that looks the same: exact in the detail window, elsewhere between each bin's extremes."""
        at = np.arange(self.n_samples)
        width = -(-self.n_samples // self.envelope.shape[1])
        adc = self.envelope[at % 2, at // width]
        adc[self.start : self.end] = self.adc
        return Read(self.read_id, adc, self.calibration, self.sample_rate_hz, chemistry_code=self.chemistry)

    def whole_curves(self) -> dict[str, NDArray[np.float32]]:
        """Return the curves at all samples of the read, shape ``(n_samples,)`` each; NaN outside the detail window."""
        outside = (self.start, self.n_samples - self.end)
        return {name: np.pad(curve, outside, constant_values=np.nan) for name, curve in self.curves.items()}


def worst_window(wrong_T: NDArray[np.bool_], known_T: NDArray[np.bool_], n_samples: int) -> slice:
    """Choose the window with most errors or, without any error, with most samples inside the coverage.

    Args:
        wrong_T: Whether each sample is wrong, shape ``(T,)``.
        known_T: Whether each sample is inside the coverage, shape ``(T,)``.
        n_samples: Length of the window; it is shorter only if the read is.

    Returns:
        The samples of the window; of several that are equal, the middle one.
    """
    width = min(n_samples, len(wrong_T))
    flags_T = wrong_T if wrong_T.any() else known_T
    total = np.append(0, np.cumsum(flags_T, dtype=np.int64))
    inside = total[width:] - total[:-width]
    best = np.flatnonzero(inside == inside.max())
    start = int(best[len(best) // 2])
    return slice(start, start + width)


def events_inside(events: Events, window: slice) -> Events:
    """Return the events that lie in a window, wholly or in part.

    Args:
        events: Events of a read.
        window: Samples of the read.
    """
    seen = events.within(window.start, window.stop)
    score, value = events.score[seen], events.value[seen]
    start, end, label = events.start[seen], events.end[seen], events.label[seen]
    return Events.of(start, end, label=label, classes=events.classes, score=score, value=value)
