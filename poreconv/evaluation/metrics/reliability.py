"""Reliability of probabilities: are 80 % of the samples right whose class has probability 0.8?"""

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torchmetrics import Metric

BINS = 15
"""Bins of equal width, from probability 0 to 1."""


class ReliabilityMetric(Metric):
    """Expected calibration error and the reliability table, pooled over the samples inside the coverage.

    A statement is what `Criterion.certainty` makes of a task's probabilities. Memory does not grow with the number of
    reads.

    Source:
        Naeini et al. 2015, doi:10.1609/aaai.v29i1.9602; 15 bins of equal width as in Guo et al. 2017, arXiv:1706.04599.
    """

    is_differentiable = False
    higher_is_better = False
    full_state_update = False

    totals: Tensor
    """Number of samples, sum of their probabilities, and number that were right; by bin, shape ``(3, BINS)``."""

    def __init__(self, **kwargs: Any) -> None:
        """Create a metric with nothing counted.

        Args:
            **kwargs: Passed to `torchmetrics.Metric`.
        """
        super().__init__(**kwargs)
        self.add_state("totals", default=torch.zeros(3, BINS, dtype=torch.float64), dist_reduce_fx="sum")

    def update(self, predicted: NDArray[np.float32], right: NDArray[np.bool_]) -> None:
        """Count statements of one read.

        Args:
            predicted: Probability of each statement, shape ``(n,)``; see `Criterion.certainty`.
            right: Whether it is right, same shape.
        """
        place = np.minimum((predicted * BINS).astype(np.int64), BINS - 1)
        sums = [np.bincount(place, weights, BINS) for weights in (None, predicted, right)]
        self.totals += torch.from_numpy(np.stack(sums).astype(np.float64)).to(self.device)

    def compute(self) -> float:
        """Return the expected calibration error; NaN without samples.

        It is the absolute difference between a bin's mean probability and the share that was right, averaged over the
        bins with their numbers of samples as weights.
        """
        n, predicted, right = self.totals.cpu().numpy()
        return float(np.abs(predicted - right).sum() / n.sum()) if n.sum() else float("nan")

    def table(self) -> list[dict[str, float]]:
        """List the bins that have samples.

        Returns:
            For each bin its limits ``low`` and ``high``, the mean probability ``mean_predicted``, the share that was
            right ``observed``, and ``n_samples``.
        """
        edges = np.linspace(0, 1, BINS + 1)
        rows = zip(edges[:-1], edges[1:], *self.totals.cpu().numpy(), strict=True)
        return [
            {"low": low, "high": high, "mean_predicted": predicted / n, "observed": right / n, "n_samples": n}
            for low, high, n, predicted, right in (map(float, row) for row in rows)
            if n
        ]
