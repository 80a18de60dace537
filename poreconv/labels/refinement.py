"""Refine coarse boundaries: cut a read where the levels of its known sequence fit the signal best.

Dynamic programming over samples and k-mers, in a band around the coarse path. A sample costs its squared distance from
its k-mer's level. A cut at a step found by the step detector is rewarded, because a boundary is a step of the current
and the likelihood alone is flat where neighbouring levels are similar. Between passes the levels are fitted to the
read's scale again.

Source:
    Methods: Stoiber et al. 2017, doi:10.1101/094672 (Tombo, resquiggle); Simpson et al. 2017, doi:10.1038/nmeth.4184
    (nanopolish, scaling to the levels). The implementation is our own.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from poreconv.config import RefineConfig
from poreconv.errors import LabelError
from poreconv.events.events import Events
from poreconv.labels.viterbi import best_path
from poreconv.pore_models.model import PoreModel, kmer_indices
from poreconv.reads.read import Read
from poreconv.reads.scaling import SD_PER_MAD
from poreconv.reads.steps import DNA, RNA, Detector, find_steps

LEAST_KMERS = 10
"""Fewest k-mers from which a read's scale can be estimated."""
FIRST_RESIDUAL = 0.25
"""SD of event means around their levels, relative to the SD of the levels, assumed before the first fit."""
LEAST_RESIDUAL = 0.02
"""Lower limit of the same SD, so that a perfect fit doesn't make every other path impossible."""
OUTLIER = 3.0
"""Events further than this many SDs from their level are left out when the scale is fitted."""
FIT_PASSES = 4
"""Fits of the scale, each without the outliers of the one before."""
LAGS_PER_DWELL = 1.5
"""Largest lag searched between a basecaller's moves and the current, in mean dwells, in either direction."""


@dataclass(frozen=True, slots=True)
class Scale:
    """Linear map from a table's levels to a read's current: ``pA = gain * level + shift``."""

    gain: float
    """pA per unit of the table."""
    shift: float
    """pA."""
    residual: float
    """SD of the event means around the fit, in units of the table, without outliers."""


@dataclass(frozen=True, slots=True, eq=False)
class Refined:
    """Places of the k-mers of a read."""

    edge: NDArray[np.int64]
    """First sample of each k-mer's event, and the sample after the last event; shape ``(n_kmers + 1,)``, ascending."""
    level: NDArray[np.float64]
    """Level of each k-mer, in the table's unit, shape ``(n_kmers,)``."""
    scale: Scale
    """The read's scale, fitted to these places."""
    quality: float
    """Correlation of the events' mean currents with the levels of their k-mers; 1 is a perfect fit."""


def refine_events(read: Read, events: Events, model: PoreModel, config: RefineConfig) -> Events:
    """Move a read's boundaries to where its current steps from level to level.

    Args:
        read: The read.
        events: Its coarse labels, at least one: one event per base in signal order, for example from a move table;
            classes A, C, G, T. Bases without an event are missing from the sequence.
        model: Levels of the read's chemistry. For RNA, the direction in which the table names its k-mers is determined
            from the read: whichever fits better.
        config: Band, rewards and the lowest quality accepted.

    Returns:
        One event per k-mer, with the class of the base that it stands for (`PoreModel.centre`); the few bases at
        either end without a complete k-mer around them have no event. Scores are the read's quality, 0 to 1.

    Raises:
        LabelError: A base is unknown (``refine_unknown_base``), or one of the reasons of `refine`.
    """
    pieces = refine_pieces(read, events, model, config)
    return Events.of(
        np.concatenate([piece.edge[:-1] for _, piece in pieces]),
        np.concatenate([piece.edge[1:] for _, piece in pieces]),
        label=np.concatenate([bases for bases, _ in pieces]),
        classes=events.classes,
        score=np.concatenate([np.full(len(piece.level), np.clip(piece.quality, 0, 1)) for _, piece in pieces]),
    )


