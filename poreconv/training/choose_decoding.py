"""Choosing how a trained network's logits are decoded into events, on reads of the validation split."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from poreconv.config import BOUNDARY, IGNORE, INSIDE, DecodeConfig
from poreconv.events.matching import match_count
from poreconv.inference.decoding import temperature
from poreconv.inference.decoding.boundaries import BoundaryDecoder
from poreconv.inference.decoding.dwell import LifeTable
from poreconv.training.validation import CHOICE_TOLERANCE, THRESHOLDS

DWELL_WEIGHTS = (0.0, 0.1, 0.25, 0.5)
"""Weights of the dwells to choose from: small, as a network that sees neighbouring bases has learnt dwells already."""

SEGMENTAL_THRESHOLDS = np.round(np.arange(0.05, 0.96, 0.05), 2)
"""Thresholds among which that of `segmental` is chosen."""

MOST_FITTED = 2**19
"""Limit of the samples that the temperature is fitted on, evenly spaced; one number needs no more."""

Judged = Sequence[tuple[NDArray[np.float32], NDArray[np.int8]]]
"""For each read the probabilities at temperature 1, shape ``(C, T)``, and the target, shape ``(T,)``."""


def count_dwells(table: LifeTable, target: NDArray[np.int8]) -> None:
    """Add the events of one read to a life table; one that ends in ignored samples, or with the read, is censored.

    Args:
        table: Counts the dwells.
        target: Target of the read, shape ``(n_samples,)``.
    """
    change = np.flatnonzero(target != INSIDE)
    start = target[change] == BOUNDARY
    end = np.append(change[1:], len(target))
    ended = np.append(target[change[1:]] == BOUNDARY, [False] * min(len(change), 1))
    table.update((end - change)[start], ended[start])


def calibrated(judged: Judged, undecided: DecodeConfig) -> DecodeConfig:
    """Fit the temperature.

    Args:
        judged: Reads that the network was not trained on.
        undecided: The decoding by which they were judged; its bias is in the probabilities already.

    Returns:
        The same decoding with the fitted temperature.
    """
    return replace(undecided, temperature=_temperature(judged))


def best_boundary_decoding(judged: Judged, undecided: DecodeConfig, hazards: tuple[float, ...]) -> DecodeConfig:
    """Fit the temperature, and choose the method and its threshold.

    Args:
        judged: Reads that the network was not trained on.
        undecided: The decoding by which they were judged.
        hazards: Hazards of the dwells of the training split, see `LifeTable`.

    Returns:
        The method, threshold and weight of the best F1 within `CHOICE_TOLERANCE`, pooled over the reads: of equally
        good methods the simplest, of equally good thresholds the middle one.
    """
    fitted = calibrated(judged, undecided)
    reads = [(_boundary_probability(p_CT, fitted.temperature), target) for p_CT, target in judged]
    segmental = replace(fitted, method="segmental", dwell_hazards=hazards)
    families = [_family(fitted, THRESHOLDS)]
    families += [_family(replace(segmental, dwell_weight=w), SEGMENTAL_THRESHOLDS) for w in DWELL_WEIGHTS]
    chosen = [_best(reads, family) for family in families]
    return max(chosen, key=lambda pair: pair[0])[1]


def _temperature(judged: Judged) -> float:
    n_known = sum(int((target != IGNORE).sum()) for _, target in judged)
    step = max(1, -(-n_known // MOST_FITTED))
    taken = [np.flatnonzero(target != IGNORE)[::step] for _, target in judged]
    log_p_CN = np.concatenate([_log(p_CT[:, at]) for (p_CT, _), at in zip(judged, taken, strict=True)], 1)
    target_N = np.concatenate([target[at] for (_, target), at in zip(judged, taken, strict=True)])
    return round(temperature.fit(log_p_CN.astype(np.float64), target_N), 4)


def _log(p_CT: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.asarray(np.log(np.maximum(p_CT, np.finfo(np.float32).tiny)))


def _boundary_probability(p_CT: NDArray[np.float32], divisor: float) -> NDArray[np.float32]:
    """Probability of a boundary at this temperature; logarithms of probabilities serve as logits."""
    return np.asarray(temperature.probabilities(_log(p_CT), divisor, ())[BOUNDARY])


def _family(config: DecodeConfig, thresholds: NDArray[np.float64]) -> list[DecodeConfig]:
    return [replace(config, threshold=float(threshold)) for threshold in thresholds]


def _best(reads: Judged, configs: Sequence[DecodeConfig]) -> tuple[float, DecodeConfig]:
    f1 = np.array([_f1(reads, config) for config in configs])
    best = np.flatnonzero(f1 == f1.max())
    chosen = int(best[len(best) // 2])
    return float(f1[chosen]), configs[chosen]


def _f1(reads: Judged, config: DecodeConfig) -> float:
    """F1 of boundaries inside the coverage."""
    decoder = BoundaryDecoder((), config)
    pairs = n = 0
    for probability_T, target in reads:
        found = decoder.boundaries(probability_T)
        found, true = found[target[found] != IGNORE], np.flatnonzero(target == BOUNDARY)
        pairs, n = pairs + match_count(true, found, CHOICE_TOLERANCE), n + len(true) + len(found)
    return 2 * pairs / max(n, 1)
