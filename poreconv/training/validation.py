"""Validation scores: F1 of boundaries at each threshold, and probabilities of reads' classes."""

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torchmetrics import Metric
from torchmetrics.utilities import dim_zero_cat

from poreconv.config import IGNORE
from poreconv.events.matching import match_count

THRESHOLDS = np.round(np.arange(0.02, 0.99, 0.02), 2)
"""Thresholds to choose from."""

CHOICE_TOLERANCE = 1
"""Samples; checkpoint, threshold and decoding are chosen by F1 at this tolerance."""


class ThresholdSweep(Metric):
    """F1 of boundaries within one sample at every threshold, pooled over all reads or tiles."""

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
        """Return the best F1 and its threshold; of equally good thresholds the middle one."""
        f1 = 2 * self.pairs / (self.n_pred + self.n_true).clamp(min=1)
        best = torch.nonzero(f1 == f1.max()).flatten()
        chosen = int(best[len(best) // 2])
        return float(f1[chosen]), float(THRESHOLDS[chosen])


def pool(logits_BCT: Tensor, y_BT: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Sum the logits over the known samples of each window; each window lies in one read.

    Args:
        logits_BCT: Shape ``(B, C, T)``.
        y_BT: Class of each sample: one class per window, and ``IGNORE`` beyond the read's ends.

    Returns:
        Sums ``(B, C)``, numbers of known samples ``(B,)``, and classes ``(B,)``, ``IGNORE`` where none is known.
    """
    known_BT = y_BT != IGNORE
    sum_BC = (logits_BCT.float() * known_BT[:, None]).sum(2)
    return sum_BC, known_BT.sum(1), y_BT.amax(1)


class PooledReads(Metric):
    """Probability of the true class of each read, from the pooled logits of its tiles.

    `compute` returns the mean over reads, with equal weight for each class. Unlike accuracy it is continuous, so that
    checkpoints do not tie on a few reads.
    """

    is_differentiable = False
    higher_is_better = True
    full_state_update = False

    rows: list[Tensor]
    """For each tile: number of its read, true class, known samples, and the sums of the logits; ``(B, 3 + C)``. Every
    read has a tile, and every tile a known sample."""

    def __init__(self, **kwargs: Any) -> None:
        """Start with nothing counted; keyword arguments are those of `torchmetrics.Metric`."""
        super().__init__(**kwargs)
        self.add_state("rows", default=[], dist_reduce_fx="cat")

    def update(self, logits_BCT: Tensor, y_BT: Tensor, number_B: Tensor) -> None:
        """Count tiles.

        Args:
            logits_BCT: Shape ``(B, C, T)``.
            y_BT: Class of each sample: one class per tile, and ``IGNORE`` beyond the read's ends.
            number_B: Number of each tile's read.
        """
        sum_BC, n_B, class_B = pool(logits_BCT, y_BT)
        self.rows.append(torch.cat([torch.stack([number_B, class_B, n_B], 1), sum_BC], 1))

    def compute(self) -> float:
        """Return the score, 0 to 1."""
        rows = dim_zero_cat(self.rows)
        number = rows[:, 0].long()
        n_reads = int(number.max()) + 1
        sums = rows.new_zeros(n_reads, rows.shape[1] - 2).index_add(0, number, rows[:, 2:])
        true = rows.new_zeros(n_reads).index_copy(0, number, rows[:, 1]).long()
        p_N = (sums[:, 1:] / sums[:, :1]).softmax(1).gather(1, true[:, None])[:, 0]
        per_class = [p_N[true == c].mean() for c in range(sums.shape[1] - 1) if (true == c).any()]
        return float(torch.stack(per_class).mean())
