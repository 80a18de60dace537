"""Estimating a pore model from labelled reads: which current each k-mer gives, how long it stays, how loud it is.

Reads are passed over several times; memory holds a few numbers per k-mer. The first pass finds which base of a k-mer an
event stands for; in each further one the reads are put on the scale that the pass before has found, and events that
don't fit are left out.
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
"""Passes after the first; a fourth moves no level by a hundredth of their SD."""
OUTLIER = 3.5
"""Events this many SDs from their level are left out."""
LEAST_EVENTS = 30
"""Shorter reads tell no scale."""
FIT_PASSES = 3
STEP = 1 / 256
"""Estimates are rounded to multiples of this, in pA and samples: finer would mean nothing, and packs badly."""


class Bases(NamedTuple):
    """Consecutive bases of one read, 5' to 3', shape ``(n,)`` each."""

    code: NDArray[np.int64]
    """0 to 3 for A, C, G, T."""
    level_pa: NDArray[np.float64]
    """Mean current of each base's event."""
    sd_pa: NDArray[np.float64]
    """SD of the current within it."""
    dwell: NDArray[np.float64]
    """Its samples."""


def bases_of(read: Read, events: Events) -> list[Bases]:
    """Give the stretches of a read in which base follows base without a gap, or a base that is not known."""
    level_pa, sd_pa = event_levels(read, events)
    known = events.label >= 0
    joined = known[1:] & known[:-1] & (events.start[1:] == events.end[:-1])
    pieces = np.split(np.arange(len(events)), np.flatnonzero(~joined) + 1)
    dwell, step = events.duration.astype(np.float64), -1 if read.chemistry.startswith("rna") else 1
    return [
        Bases(events.label[at].astype(np.int64), level_pa[at], sd_pa[at], dwell[at])
        for at in (piece[::step] for piece in pieces if len(piece) and known[piece[0]])
    ]


Observed = Callable[[], Iterable[list[Bases]]]
"""Gives all reads anew, each as its stretches."""


def estimate_pore_model(observed: Observed, k: int) -> PoreModel:
    """Estimate what each k-mer does.

    Args:
        observed: Called once for each of ``1 + PASSES`` passes; see `bases_of`.
        k: Bases that set one level.

    Returns:
        Levels in pA on the mean scale of the reads. A k-mer that was seen seldom is drawn towards what its inner
        k-mers of k - 1, k - 2, ... bases say, by an empirical Bayes weight; ``count`` tells how often it was seen.

    Raises:
        StoreError: No read has bases enough.
    """
    centre, level = _first_pass(observed, k)
    for _ in range(PASSES):
        sums = _pass(observed, level, centre)
        level = _shrunk(sums.count, sums.level, centre)
    sums = _pass(observed, level, centre)
    return _model(sums, _shrunk(sums.count, sums.level, centre), centre)


def _first_pass(observed: Observed, k: int) -> tuple[int, NDArray[np.float64]]:
    """Which base of a k-mer tells most of an event's level, and rough levels, in SDs of a read's."""
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
        raise StoreError(f"no read has {LEAST_EVENTS} bases with a place, so there is nothing to estimate from")
    centre = int(np.argmax([at.explained() for at in sums]))
    return centre, _shrunk(sums[centre].count, sums[centre].level, centre)


def _pass(observed: Observed, level: NDArray[np.float64], centre: int) -> Sums:
    """Sums over all events that fit, on the scale of ``level``."""
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
    """``pA = gain * level + shift``."""

    gain: float
    shift: float
    residual: float


def _fit(expected: NDArray[np.float64], level_pa: NDArray[np.float64]) -> _Fit:
    """Put levels on a read's scale by least squares, events far off left out."""
    near = np.ones(len(expected), bool)
    gain, shift, residual = 1.0, 0.0, np.inf
    for _ in range(FIT_PASSES):
        gain, shift = np.polyfit(expected[near], level_pa[near], 1)
        error = np.abs((level_pa - shift) / gain - expected) if gain > 0 else np.full(len(near), np.inf)
        residual = float(SD_PER_MAD * np.median(error))
        near = error < OUTLIER * residual
        if gain <= 0 or near.sum() < 2:
            return _Fit(1.0, 0.0, 0.0)  # it fits nowhere: every event of the read is left out
    return _Fit(float(gain), float(shift), residual)


