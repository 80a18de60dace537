"""Estimate a pore model from labelled reads: the level, noise and dwell of each k-mer.

The reads are read several times; memory holds a few numbers per k-mer. The first pass finds which base of a k-mer an
event stands for. In each further pass, every read is scaled to the levels from the pass before, and events that don't
fit are left out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from poreconv.errors import StoreError
from poreconv.events.events import Events
from poreconv.events.levels import event_levels
from poreconv.pore_models.model import N_BASES, PoreModel, kmer_indices
from poreconv.reads.read import Read
from poreconv.reads.scaling import SD_PER_MAD

PASSES = 3
"""Passes after the first; a fourth changes no level by a hundredth of the SD of the levels."""
OUTLIER = 3.5
"""Events further than this many SDs from their level are left out."""
LEAST_EVENTS = 30
"""Fewest events of a read from which its scale is estimated; shorter reads are left out."""
FIT_PASSES = 3
"""Fits of a read's scale, each without the outliers of the one before."""
ROUNDING = 1 / 256
"""Estimates are rounded to multiples of this, in pA and samples; finer digits are noise and compress badly."""


class Bases(NamedTuple):
    """Consecutive bases of one read, 5' to 3', shape ``(n,)`` each."""

    code: NDArray[np.int64]
    """0 to 3 for A, C, G, T."""
    level_pa: NDArray[np.float64]
    """Mean current of each base's event."""
    sd_pa: NDArray[np.float64]
    """SD of the current within it."""
    dwell: NDArray[np.float64]
    """Samples of each event."""


def bases_of(read: Read, events: Events) -> list[Bases]:
    """Split a read into the stretches in which one known base follows another without a gap.

    Args:
        read: The read.
        events: One event per base, in signal order; label 0 to 3 for A, C, G, T, -1: unknown.

    Returns:
        The stretches, each with its bases 5' to 3'.
    """
    level_pa, sd_pa = event_levels(read, events)
    known = events.label >= 0
    joined = known[1:] & known[:-1] & (events.start[1:] == events.end[:-1])
    pieces = np.split(np.arange(len(events)), np.flatnonzero(~joined) + 1)
    dwell, step = events.duration.astype(np.float64), -1 if read.chemistry.rna else 1
    return [
        Bases(events.label[at].astype(np.int64), level_pa[at], sd_pa[at], dwell[at])
        for at in (piece[::step] for piece in pieces if len(piece) and known[piece[0]])
    ]


Observed = Callable[[], Iterable[list[Bases]]]
"""Starts another pass over all reads, each as its stretches."""


def estimate_pore_model(observed: Observed, k: int) -> PoreModel:
    """Estimate the level, noise and dwell of each k-mer.

    Args:
        observed: Called once for each of ``2 + PASSES`` passes over the reads; see `bases_of`.
        k: Bases that determine one level.

    Returns:
        Levels in pA on the mean scale of the reads. The values of a rare k-mer are shrunk towards those of its inner
        k-mers of k - 1, k - 2, ... bases, with an empirical Bayes weight; ``count`` is the number of its events.

    Raises:
        StoreError: No read has enough bases.
    """
    centre, level = _first_pass(observed, k)
    for _ in range(PASSES):
        sums = _pass(observed, level, centre)
        level = _shrunk(sums.count, sums.level, centre)
    sums = _pass(observed, level, centre)
    return _model(sums, _shrunk(sums.count, sums.level, centre), centre)


def _first_pass(observed: Observed, k: int) -> tuple[int, NDArray[np.float64]]:
    """Find which base of a k-mer explains an event's level best; return it with rough levels, in SDs of a read's."""
    sums = [Sums(k) for _ in range(k)]
    for pieces in observed():
        if sum(len(piece.code) for piece in pieces) < LEAST_EVENTS:
            continue
        levels_pa = np.concatenate([piece.level_pa for piece in pieces])
        shift = np.median(levels_pa)
        scale = SD_PER_MAD * np.median(np.abs(levels_pa - shift)) or 1.0
        for piece in pieces:
            for centre, at in enumerate(sums):
                at.add(piece, centre, (piece.level_pa - shift) / scale, np.ones(len(piece.code), bool))
    if not any(at.count.sum() for at in sums):
        raise StoreError(f"no read has {LEAST_EVENTS} bases with a place to estimate from; give longer or more reads")
    centre = int(np.argmax([at.explained() for at in sums]))
    return centre, _shrunk(sums[centre].count, sums[centre].level, centre)


