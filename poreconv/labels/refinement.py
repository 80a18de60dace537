"""Coarse boundaries made exact: a read is cut where the levels of its known sequence fit it best.

Dynamic programming over samples and k-mers, in a band around the coarse path. A sample costs its squared distance from
its k-mer's level; a cut where a step detector sees a step is rewarded, as a boundary is a step of the current and the
likelihood alone is flat where neighbouring levels are alike. Between passes the levels are put on the read's scale.

Source:
    The idea: Stoiber et al. 2017, doi:10.1101/094672 (Tombo, resquiggle); Simpson et al. 2017, doi:10.1038/nmeth.4184
    (nanopolish, scaling to the levels). Written anew.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from poreconv.config import RefineConfig
from poreconv.errors import LabelError
from poreconv.events.events import Events
from poreconv.labels.viterbi import best_path
from poreconv.pore_models.model import PoreModel, kmer_indices
from poreconv.reads.read import Read
from poreconv.reads.scaling import SD_PER_MAD, to_pa
from poreconv.reads.steps import DNA, RNA, Detector, boundaries

LEAST_KMERS = 10
"""Fewer don't tell a read's scale."""
FIRST_RESIDUAL = 0.25
"""SD of event means around their levels, relative to the levels' own, before a fit has measured it."""
LEAST_RESIDUAL = 0.02
"""The same, never less, so that a perfect fit doesn't make every other path impossible."""
OUTLIER = 3.0
"""Events this many SDs from their level don't take part in the scaling."""
FIT_PASSES = 4
LAGS_PER_DWELL = 1.5
"""How far, in mean dwells, a basecaller's moves may run ahead of the current or behind it."""


@dataclass(frozen=True, slots=True)
class Scale:
    """Linear map from a table's levels to a read's current: ``pA = gain * level + shift``."""

    gain: float
    shift: float
    residual: float
    """SD of the event means around it, in units of the table, outliers aside."""


@dataclass(frozen=True, slots=True, eq=False)
class Refined:
    """Where each k-mer of a read lies."""

    edge: NDArray[np.int64]
    """First sample of each k-mer's event, and the sample after the last; shape ``(n_kmers + 1,)``, ascending."""
    scale: Scale
    quality: float
    """Correlation of the events' mean currents with the levels of their k-mers: 1 is a perfect fit."""


def refine_events(read: Read, events: Events, model: PoreModel, config: RefineConfig) -> Events:
    """Move a read's boundaries to where its current steps from level to level.

    Args:
        read: Any read.
        events: Its coarse labels, at least one: an event per base in signal order, such as a move table gives; classes
            A, C, G, T. Bases that have no event are missing from the sequence.
        model: Levels of its chemistry. For RNA the direction in which the table names its k-mers is found out: the
            one that fits.
        config: Band, rewards and the least quality.

    Returns:
        One event per k-mer, of the class of the base that it stands for (`PoreModel.centre`): the few bases at
        either end that have no whole k-mer around them have no event. Score: the read's quality.

    Raises:
        LabelError: A base is unknown (``refine_unknown_base``), or as `refine`.
    """
    if len(events) and events.label.min() < 0:
        raise LabelError(
            f"{read.where}: {(events.label < 0).sum()} events without a base; give labels that know the sequence",
            reason="refine_unknown_base",
        )
    pa, rna = to_pa(read.adc, read.calibration), read.chemistry.startswith("rna")
    detector = RNA if rna else DNA
    pieces = _pieces(events, model.k + LEAST_KMERS - 1)
    try:
        if rna:
            model = _fitting_direction(pa, *max(pieces, key=lambda piece: len(piece[0])), model)
        found = [refine(pa, codes, model, coarse, config, detector) for codes, coarse in pieces]
    except LabelError as exc:
        raise LabelError(f"{read.where}: {exc}", reason=exc.reason) from exc
    return _joined(found, [codes for codes, _ in pieces], model, events.classes)


def _pieces(events: Events, least: int) -> list[tuple[NDArray[np.int16], NDArray[np.int64]]]:
    """Bases and edges of the events in each covered interval, as a read that was split has a sequence in each.

    Intervals of fewer than ``least`` bases are passed over, unless there is no other.
    """
    first = np.searchsorted(events.start, events.coverage[:, 0])
    ends = zip(first, [*first[1:], len(events)], events.coverage[:, 1], strict=True)
    pieces = [(events.label[i:j], np.append(events.start[i:j], end)) for i, j, end in ends]
    return [piece for piece in pieces if len(piece[0]) >= least] or pieces[:1]


def _joined(found: list[Refined], codes: list[NDArray[np.int16]], model: PoreModel, classes: tuple[str, ...]) -> Events:
    label = [bases[model.centre :][: len(one.edge) - 1] for one, bases in zip(found, codes, strict=True)]
    score = [np.full(len(one.edge) - 1, np.clip(one.quality, 0, 1)) for one in found]
    return Events.of(
        np.concatenate([one.edge[:-1] for one in found]),
        np.concatenate([one.edge[1:] for one in found]),
        label=np.concatenate(label),
        classes=classes,
        score=np.concatenate(score),
    )