def refine_pieces(
    read: Read, events: Events, model: PoreModel, config: RefineConfig
) -> list[tuple[NDArray[np.int16], Refined]]:
    """Place the k-mers of a read; see `refine_events`.

    Args:
        read: The read.
        events: Its coarse labels.
        model: Levels of the read's chemistry.
        config: Band, rewards and the lowest quality accepted.

    Returns:
        For each interval that the labels cover (a read that was split has several): the base that each k-mer stands
        for, shape ``(n_kmers,)``, and the places of the k-mers.

    Raises:
        LabelError: See `refine_events`.
    """
    if len(events) and events.label.min() < 0:
        raise LabelError(
            f"{read.where}: {(events.label < 0).sum()} events without a base; give labels that contain the sequence",
            reason="refine_unknown_base",
        )
    pa, rna = read.pa, read.chemistry.rna
    detector = RNA if rna else DNA
    pieces = _pieces(events, model.k + LEAST_KMERS - 1)
    try:
        if rna:
            model = _fitting_direction(pa, *max(pieces, key=lambda piece: len(piece[0])), model)
        found = [refine(pa, codes, model, coarse, config, detector) for codes, coarse in pieces]
    except LabelError as exc:
        raise LabelError(f"{read.where}: {exc}", reason=exc.reason) from exc
    bases = [codes[model.centre :][: len(piece.level)] for piece, (codes, _) in zip(found, pieces, strict=True)]
    return list(zip(bases, found, strict=True))


def _pieces(events: Events, least: int) -> list[tuple[NDArray[np.int16], NDArray[np.int64]]]:
    """Bases and edges of the events in each covered interval: a read that was split has one sequence in each.

    Intervals of fewer than ``least`` bases are left out; if all are, the first is returned.
    """
    first = np.searchsorted(events.start, events.coverage[:, 0])
    ends = zip(first, [*first[1:], len(events)], events.coverage[:, 1], strict=True)
    pieces = [(events.label[i:j], np.append(events.start[i:j], end)) for i, j, end in ends]
    return [piece for piece in pieces if len(piece[0]) >= least] or pieces[:1]


def _fitting_direction(
    pa: NDArray[np.float32], codes: NDArray[np.int16], coarse: NDArray[np.int64], model: PoreModel
) -> PoreModel:
    """The table as it is or turned, whichever fits the signal better along the coarse path."""
    return max(model, model.turned(), key=lambda table: _at_best_lag(pa, *_kmers_on_path(codes, coarse, table))[1])


def refine(
    pa: NDArray[np.float32],
    codes: NDArray[np.int16],
    model: PoreModel,
    coarse: NDArray[np.int64] | None,
    config: RefineConfig,
    detector: Detector = DNA,
) -> Refined:
    """Place each k-mer of a sequence on a squiggle.

    Args:
        pa: Current in pA, shape ``(n_samples,)``. A scale and shift that differ from the table's are fitted.
        codes: Base codes in signal order, 0 to 3 for A, C, G, T, shape ``(n,)``.
        model: Level of each k-mer; k-mers are named in signal order.
        coarse: First sample of each base, and the sample after the last base, ascending, shape ``(n + 1,)``; None:
            the bases are spread evenly over the signal, which needs a wide band.
        config: Band, rewards and the lowest quality accepted.
        detector: Settings of the step detector; default: those for DNA.

    Returns:
        Places of the ``n - k + 1`` k-mers, the read's scale and the quality of the fit.

    Raises:
        LabelError: There are too few bases (``refine_short``), or fewer samples than the bases need
            (``refine_no_room``); the current or the levels are flat (``flat``); no path lies in the band
            (``refine_no_path``); or the best path does not fit the levels (``refine_misfit``).
    """
    n = len(codes)
    if n < model.k + LEAST_KMERS - 1:
        raise LabelError(f"{n} bases, too few to refine; leave the read out", reason="refine_short")
    even = np.linspace(0, len(pa), n + 1).astype(np.int64)
    level, path = _kmers_on_path(codes, even if coarse is None else coarse, model)
    path = path if coarse is None else _at_best_lag(pa, level, path)[0]
    first, last = int(path[0]), int(path[-1])
    min_dwell = detector.shortest if config.min_dwell is None else config.min_dwell
    if last - first < min_dwell * len(level):
        raise LabelError(
            f"only {last - first} samples for {len(level)} k-mers; check that the labels are of this read",
            reason="refine_no_room",
        )
    reward = np.zeros(len(pa))
    reward[find_steps(pa, detector)] = config.step_reward
    found = _passes(pa[first:last].astype(np.float64), reward[first:last], level, path - first, min_dwell, config)
    if not found.quality >= config.min_quality:
        raise LabelError(
            f"event means correlate with the levels at {found.quality:.2f}, below {config.min_quality}; check that the "
            "sequence is of this read and the table of its chemistry, or lower --min_quality",
            reason="refine_misfit",
        )
    return replace(found, edge=found.edge + first)