def _pass(observed: Observed, level: NDArray[np.float64], centre: int) -> Sums:
    """Sum over all events that fit, on the scale of ``level``."""
    k = round(np.log(len(level)) / np.log(N_BASES))
    sums = Sums(k)
    for pieces in observed():
        expected = [level[kmer_indices(piece.code, k)] for piece in pieces]
        inner = [piece.level_pa[centre : centre + len(e)] for piece, e in zip(pieces, expected, strict=True)]
        if sum(map(len, expected)) < LEAST_EVENTS:
            continue
        fit = _fit(np.concatenate(expected), np.concatenate(inner))
        for piece, e in zip(pieces, expected, strict=True):
            scaled = (piece.level_pa - fit.shift) / fit.gain
            near = np.zeros(len(scaled), bool)
            near[centre : centre + len(e)] = np.abs(scaled[centre : centre + len(e)] - e) < OUTLIER * fit.residual
            sums.add(piece, centre, scaled, near, gain=fit.gain)
        sums.add_read(fit)
    return sums


class _Fit(NamedTuple):
    """Scale of a read: ``pA = gain * level + shift``."""

    gain: float
    shift: float
    residual: float
    """SD of the event levels around the fit, on the scale of ``level``; 0: the read fits nowhere."""


def _fit(expected: NDArray[np.float64], level_pa: NDArray[np.float64]) -> _Fit:
    """Fit a read's scale by least squares, without outliers."""
    near = np.ones(len(expected), bool)
    gain, shift, residual = 1.0, 0.0, np.inf
    for _ in range(FIT_PASSES):
        gain, shift = np.polyfit(expected[near], level_pa[near], 1)
        error = np.abs((level_pa - shift) / gain - expected) if gain > 0 else np.full(len(near), np.inf)
        residual = float(SD_PER_MAD * np.median(error))
        near = error < OUTLIER * residual
        if gain <= 0 or near.sum() < 2:
            return _Fit(1.0, 0.0, 0.0)  # no scale fits: all events of the read are left out
    return _Fit(float(gain), float(shift), residual)


class Sums:
    """Sums over the events of each k-mer.

    Args:
        k: Length of the k-mers.
    """

    def __init__(self, k: int) -> None:
        self.k = k
        self._sum = {name: np.zeros(N_BASES**k) for name in ("n", "x", "xx", "sd", "sdsd", "dwell", "dwelldwell")}
        self._fits: list[tuple[float, float]] = []

    def add(
        self, piece: Bases, centre: int, level: NDArray[np.float64], use: NDArray[np.bool_], gain: float = 1.0
    ) -> None:
        """Add the events of a stretch.

        Args:
            piece: The stretch.
            centre: Which base of a k-mer an event stands for, 0 for its first.
            level: Level of each base's event on the common scale, shape ``(n,)``.
            use: Whether to add each event, shape ``(n,)``.
            gain: Gain of the read, by which its noise is divided; default: 1.
        """
        index = kmer_indices(piece.code, self.k)
        inner = slice(centre, centre + len(index))
        chosen = use[inner]
        x, sd, dwell = level[inner][chosen], piece.sd_pa[inner][chosen] / gain, piece.dwell[inner][chosen]
        values = {"n": np.ones(len(x)), "x": x, "xx": x * x, "sd": sd, "sdsd": sd * sd}
        for name, value in (values | {"dwell": dwell, "dwelldwell": dwell * dwell}).items():
            self._sum[name] += np.bincount(index[chosen], value, len(self._sum[name]))

    def add_read(self, fit: _Fit) -> None:
        """Add a read's scale; one that fits nowhere is ignored.

        Args:
            fit: Scale of the read.
        """
        if fit.residual > 0:
            self._fits.append((fit.gain, fit.shift))

    @property
    def count(self) -> NDArray[np.float64]:
        """Events of each k-mer."""
        return self._sum["n"]

    @property
    def level(self) -> Moments:
        """Sums of the events' levels."""
        return Moments(self._sum["x"], self._sum["xx"])

    @property
    def noise(self) -> Moments:
        """Sums of the SDs within events."""
        return Moments(self._sum["sd"], self._sum["sdsd"])

    @property
    def dwell(self) -> Moments:
        """Sums of the events' dwells, in samples."""
        return Moments(self._sum["dwell"], self._sum["dwelldwell"])

    def explained(self) -> float:
        """Return the variance of the levels that the k-mers explain."""
        n = np.maximum(self.count, 1)
        return float(
            (self._sum["x"] ** 2 / n).sum() / self.count.sum() - (self._sum["x"].sum() / self.count.sum()) ** 2
        )

    def scale(self) -> tuple[float, float]:
        """Return the mean gain and shift of the reads, pA."""
        gain, shift = np.mean(self._fits, axis=0)
        return float(gain), float(shift)