def _fitting_direction(
    pa: NDArray[np.float32], codes: NDArray[np.int16], coarse: NDArray[np.int64], model: PoreModel
) -> PoreModel:
    """The table as it is or turned, whichever goes better with the coarse path."""
    return max(model, model.turned(), key=lambda one: _at_best_lag(pa, *_kmers_on_path(codes, coarse, one))[1])


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
        pa: Current in pA, shape ``(n_samples,)``; its scale doesn't matter.
        codes: Bases in signal order, 0..3, shape ``(n,)``.
        model: Level of each k-mer, named in signal order.
        coarse: First sample of each base, and the sample after the last, ascending, shape ``(n + 1,)``; None: the
            bases are spread evenly over the signal, and the band must be wide.
        config: Band, rewards and the least quality.
        detector: Settings of the step detector.

    Returns:
        Places of the ``n - k + 1`` k-mers.

    Raises:
        LabelError: Too few bases (``refine_short``); fewer samples than they need (``refine_no_room``); no path in
            the band (``refine_no_path``); or none that fits (``refine_misfit``).
    """
    n = len(codes)
    if n < model.k + LEAST_KMERS - 1:
        raise LabelError(f"{n} bases, too few to refine; leave the read out", reason="refine_short")
    even = np.linspace(0, len(pa), n + 1).astype(np.int64)
    level, path = _kmers_on_path(codes, even if coarse is None else coarse, model)
    path = path if coarse is None else _at_best_lag(pa, level, path)[0]
    first, last = int(path[0]), int(path[-1])
    if last - first < config.min_dwell * len(level):
        raise LabelError(
            f"{last - first} samples for {len(level)} k-mers; are these the labels of this read?",
            reason="refine_no_room",
        )
    reward = np.zeros(len(pa))
    reward[boundaries(pa, detector)] = config.step_reward
    found = _passes(pa[first:last].astype(np.float64), reward[first:last], level, path - first, config)
    if not found.quality >= config.min_quality:
        raise LabelError(
            f"correlates {found.quality:.2f} with the levels, under {config.min_quality}; is the sequence this read's, "
            "and the table of this chemistry? else lower --min_quality",
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
    """Shift a path to where its events' means go best with the levels; also tells how well: their correlation."""
    reach = int(LAGS_PER_DWELL * (path[-1] - path[0]) / len(level))
    total = _running_sum(pa)
    lags = np.arange(-reach, reach + 1)
    fit = [_correlation(_means(total, np.clip(path + lag, 0, len(pa))), level) for lag in lags]
    best = int(np.argmax(fit))
    return np.clip(path + lags[best], 0, len(pa)), fit[best]


def _running_sum(values: NDArray[np.floating]) -> NDArray[np.float64]:
    return np.concatenate([[0.0], np.cumsum(values, dtype=np.float64)])


def _means(total: NDArray[np.float64], edge: NDArray[np.int64]) -> NDArray[np.float64]:
    """Mean between each edge and the next, of a running sum; NaN where they are the same."""
    dwell, mean = np.diff(edge), np.full(len(edge) - 1, np.nan)
    np.divide(np.diff(total[edge]), dwell, out=mean, where=dwell > 0)
    return mean


def _correlation(mean: NDArray[np.float64], level: NDArray[np.float64]) -> float:
    """Correlation of what there is; -1 if that is nothing, or flat."""
    there = np.isfinite(mean)
    if there.sum() < LEAST_KMERS or min(np.ptp(mean[there]), np.ptp(level[there])) == 0:
        return -1.0
    return float(np.corrcoef(mean[there], level[there])[0, 1])


def _passes(
    pa: NDArray[np.float64],
    reward: NDArray[np.float64],
    level: NDArray[np.float64],
    path: NDArray[np.int64],
    config: RefineConfig,
) -> Refined:
    """Cut and rescale by turns; each band lies around the path before it."""
    total, scale = _running_sum(pa), _first_scale(pa, level)
    for _ in range(config.passes):
        z = (pa - scale.shift) / scale.gain
        low = np.maximum(path[:-1] - config.band, 0)
        high = np.minimum(path[1:] + config.band, len(pa))
        weight = 0.5 / scale.residual**2
        path = best_path(z, reward, level, low, high, config.min_dwell, weight)
        if len(path) == 0:
            raise LabelError(
                f"no path within {config.band} samples of the labels; raise --band, or leave the read out",
                reason="refine_no_path",
            )
        scale = _fitted_scale(_means(total, path), level)
    return Refined(path, scale, _correlation(_means(total, path), level))


def _first_scale(pa: NDArray[np.float64], level: NDArray[np.float64]) -> Scale:
    """Match medians and MADs of samples and levels: good enough to begin with, whatever the path."""
    middle, centre = np.median(pa), np.median(level)
    width, spread = np.median(np.abs(pa - middle)), np.median(np.abs(level - centre))
    if not (width > 0 and spread > 0):
        raise LabelError("its current or its levels are flat; leave the read out", reason="flat")
    gain = float(width / spread)
    return Scale(gain, float(middle - gain * centre), FIRST_RESIDUAL * SD_PER_MAD * float(spread))


def _fitted_scale(mean: NDArray[np.float64], level: NDArray[np.float64]) -> Scale:
    """Regress event means on levels, leaving out what lies far off, and again."""
    inlier = np.ones(len(level), bool)
    for _ in range(FIT_PASSES):
        gain, shift = np.polyfit(level[inlier], mean[inlier], 1)
        away = np.abs(mean - gain * level - shift)
        sd = SD_PER_MAD * np.median(away[inlier])
        inlier = away <= OUTLIER * sd
    if not gain > 0:
        raise LabelError("its current falls where the levels rise; is this its sequence?", reason="refine_misfit")
    return Scale(float(gain), float(shift), max(float(sd / gain), LEAST_RESIDUAL * float(level.std())))
