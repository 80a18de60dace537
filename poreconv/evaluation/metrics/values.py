"""Ratios that may be undefined, and their bootstrap intervals."""

import math
from collections.abc import Callable, Iterable

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

REPLICATES = 1000
"""Resamples of a bootstrap."""
INTERVAL = (2.5, 97.5)
"""Percentiles of the bootstrap interval: 95 %."""

Counts = NDArray[np.float64]
Scorer = Callable[[Counts], dict[str, Counts]]
"""Counts, shape ``(..., n_counts)`` -> named scores, shape ``(...)`` each."""


def ratio(numerator: Counts, denominator: Counts) -> Counts:
    """Divide; 0 / 0 and x / 0 are NaN, without a warning."""
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
    """Score the pooled counts, and give each score its interval over reads.

    Args:
        scorer: Counts -> scores.
        per_read: Counts of each read, shape ``(n_reads, n_counts)``.
        seed: Of the bootstrap.

    Returns:
        ``name``, ``name_low`` and ``name_high`` of each score; an undefined score, and the interval of fewer than two
        reads, is NaN. Replicates in which a score is undefined are left out of its interval.
    """
    if len(per_read) < 2:
        return with_limits(scorer, per_read.sum(axis=0), None)
    in_any_order = per_read[np.lexsort(per_read.T)]  # the same interval, whichever process counted which read
    return with_limits(scorer, per_read.sum(axis=0), bootstrap_sums(in_any_order, seed))


def with_limits(scorer: Scorer, total: Counts, replicates: Counts | None) -> dict[str, float]:
    """Score pooled counts ``(n_counts,)``, and those of replicates ``(REPLICATES, n_counts)``; see `with_intervals`."""
    scores = {name: float(value) for name, value in scorer(total).items()}
    others = {} if replicates is None else scorer(replicates)
    return {key: value for name, score in scores.items() for key, value in _limits(name, score, others.get(name))}


def numbers(values: Tensor | ArrayLike) -> NDArray[np.int64]:
    """Take whole numbers from a tensor on any device, an array or a list; shape ``(n,)``."""
    plain = values.detach().cpu().numpy() if isinstance(values, torch.Tensor) else values
    return np.asarray(plain, np.int64).ravel()


def _limits(name: str, score: float, replicates: Counts | None) -> Iterable[tuple[str, float]]:
    defined = np.array([]) if replicates is None else replicates[~np.isnan(replicates)]
    low, high = np.percentile(defined, INTERVAL) if len(defined) else (math.nan, math.nan)
    return (name, score), (f"{name}_low", float(low)), (f"{name}_high", float(high))