def _kmers_on_path(
    codes: NDArray[np.int16], path: NDArray[np.int64], model: PoreModel
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Level of each k-mer, and the edges of the bases that they stand for."""
    level = model.level_mean[kmer_indices(codes, model.k)]
    return level, path[model.centre : model.centre + len(level) + 1]


def _at_best_lag(
    pa: NDArray[np.float32], level: NDArray[np.float64], path: NDArray[np.int64]
) -> tuple[NDArray[np.int64], float]:
    """Shift a path by the lag at which its event means fit the levels best; return it with their correlation."""
    reach = int(LAGS_PER_DWELL * (path[-1] - path[0]) / len(level))
    total = _running_sum(pa)
    lags = np.arange(-reach, reach + 1)
    fit = [_correlation(_means(total, np.clip(path + lag, 0, len(pa))), level) for lag in lags]
    best = int(np.argmax(fit))
    return np.clip(path + lags[best], 0, len(pa)), fit[best]


def _running_sum(values: NDArray[np.floating]) -> NDArray[np.float64]:
    return np.concatenate([[0.0], np.cumsum(values, dtype=np.float64)])


def _means(total: NDArray[np.float64], edge: NDArray[np.int64]) -> NDArray[np.float64]:
    """Mean between each edge and the next, from a running sum; NaN where two edges are equal."""
    dwell, mean = np.diff(edge), np.full(len(edge) - 1, np.nan)
    np.divide(np.diff(total[edge]), dwell, out=mean, where=dwell > 0)
    return mean


def _correlation(mean: NDArray[np.float64], level: NDArray[np.float64]) -> float:
    """Correlation of the means that are finite with their levels; -1 if there are too few, or either is constant."""
    finite = np.isfinite(mean)
    if finite.sum() < LEAST_KMERS or min(np.ptp(mean[finite]), np.ptp(level[finite])) == 0:
        return -1.0
    return float(np.corrcoef(mean[finite], level[finite])[0, 1])


def _passes(
    pa: NDArray[np.float64],
    reward: NDArray[np.float64],
    level: NDArray[np.float64],
    path: NDArray[np.int64],
    min_dwell: int,
    config: RefineConfig,
) -> Refined:
    """Alternate between finding the best path and fitting the scale; each band lies around the previous path."""
    total, scale = _running_sum(pa), _first_scale(pa, level)
    band = math.ceil(config.band_dwells * len(pa) / len(level))
    for _ in range(config.passes):
        z = (pa - scale.shift) / scale.gain
        low = np.maximum(path[:-1] - band, 0)
        high = np.minimum(path[1:] + band, len(pa))
        before, path = path, best_path(z, reward, level, low, high, min_dwell, 0.5 / scale.residual**2)
        if len(path) == 0:
            raise LabelError(
                f"no path within {band} samples of the labels; raise --band_dwells, or leave the read out",
                reason="refine_no_path",
            )
        scale = _fitted_scale(_means(total, path), level)
        if np.array_equal(path, before):
            break
    return Refined(path, level, scale, _correlation(_means(total, path), level))


def _first_scale(pa: NDArray[np.float64], level: NDArray[np.float64]) -> Scale:
    """Match medians and MADs of samples and levels: a first estimate that needs no path."""
    middle, centre = np.median(pa), np.median(level)
    width, spread = np.median(np.abs(pa - middle)), np.median(np.abs(level - centre))
    if not (width > 0 and spread > 0):
        raise LabelError("its current or its levels are flat; leave the read out", reason="flat")
    gain = float(width / spread)
    return Scale(gain, float(middle - gain * centre), FIRST_RESIDUAL * SD_PER_MAD * float(spread))


def _fitted_scale(mean: NDArray[np.float64], level: NDArray[np.float64]) -> Scale:
    """Regress event means on levels, several times, each without the outliers of the fit before."""
    inlier = np.ones(len(level), bool)
    for _ in range(FIT_PASSES):
        gain, shift = np.polyfit(level[inlier], mean[inlier], 1)
        away = np.abs(mean - gain * level - shift)
        sd = SD_PER_MAD * np.median(away[inlier])
        inlier = away <= OUTLIER * sd
    if not gain > 0:
        raise LabelError(
            "its current falls where the levels rise; check that the sequence is of this read", reason="refine_misfit"
        )
    return Scale(float(gain), float(shift), max(float(sd / gain), LEAST_RESIDUAL * float(level.std())))
