"""Whether probabilities are shares: of the samples that get 0.8, are 80 % what is claimed?"""

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torchmetrics import Metric

from poreconv.config import BOUNDARY, IGNORE, Task

BINS = 15
"""Bins of equal width, from probability 0 to 1."""


class ReliabilityMetric(Metric):
    """Expected calibration error and the reliability table, pooled over the samples inside the coverage.

    Task `boundary`: how probable a boundary is at each sample, against whether there is one exactly there. Other tasks:
    how probable the likeliest class is, against whether it is the true one; of task `read` each read counts once, by
    its first sample, as all say the same. The memory does not grow with the reads.

    Source:
        Naeini et al. 2015, doi:10.1609/aaai.v29i1.9602; 15 bins of equal width as in Guo et al. 2017, arXiv:1706.04599.
    """

    is_differentiable = False
    higher_is_better = False
    full_state_update = False

    totals: Tensor
    """Samples, sum of their probabilities, and how many were right; by bin, shape ``(3, BINS)``."""

    def __init__(self, task: Task, **kwargs: Any) -> None:
        """Start with nothing counted.

        Args:
            task: What was asked of each sample.
            **kwargs: Of `torchmetrics.Metric`.
        """
        super().__init__(**kwargs)
        self._task = task
        self.add_state("totals", default=torch.zeros(3, BINS, dtype=torch.float64), dist_reduce_fx="sum")

    def update(self, target: NDArray[np.int8], probabilities_CT: NDArray[np.float32]) -> None:
        """Count one read: the true class of each sample, shape ``(T,)``, and the probability of each class."""
        if self._task == "read":
            target, probabilities_CT = target[:1], probabilities_CT[:, :1]
        known = target != IGNORE
        if self._task == "boundary":
            claimed, right = probabilities_CT[BOUNDARY, known], target[known] == BOUNDARY
        else:
            claimed, right = probabilities_CT.max(0)[known], (probabilities_CT.argmax(0) == target)[known]
        place = np.minimum((claimed * BINS).astype(np.int64), BINS - 1)
        sums = [np.bincount(place, weights, BINS) for weights in (None, claimed, right)]
        self.totals += torch.from_numpy(np.stack(sums).astype(np.float64)).to(self.device)

    def compute(self) -> float:
        """Mean distance of a bin's probability from its share of right ones, weighted by samples; NaN without any."""
        n, claimed, right = self.totals.cpu().numpy()
        return float(np.abs(claimed - right).sum() / n.sum()) if n.sum() else float("nan")

    def table(self) -> list[dict[str, float]]:
        """The bins that have samples.

        ``low`` and ``high`` probability, ``mean_predicted``, ``observed`` share, ``n_samples``.
        """
        edges = np.linspace(0, 1, BINS + 1)
        rows = zip(edges[:-1], edges[1:], *self.totals.cpu().numpy(), strict=True)
        return [
            {"low": low, "high": high, "mean_predicted": claimed / n, "observed": right / n, "n_samples": n}
            for low, high, n, claimed, right in (map(float, row) for row in rows)
            if n
        ]