class Moments(NamedTuple):
    """Sums over the events of each k-mer, shape ``(4 ** k,)`` each."""

    x: NDArray[np.float64]
    """Sum of the values."""
    xx: NDArray[np.float64]
    """Sum of their squares."""


def _shrunk(count: NDArray[np.float64], sums: Moments, centre: int) -> NDArray[np.float64]:
    """Mean of each k-mer, shrunk towards those of the k-mers inside it.

    From the central base outwards, the mean of a longer k-mer is that of the next shorter one plus the difference of
    its own events' mean from it, times ``n / (n + within / between)``, with the variances within and between k-mers
    measured at that length.
    """
    k = round(np.log(len(count)) / np.log(N_BASES))
    cubes = [values.reshape((N_BASES,) * k) for values in (count, *sums)]
    estimate = np.full((1,) * k, float(sums.x.sum() / count.sum()))
    included: list[int] = []
    for axis in sorted(range(k), key=lambda at: (abs(at - centre), at)):
        included.append(axis)
        others = tuple(at for at in range(k) if at not in included)
        n, x, xx = (cube.sum(axis=others, keepdims=True) for cube in cubes)
        estimate = _towards(np.broadcast_to(estimate, n.shape), n, x, xx)
    return np.ascontiguousarray(estimate).ravel()


def _towards(
    prior: NDArray[np.float64], n: NDArray[np.float64], x: NDArray[np.float64], xx: NDArray[np.float64]
) -> NDArray[np.float64]:
    seen = n > 0
    mean = np.divide(x, n, out=prior.copy(), where=seen)
    freedom = max(float((n[seen] - 1).sum()), 1.0)
    within = max(float((xx[seen] - n[seen] * mean[seen] ** 2).sum()) / freedom, 1e-12)
    beyond = float((n[seen] * (mean[seen] - prior[seen]) ** 2).sum()) - within * int(seen.sum())
    between = max(beyond / max(float(n.sum()), 1.0), 1e-6 * within)
    return np.asarray(prior + (mean - prior) * n / (n + within / between))


def _model(sums: Sums, level: NDArray[np.float64], centre: int) -> PoreModel:
    gain, shift = sums.scale()
    variance = {}
    means = {"level": level}
    for name in ("level", "noise", "dwell"):
        moments: Moments = getattr(sums, name)
        means.setdefault(name, _shrunk(sums.count, moments, centre))
        variance[name] = _spread(sums.count, moments)
    dwell: NDArray[np.float64] = np.maximum(means["dwell"], 1.0)
    return PoreModel(
        sums.k,
        _rounded(means["level"] * gain + shift),
        _rounded(np.sqrt(variance["level"]) * gain),
        centre,
        noise_mean=_rounded(means["noise"] * gain),
        noise_sd=_rounded(np.sqrt(variance["noise"]) * gain),
        dwell_mean=_rounded(dwell),
        dwell_shape=_rounded(dwell**2 / np.maximum(variance["dwell"], 1e-9)),
        count=sums.count,
    )


def _rounded(values: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.rint(values / ROUNDING) * ROUNDING


SPREAD_PRIOR_EVENTS = 20.0
"""Events of a k-mer at which its own variance has the same weight as that of all k-mers together."""


def _spread(count: NDArray[np.float64], sums: Moments) -> NDArray[np.float64]:
    """Variance of each k-mer, shrunk towards that of all."""
    n = np.maximum(count, 1)
    squares = np.maximum(sums.xx - sums.x**2 / n, 0)
    pooled = float(squares.sum() / max(float(np.maximum(count - 1, 0).sum()), 1.0))
    return np.asarray((squares + SPREAD_PRIOR_EVENTS * pooled) / (np.maximum(count - 1, 0) + SPREAD_PRIOR_EVENTS))