class Sums:
    """What is kept of the events of each k-mer."""

    def __init__(self, k: int) -> None:
        self.k = k
        self._sum = {name: np.zeros(N_BASES**k) for name in ("n", "x", "xx", "sd", "sdsd", "dwell", "dwelldwell")}
        self._fits: list[tuple[float, float]] = []

    def add(
        self, piece: Bases, centre: int, level: NDArray[np.float64], use: NDArray[np.bool_], gain: float = 1.0
    ) -> None:
        """Count the events of a stretch that are to be used, with their levels on the common scale."""
        index = kmer_indices(piece.code, self.k)
        inner = slice(centre, centre + len(index))
        chosen = use[inner]
        x, sd, dwell = level[inner][chosen], piece.sd_pa[inner][chosen] / gain, piece.dwell[inner][chosen]
        values = {"n": np.ones(len(x)), "x": x, "xx": x * x, "sd": sd, "sdsd": sd * sd}
        for name, value in (values | {"dwell": dwell, "dwelldwell": dwell * dwell}).items():
            self._sum[name] += np.bincount(index[chosen], value, len(self._sum[name]))

    def add_read(self, fit: _Fit) -> None:
        """Remember a read's scale."""
        if fit.residual > 0:
            self._fits.append((fit.gain, fit.shift))

    @property
    def count(self) -> NDArray[np.float64]:
        """Events of each k-mer."""
        return self._sum["n"]

    @property
    def level(self) -> Moments:
        """Of the events' levels."""
        return Moments(self._sum["x"], self._sum["xx"])

    @property
    def noise(self) -> Moments:
        """Of the SDs within events."""
        return Moments(self._sum["sd"], self._sum["sdsd"])

    @property
    def dwell(self) -> Moments:
        """Of the events' samples."""
        return Moments(self._sum["dwell"], self._sum["dwelldwell"])

    def explained(self) -> float:
        """Variance that the k-mers explain, for each event."""
        n = np.maximum(self.count, 1)
        return float(
            (self._sum["x"] ** 2 / n).sum() / self.count.sum() - (self._sum["x"].sum() / self.count.sum()) ** 2
        )

    def scale(self) -> tuple[float, float]:
        """Mean gain and shift of the reads, pA."""
        gain, shift = np.mean(self._fits, axis=0)
        return float(gain), float(shift)


class Moments(NamedTuple):
    """Sums over the events of each k-mer, shape ``(4 ** k,)`` each."""

    x: NDArray[np.float64]
    xx: NDArray[np.float64]


def _shrunk(count: NDArray[np.float64], sums: Moments, centre: int) -> NDArray[np.float64]:
    """Means per k-mer, drawn towards those of the k-mers inside it.

    From the central base outwards: the mean of a longer k-mer is that of the next shorter one plus what its own events
    say beyond it, times ``n / (n + within / between)``: variance within k-mers over variance between them, both
    measured at that length.
    """
    k = round(np.log(len(count)) / np.log(N_BASES))
    cubes = [values.reshape((N_BASES,) * k) for values in (count, *sums)]
    estimate = np.full((1,) * k, float(sums.x.sum() / count.sum()))
    kept: list[int] = []
    for axis in sorted(range(k), key=lambda at: (abs(at - centre), at)):
        kept.append(axis)
        others = tuple(at for at in range(k) if at not in kept)
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
    return np.rint(values / STEP) * STEP


ALIKE = 20.0
"""A k-mer's own spread counts as much as that of all together once it was seen so often."""


def _spread(count: NDArray[np.float64], sums: Moments) -> NDArray[np.float64]:
    """Variance per k-mer, drawn towards that of all."""
    n = np.maximum(count, 1)
    squares = np.maximum(sums.xx - sums.x**2 / n, 0)
    pooled = float(squares.sum() / max(float(np.maximum(count - 1, 0).sum()), 1.0))
    return np.asarray((squares + ALIKE * pooled) / (np.maximum(count - 1, 0) + ALIKE))
