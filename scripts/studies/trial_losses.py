"""Other ways to train that `try_training` tries: losses, and averaged weights."""

import lightning as L
from lightning.pytorch.callbacks import EMAWeightAveraging
from torch import Tensor
from torch.nn import functional

from poreconv.config import BOUNDARY, IGNORE
from poreconv.runtime.progress import Progress
from poreconv.training.objectives import BoundaryObjective
from poreconv.training.run import TrainingRun

# B batch, C classes, T samples


class Focal(BoundaryObjective):
    """Focal loss, gamma 2 (Lin et al. 2017, arXiv:1708.02002)."""

    def loss(self, logits_BCT: Tensor, y_BT: Tensor) -> Tensor:
        """Cross-entropy times the squared probability that is missing."""
        each_BT = functional.cross_entropy(
            logits_BCT.float(), y_BT, self.class_weights, ignore_index=IGNORE, reduction="none"
        )
        p_BT = logits_BCT.float().softmax(1).gather(1, y_BT.clamp(min=0)[:, None])[:, 0]
        weight = self.class_weights[y_BT.clamp(min=0)] * (y_BT != IGNORE)
        return (each_BT * (1 - p_BT) ** 2).sum() / weight.sum().clamp(min=1e-9)


class Soft(BoundaryObjective):
    """A boundary is a tenth at each of its neighbours too."""

    def loss(self, logits_BCT: Tensor, y_BT: Tensor) -> Tensor:
        """Cross-entropy against blurred boundaries."""
        at_BT = (y_BT == BOUNDARY).float()
        near_BT = functional.conv1d(at_BT[:, None], at_BT.new_tensor([[[0.1, 0.8, 0.1]]]), padding=1)[:, 0]
        log_p_BCT = logits_BCT.float().log_softmax(1)
        weights = self.class_weights
        each_BT = -(weights[BOUNDARY] * near_BT * log_p_BCT[:, BOUNDARY] + weights[0] * (1 - near_BT) * log_p_BCT[:, 0])
        known_BT = y_BT != IGNORE
        return (each_BT * known_BT).sum() / weights[y_BT[known_BT]].sum().clamp(min=1e-9)


class Counting(BoundaryObjective):
    """The number of boundaries in every 64 samples is asked for too: a term of counts and durations."""

    def loss(self, logits_BCT: Tensor, y_BT: Tensor) -> Tensor:
        """Cross-entropy, and a hundredth of the squared error of the expected counts.

        Class weights raise the boundary's probability; the counts are taken with that raised back.
        """
        offset = (self.class_weights[BOUNDARY] / self.class_weights[0]).log()
        known_BT = y_BT != IGNORE
        p_BT = (logits_BCT[:, BOUNDARY] - logits_BCT[:, 0]).float().sub(offset).sigmoid() * known_BT
        missing_BT = (p_BT - (y_BT == BOUNDARY).float())[:, None]
        error = functional.avg_pool1d(missing_BT, 64, 32) * 64
        return super().loss(logits_BCT, y_BT) + 0.01 * error.square().mean()


class Averaged(TrainingRun):
    """The weights' exponential moving average is judged and kept; it remembers some 200 steps."""

    def trainer(self, progress: Progress) -> L.Trainer:
        """Lightning's trainer, with the average as its first callback."""
        trainer = super().trainer(progress)
        trainer.callbacks.insert(0, EMAWeightAveraging(decay=0.995))  # type: ignore[attr-defined]  # a connector sets it
        return trainer
