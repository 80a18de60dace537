"""Choosing the least probability of a boundary."""

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torchmetrics import Metric

from poreconv.matching import match_count

THRESHOLDS = np.round(np.arange(0.02, 0.99, 0.02), 2)
"""Probabilities among which the threshold is chosen."""

CHOICE_TOLERANCE = 1
"""Samples; F1 at this tolerance is what training maximises."""


class ThresholdSweep(Metric):
    """F1 of boundaries within one sample at every threshold, pooled over what was seen."""

    is_differentiable = False
    higher_is_better = True
    full_state_update = False

    pairs: Tensor
    n_pred: Tensor
    n_true: Tensor

    def __init__(self, **kwargs: Any) -> None:
        """Start with nothing counted; keyword arguments are those of `torchmetrics.Metric`."""
        super().__init__(**kwargs)
        for name in ("pairs", "n_pred"):
            self.add_state(name, default=torch.zeros(len(THRESHOLDS), dtype=torch.int64), dist_reduce_fx="sum")
        self.add_state("n_true", default=torch.zeros((), dtype=torch.int64), dist_reduce_fx="sum")

    def update(self, true: NDArray[np.int64], peak: NDArray[np.int64], probability: NDArray[np.float32]) -> None:
        """Count one read or tile.

        Args:
            true: True boundaries, samples, ascending.
            peak: Peaks of the probability inside the same coverage, samples, ascending, shape ``(n_peaks,)``.
            probability: At the peaks, shape ``(n_peaks,)``.
        """
        chosen = [peak[probability >= threshold] for threshold in THRESHOLDS]
        pairs = [match_count(true, pred, CHOICE_TOLERANCE) for pred in chosen]
        self.pairs += torch.tensor(pairs, device=self.device)
        self.n_pred += torch.tensor([len(pred) for pred in chosen], device=self.device)
        self.n_true += len(true)

    def compute(self) -> tuple[float, float]:
        """Best F1 and its threshold; of equals the middle one."""
        f1 = 2 * self.pairs / (self.n_pred + self.n_true).clamp(min=1)
        best = torch.nonzero(f1 == f1.max()).flatten()
        chosen = int(best[len(best) // 2])
        return float(f1[chosen]), float(THRESHOLDS[chosen])
