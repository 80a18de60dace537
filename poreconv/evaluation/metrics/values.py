"""Ratios that may be undefined, and their bootstrap intervals."""

import math
from collections.abc import Callable, Iterable

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

REPLICATES = 1000
"""Number of resamples of a bootstrap."""
INTERVAL = (2.5, 97.5)
"""Percentiles of the bootstrap interval: 95 %."""

Counts = NDArray[np.float64]
Scorer = Callable[[Counts], dict[str, Counts]]
"""Counts, shape ``(..., n_counts)`` -> named scores, shape ``(...)`` each."""


def ratio(numerator: Counts, denominator: Counts) -> Counts:
    """Divide; the result is NaN, without a warning, where the denominator is 0.

    Args:
        numerator: Any shape.
        denominator: Not negative; a shape that broadcasts with the numerator's.
    """
    out = np.full(np.broadcast_shapes(numerator.shape, denominator.shape), np.nan)
    np.divide(numerator, denominator, out=out, where=denominator > 0)
    return out


def bootstrap_sums(per_read: Counts, seed: int) -> Counts:
    """Pool the counts of reads drawn with replacement.

    Args:
        per_read: Counts of each read, shape ``(n_reads, n_counts)``.
        seed: The same seed gives the same resamples.

    Returns:
        Pooled counts of each replicate, shape ``(REPLICATES, n_counts)``.
    """
    rng = np.random.default_rng(seed)
    n_reads = len(per_read)
    draws = (rng.integers(0, n_reads, n_reads) for _ in range(REPLICATES))
    return np.stack([np.bincount(draw, minlength=n_reads) @ per_read for draw in draws])


def with_intervals(scorer: Scorer, per_read: Counts, seed: int) -> dict[str, float]:
    """Score the pooled counts, and bootstrap an interval of each score over reads.

    Args:
        scorer: Function that computes the scores from counts.
        per_read: Counts of each read, shape ``(n_reads, n_counts)``.
        seed: Seed of the bootstrap.

    Returns:
        ``NAME``, ``NAME_low`` and ``NAME_high`` of each score. An undefined score is NaN, and so is the interval of
        fewer than two reads. Replicates in which a score is undefined are left out of its interval.
    """
    if len(per_read) < 2:
        return with_limits(scorer, per_read.sum(axis=0), None)
    ordered = per_read[np.lexsort(per_read.T)]  # so that the interval does not depend on which process counted a read
    return with_limits(scorer, per_read.sum(axis=0), bootstrap_sums(ordered, seed))


def with_limits(scorer: Scorer, total: Counts, replicates: Counts | None) -> dict[str, float]:
    """Score the pooled counts, with intervals from replicates.

    Args:
        scorer: Function that computes the scores from counts.
        total: Pooled counts, shape ``(n_counts,)``.
        replicates: Pooled counts of each replicate, shape ``(REPLICATES, n_counts)``; None: all intervals are NaN.

    Returns:
        As `with_intervals` returns them.
    """
    scores = {name: float(value) for name, value in scorer(total).items()}
    of_replicates = {} if replicates is None else scorer(replicates)
    limits = (_limits(name, score, of_replicates.get(name)) for name, score in scores.items())
    return {key: value for of_score in limits for key, value in of_score}


def numbers(values: Tensor | ArrayLike) -> NDArray[np.int64]:
    """Convert whole numbers to a flat NumPy array.

    Args:
        values: A tensor on any device, an array or a list.

    Returns:
        Shape ``(n,)``.
    """
    plain = values.detach().cpu().numpy() if isinstance(values, torch.Tensor) else values
    return np.asarray(plain, np.int64).ravel()


def _limits(name: str, score: float, replicates: Counts | None) -> Iterable[tuple[str, float]]:
    defined = np.array([]) if replicates is None else replicates[~np.isnan(replicates)]
    low, high = np.percentile(defined, INTERVAL) if len(defined) else (math.nan, math.nan)
    return (name, score), (f"{name}_low", float(low)), (f"{name}_high", float(high))
