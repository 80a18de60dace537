"""Scores of events without true labels: how constant the current is inside them, and how well it fits known levels."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from poreconv.evaluation.metrics.jump import WINDOW, jumps
from poreconv.evaluation.metrics.values import Counts, ratio, with_intervals
from poreconv.events.events import Events


class Variance(NamedTuple):
    """Sums over one read of what decides the variance ratio and the jump ratio; all of the judged part."""

    samples: float
    within: float
    """Squared deviations of the samples from their event's mean, in units of the read's scale."""
    between: float
    """Squared deviations of the events' means from the part's mean, times the samples of each event."""
    boundaries: float
    asked: float
    """Boundaries that the model has there."""
    seconds: float
    jump_at: float
    """Jumps at the boundaries; see `jumps`."""
    jump_anywhere: float
    """Mean jump in the part, times the number of boundaries."""


class Fit(NamedTuple):
    """Sums over one read of what decides the fit to the levels of a known sequence; x are event means, y levels."""

    events: float = 0.0
    x: float = 0.0
    y: float = 0.0
    xx: float = 0.0
    yy: float = 0.0
    xy: float = 0.0
    squares: float = 0.0
    """Squared distances of means from levels, in SDs of the table's levels."""
    kmers: float = 0.0
    """K-mers from the first to the last that has an event, in each span."""
    skipped: float = 0.0
    """Those without an event."""
    once: float = 0.0
    """Those with exactly one event."""


def variance_of(current: NDArray[np.float32], cut: Events, asked: int, sample_rate_hz: float) -> Variance:
    """Measure how events divide the current.

    Args:
        current: Normalised current of the whole read, shape ``(n_samples,)``.
        cut: Events that cover the judged part; see `JudgedPart.cut`.
        asked: Boundaries that the model has there.
        sample_rate_hz: Samples per second.
    """
    total, squares = (np.concatenate([[0.0], np.cumsum(part, dtype=np.float64)]) for part in (current, current**2))
    of_event, dwell = total[cut.end] - total[cut.start], cut.duration
    mean = of_event / dwell
    within = float((squares[cut.end] - squares[cut.start]).sum() - (of_event * mean).sum())
    middle = of_event.sum() / dwell.sum()
    inner = np.setdiff1d(cut.start, cut.coverage[:, 0])
    jump = np.pad(jumps(current), WINDOW)[: len(current)]
    anywhere = np.concatenate([[0.0], np.cumsum(jump)])
    mean_jump = (anywhere[cut.end] - anywhere[cut.start]).sum() / dwell.sum()
    return Variance(
        samples=float(dwell.sum()),
        within=within,
        between=float((dwell * (mean - middle) ** 2).sum()),
        boundaries=float(len(inner)),
        asked=float(asked),
        seconds=float(dwell.sum()) / sample_rate_hz,
        jump_at=float(jump[inner].sum()),
        jump_anywhere=float(mean_jump) * len(inner),
    )


class LevelsMetric:
    """Scores of one method, pooled over reads; each also as ``NAME_low`` and ``NAME_high``, its 95 % interval.

    - ``within_between``: variance within events over variance between them. Within: the mean squared deviation of the
      samples from their event's mean. Between: the variance of the events' means, weighted by their samples.
    - ``explained``: the share of the variance that lies between events, 1 / (1 + ``within_between``)
    - ``jump_ratio``: see `JumpRatio`
    - ``events_per_s``: boundaries per second
    - ``number``: boundaries over those of the model in the same part; 1 is an equal number

    The variance is that of the normalised current, so that each read counts by its number of samples. More boundaries
    make ``explained`` larger whatever their places, and few sure ones make ``jump_ratio`` larger: neither compares
    methods that have different numbers.

    With the levels of a known sequence also:

    - ``correlation``: Pearson's, of the events' means, on the scale of the table, and the levels of their k-mers
    - ``distance``: root mean square of their differences, in SDs of the table's levels
    - ``one_event``, ``skipped``: shares of the k-mers with exactly one event, and with none
    - ``events_per_kmer``
    """

    def __init__(self, *, seed: int = 0, with_levels: bool = False) -> None:
        """Create a metric with nothing counted.

        Args:
            seed: Seed of the bootstrap.
            with_levels: Whether the sequence is known.
        """
        self._seed, self._with_levels, self._rows = seed, with_levels, list[tuple[float, ...]]()

    def update(self, variance: Variance, fit: Fit | None = None) -> None:
        """Add one read.

        Args:
            variance: Of its events.
            fit: Of its events, if the sequence is known.
        """
        self._rows.append((*variance, *(fit or ())))

    @property
    def _counts(self) -> Counts:
        width = len(Variance._fields) + (len(Fit._fields) if self._with_levels else 0)
        return np.array(self._rows, np.float64).reshape(-1, width)

    def per_read(self) -> dict[str, Counts]:
        """Return the scores of each read, in the order of `update`; shape ``(n_reads,)`` each."""
        return self._scores(self._counts)

    def compute(self) -> dict[str, float]:
        """Return the number of reads, and all scores, named as the docstring of the class lists them."""
        return {"n_reads": float(len(self._rows)), **with_intervals(self._scores, self._counts, self._seed)}

    def _scores(self, counts: Counts) -> dict[str, Counts]:
        width = len(Variance._fields)
        scores = _variance_scores(Variance(*np.moveaxis(counts[..., :width], -1, 0)))
        return scores | _fit_scores(Fit(*np.moveaxis(counts[..., width:], -1, 0))) if self._with_levels else scores


def _variance_scores(total: Variance) -> dict[str, Counts]:
    within, between, boundaries, at = (
        np.asarray(x) for x in (total.within, total.between, total.boundaries, total.jump_at)
    )
    return {
        "explained": ratio(between, within + between),
        "within_between": ratio(within, between),
        "jump_ratio": ratio(at, np.asarray(total.jump_anywhere)),
        "events_per_s": ratio(boundaries, np.asarray(total.seconds)),
        "number": ratio(boundaries, np.asarray(total.asked)),
    }


def _fit_scores(total: Fit) -> dict[str, Counts]:
    n, x, y, xx, yy, xy, squares, kmers, skipped, once = map(np.asarray, total)
    spread = np.sqrt(np.maximum(n * xx - x * x, 0) * np.maximum(n * yy - y * y, 0))
    return {
        "correlation": ratio(n * xy - x * y, spread),
        "distance": np.sqrt(ratio(squares, n)),
        "one_event": ratio(once, kmers),
        "skipped": ratio(skipped, kmers),
        "events_per_kmer": ratio(n, kmers),
    }
