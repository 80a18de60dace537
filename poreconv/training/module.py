"""The LightningModule that trains a network: loss, metrics, optimiser, schedule."""

import math
from collections.abc import Callable
from typing import Any

import lightning as L
import torch
from torch import Tensor, nn
from torchmetrics import MeanMetric

from poreconv.config import TrainConfig
from poreconv.models.networks.network import Network
from poreconv.training.distributed import mean_over_processes
from poreconv.training.objectives import Objective

# B batch, C classes, T samples

Batch = tuple[Tensor, Tensor]
"""Signal ``(B, 1, T)``, targets ``(B, T)``."""

TileBatch = tuple[Tensor, Tensor, Tensor]
"""A `Batch`, and the number of each tile's read, ``(B,)``."""

SCORE = "validation_score"
"""What the best checkpoint has most of; see the task's `Objective`."""


class SampleModule(L.LightningModule):
    """Trains a network by the objective of a task.

    Args:
        network: ``(B,1,T) -> (B,C,T)``.
        objective: Loss and validation score of the task.
        config: Optimiser and schedule.
        teacher: Network whose probabilities are learnt besides the targets, ``(B,1,T) -> (B,C,T)``; default: none.
        loss: In place of the objective's, see `OwnLoss`; default: that one.
    """

    spent: float
    """Share of the time limit that is spent, set by `callbacks.Clock`; 0 without a limit."""

    def __init__(
        self,
        network: Network,
        objective: Objective,
        config: TrainConfig,
        teacher: nn.Module | None = None,
        loss: nn.Module | None = None,
    ) -> None:
        super().__init__()
        self._teacher = None if teacher is None else [teacher]  # in a list, so that it is not trained or saved
        self.network, self.objective, self._config = network, objective, config
        self.own_loss = loss
        if config.compile:
            network.compile()  # in place, which keeps the names of the weights
        self.spent = 0.0
        self.validation_loss = MeanMetric()

    def forward(self, x_B1T: Tensor) -> Tensor:
        """Return logits, shape ``(B, C, T)``.

        Args:
            x_B1T: Normalised signal.
        """
        logits_BCT: Tensor = self.network(x_B1T)
        return logits_BCT

    def on_train_batch_start(self, batch: Batch, batch_idx: int) -> None:
        """Make dropout, like the windows, a function of (seed, step), so that a resumed training repeats it.

        Args:
            batch: Unused.
            batch_idx: Unused.
        """
        torch.manual_seed((hash((self._config.seed, self.global_step)) + self.global_rank) % 2**63)

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:
        """Compute the loss of one batch; of several processes, so that the mean over them is the batch's loss.

        Args:
            batch: This process's share of the batch.
            batch_idx: Unused.
        """
        x_B1T, y_BT = batch
        logits_BCT = self(x_B1T)
        loss = self.loss(logits_BCT, y_BT)
        if self.trainer.world_size > 1:
            weight = self.objective.weight(y_BT)
            loss = loss * weight / mean_over_processes(weight).clamp(min=1e-9)
        if self._teacher is not None:
            share = self._config.teacher_share
            loss = (1 - share) * loss + share * self.teacher_loss(logits_BCT, x_B1T)
        self.log("train_loss", loss, prog_bar=True, sync_dist=True)
        return loss

    def loss(self, logits_BCT: Tensor, y_BT: Tensor) -> Tensor:
        """Return the mean loss: the user's own, or the task's.

        Args:
            logits_BCT: Output of the network.
            y_BT: Targets.
        """
        loss: Tensor = (self.own_loss or self.objective.loss)(logits_BCT, y_BT)
        return loss

    def teacher_loss(self, logits_BCT: Tensor, x_B1T: Tensor) -> Tensor:
        """Compute the loss against the teacher's outputs over all samples, labelled or not.

        Args:
            logits_BCT: Output of the network.
            x_B1T: Its input.
        """
        [teacher] = self._teacher or []
        with torch.no_grad(), torch.autocast(x_B1T.device.type, enabled=False):
            taught_BCT = teacher.to(x_B1T.device)(x_B1T)
        windows = logits_BCT.new_tensor(len(taught_BCT), dtype=torch.float32)  # processes may have one more or less
        return self.objective.taught_loss(logits_BCT, taught_BCT) * windows / mean_over_processes(windows)

    def validation_step(self, batch: TileBatch, batch_idx: int) -> None:
        """Update the loss and the metric with one batch of tiles.

        Args:
            batch: Signal, targets and numbers of reads.
            batch_idx: Unused.
        """
        x_B1T, y_BT, number_B = batch
        logits_BCT = self.network.forward(x_B1T).float()  # not compiled: it would be again for each batch size
        self.validation_loss.update(self.loss(logits_BCT, y_BT), self.objective.weight(y_BT))
        self.log("validation_loss", self.validation_loss)
        self.objective.update(logits_BCT, y_BT, number_B)

    def on_validation_epoch_end(self) -> None:
        """Log the score."""
        score = self.objective.score()
        self.log(SCORE, score, prog_bar=True, sync_dist=True)  # the metrics have seen all processes' tiles already

    def configure_optimizers(self) -> Any:
        """Return AdamW with a one-cycle schedule over `progress`."""
        config = self._config
        optimiser = torch.optim.AdamW(self.parameters(), lr=config.learning_rate, weight_decay=config.weight_decay)
        factor: Callable[[int], float] = lambda step: one_cycle(self.progress(step), config.warmup)  # noqa: E731 - typed
        schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, factor)
        return {"optimizer": optimiser, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}

    def progress(self, step: int) -> float:
        """Return the share of the training that is done, by steps or by time, whichever is larger.

        Args:
            step: Steps done.
        """
        return min(1.0, max(step / self._config.max_steps, self.spent))


def one_cycle(progress: float, warmup: float) -> float:
    """Return the learning rate as a share of its peak: it rises in the warm-up, then falls, both along a cosine.

    Args:
        progress: Share of the training that is done, 0 to 1.
        warmup: Share of the training in which the rate rises, from 1/25; then it falls to 1/1000.

    Source:
        Smith & Topin 2018, arXiv:1708.07120.
    """
    low, end = 1 / 25, 1e-3
    if progress < warmup:
        return low + (1 - low) * _rise(progress / warmup)
    return end + (1 - end) * (1 - _rise((progress - warmup) / (1 - warmup)))


def _rise(share: float) -> float:
    return (1 - math.cos(math.pi * share)) / 2
