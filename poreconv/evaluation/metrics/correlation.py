"""Metrics of numbers: how far they are off, and how well they correlate."""

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.stats import rankdata
from torch import Tensor
from torchmetrics import Metric

from poreconv.evaluation.metrics.boundary import stacked
from poreconv.evaluation.metrics.values import Counts, ratio, with_intervals

RANKED = 4096
"""Most samples of a read, evenly spaced, whose ranks are compared."""


class ValueMetric(Metric):
    """Errors and correlations of a number at each sample, pooled over the samples of all reads.

    `update` takes one read. `compute` returns a flat dict of floats:

    - ``n_reads``, ``n_samples`` (judged ones)
    - ``mae``: mean absolute error; ``rmse``: root of the mean squared error; ``mean_error``: predicted minus true, all
      in the unit of the values
    - ``pearson``: correlation of predicted and true values; ``spearman``: that of their ranks, from at most `RANKED`
      evenly spaced samples of each read
    - each of the five also as ``NAME_low`` and ``NAME_high``: the 95 % bootstrap interval over reads

    A correlation is NaN where either side is constant, and every score is without samples.
    """

    is_differentiable = False
    higher_is_better = True
    full_state_update = False

    sums: list[Tensor]
    """Per read ``(1, 8)``: see `_sums`."""
    true: list[Tensor]
    """Per read the true values whose ranks are compared, ``(n,)``."""
    predicted: list[Tensor]
    """Per read the predicted ones, ``(n,)``."""

    def __init__(self, *, seed: int = 0, **kwargs: Any) -> None:
        """Create a metric with nothing counted.

        Args:
            seed: Seed of the bootstrap; the same seed gives the same intervals.
            **kwargs: Passed to `torchmetrics.Metric`.
        """
        super().__init__(**kwargs)
        self.seed = seed
        for name in ("sums", "true", "predicted"):
            self.add_state(name, default=[], dist_reduce_fx=None)

    def update(self, true: NDArray[np.float32], predicted: NDArray[np.float32]) -> None:
        """Count one read.

        Args:
            true: True value of each sample, NaN where it is not judged, shape ``(T,)``.
            predicted: Predicted value of each sample, same shape; a sample without one is not judged.
        """
        judged = np.isfinite(true) & np.isfinite(predicted)
        x, y = predicted[judged].astype(np.float64), true[judged].astype(np.float64)
        taken = np.linspace(0, len(x) - 1, min(len(x), RANKED)).round().astype(np.int64)
        self.sums.append(torch.from_numpy(_sums(x, y)[None]))
        self.true.append(torch.from_numpy(y[taken]))
        self.predicted.append(torch.from_numpy(x[taken]))

    def per_read(self) -> dict[str, Counts]:
        """Return ``pearson``, ``mae``, ``rmse`` and ``mean_error`` of each read, shape ``(n_reads,)`` each."""
        return _scores(stacked(self.sums, 8))

    def compute(self) -> dict[str, float]:
        """Return all scores of the reads counted so far, named as the docstring of the class lists them."""
        per_read = stacked(self.sums, 8)
        totals = {"n_reads": float(len(per_read)), "n_samples": float(per_read[:, 0].sum())}
        both = np.hstack([per_read, self._of_ranks()])
        scored = with_intervals(lambda c: _scores(c[..., :8]) | {"spearman": _pearson(c[..., 8:])}, both, self.seed)
        return totals | scored

    def _of_ranks(self) -> Counts:
        """Return `_sums` of the ranks of each read's samples among those of all reads, shape ``(n_reads, 8)``."""
        if not self.true:
            return np.zeros((0, 8))
        edges = np.cumsum([len(part) for part in self.true])[:-1]
        ranks = [rankdata(torch.cat(parts).numpy()) for parts in (self.predicted, self.true)]
        scaled = [rank / max(len(rank), 1) for rank in ranks]  # to 1, so that squares stay exact enough
        return np.array([_sums(x, y) for x, y in zip(*(np.split(rank, edges) for rank in scaled), strict=True)])


def _sums(x: Counts, y: Counts) -> Counts:
    """Return the number of samples, and the sums of x, y, x², y², xy, |x - y| and (x - y)²."""
    error = x - y
    columns = (np.ones_like(x), x, y, x * x, y * y, x * y, np.abs(error), error * error)
    return np.array([column.sum() for column in columns])


def _scores(sums: Counts) -> dict[str, Counts]:
    n = sums[..., 0]
    return {
        "pearson": _pearson(sums),
        "mae": ratio(sums[..., 6], n),
        "rmse": np.sqrt(ratio(sums[..., 7], n)),
        "mean_error": ratio(sums[..., 1] - sums[..., 2], n),
    }


def _pearson(sums: Counts) -> Counts:
    n, x, y, xx, yy, xy = (sums[..., i] for i in range(6))
    spread_x, spread_y = n * xx - x * x, n * yy - y * y
    varied = (spread_x > TINY * n * xx) & (spread_y > TINY * n * yy)  # less is rounding of a constant
    return ratio(n * xy - x * y, np.where(varied, np.sqrt(np.abs(spread_x * spread_y)), 0))


TINY = 1e-12
"""Share of the squares below which a spread is none."""
