"""Per-sample probabilities -> events."""

from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from poreconv.config import BOUNDARY, DecodeConfig, Task
from poreconv.events.events import Events
from poreconv.inference.decoding.dwell import best_boundaries, surprise
from poreconv.inference.decoding.ordered import best_ends

REACH = 1
"""`segmental` asks for a boundary within so many samples: a network knows better that there is one than where."""

FLOOR, CEILING = 0.01, 0.999
"""A peak with less probability within its reach is no boundary, whatever the dwells say; one with more is no surer."""

LEAST = 1e-6
"""`ordered` takes no class at a sample to be less likely: a few samples forbid nothing."""


def decode(probabilities_CT: NDArray[np.float32], task: Task, classes: tuple[str, ...], config: DecodeConfig) -> Events:
    """Turn what the network says of each sample into events.

    Args:
        probabilities_CT: Shape ``(C, n_samples)``, each column sums to 1.
        task: What the network was asked.
        classes: Names of its ``C`` outputs.
        config: Method and threshold; temperature and bias are in the probabilities already.

    Returns:
        ``boundary``: events from each boundary to the next, none before the first, the last to the read's end; their
        score is the probability at the boundary. Otherwise runs of the likeliest class, scored by its mean probability;
        or, if ``ordered``, the best split into runs of the classes in their order, each once at most. Their coverage is
        the whole read.
    """
    n_samples = probabilities_CT.shape[1]
    if task == "boundary":
        return _events_from(boundaries(probabilities_CT[BOUNDARY], config), probabilities_CT[BOUNDARY])
    if not n_samples:
        return Events.of([], [], classes=classes)
    order = [classes.index(name) for name in config.order]
    label_T = _ordered(probabilities_CT, order) if order else probabilities_CT.argmax(0)
    return _decode_runs(probabilities_CT, label_T, classes)


def peaks(probability_T: NDArray[np.float32]) -> NDArray[np.int64]:
    """Samples that are larger than the one before and not smaller than the one after; ends count as peaks too."""
    padded = np.concatenate([[-np.inf], probability_T, [-np.inf]]).astype(np.float32)
    return np.flatnonzero((padded[1:-1] > padded[:-2]) & (padded[1:-1] >= padded[2:]))


def boundaries(probability_T: NDArray[np.float32], config: DecodeConfig) -> NDArray[np.int64]:
    """Choose boundaries by their probabilities.

    Args:
        probability_T: Of a boundary at each sample.
        config: ``peaks`` takes all peaks of at least the threshold. ``segmental`` takes those peaks for which the sum
            of ``logit(q) - logit(threshold)``, and of the weighted log-likelihood of the dwells between them, is most:
            q is the sum of the probabilities within `REACH`, and a dwell's likelihood is that by the training's dwells
            over that by a constant hazard of the same mean.

    Returns:
        Samples, ascending.
    """
    place, gain = candidates(probability_T, config)
    return place if config.method == "peaks" else place[best_boundaries(place, gain, *dwell_gains(config))]


def candidates(
    probability_T: NDArray[np.float32], config: DecodeConfig
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Peaks that may be boundaries, ascending, and what each adds if it is one.

    Each depends on the probabilities within `REACH` of it alone. Those of ``peaks`` are boundaries.
    """
    peak = peaks(probability_T)
    if config.method == "peaks":
        peak = peak[probability_T[peak] >= config.threshold]
        return peak, np.zeros(len(peak))
    peak = peak[probability_T[peak] >= FLOOR / (2 * REACH + 1)]  # of others, all that is within reach is too little
    likely = _within_reach(probability_T, peak)
    peak, likely = peak[likely >= FLOOR], likely[likely >= FLOOR]
    return peak, _logit(likely) - _logit(config.threshold)


def dwell_gains(config: DecodeConfig) -> tuple[NDArray[np.float64], float]:
    """What each dwell between two boundaries adds, and what each sample beyond the longest."""
    by_dwell, beyond = _surprise(config.dwell_hazards)
    return config.dwell_weight * by_dwell, config.dwell_weight * beyond


def _within_reach(probability_T: NDArray[np.float32], place: NDArray[np.int64]) -> NDArray[np.float64]:
    beside = np.zeros(REACH, np.float32)  # np.pad takes ten times as long, which counts where pieces are short
    padded = np.concatenate([beside, probability_T, beside])
    near = [padded[place + step].astype(np.float64) for step in range(2 * REACH + 1)]
    return np.asarray(np.minimum(np.sum(near, axis=0), CEILING))


def _logit(p: Any) -> Any:
    return np.log(p) - np.log1p(-p)


_surprise = lru_cache(maxsize=8)(surprise)


def _events_from(start: NDArray[np.int64], probability_T: NDArray[np.float32]) -> Events:
    end = np.append(start[1:], len(probability_T)) if len(start) else start
    return Events.of(start, end, score=probability_T[start], coverage=[[0, len(probability_T)]])


def _ordered(probabilities_CT: NDArray[np.float32], order: list[int]) -> NDArray[np.intp]:
    """Class of each sample by the split whose samples' log-probabilities have the greatest sum."""
    gain_CT = np.log(np.maximum(probabilities_CT[order], LEAST), dtype=np.float64)
    return np.repeat(order, np.diff(best_ends(gain_CT), prepend=0))


def runs(
    probabilities_CT: NDArray[np.float32], label_T: NDArray[np.intp]
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """First sample of each run of one class, and the sum of that class's probabilities in it."""
    start = np.concatenate([[0], np.flatnonzero(np.diff(label_T)) + 1])
    chosen_T = np.take_along_axis(probabilities_CT, label_T[None], 0)[0].astype(np.float64)
    return start, np.add.reduceat(chosen_T, start)


def _decode_runs(probabilities_CT: NDArray[np.float32], label_T: NDArray[np.intp], classes: tuple[str, ...]) -> Events:
    start, total = runs(probabilities_CT, label_T)
    end = np.append(start[1:], len(label_T))
    score = total / (end - start)
    return Events.of(start, end, label=label_T[start], classes=classes, score=score, coverage=[[0, len(label_T)]])
