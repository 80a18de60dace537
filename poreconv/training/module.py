"""The LightningModule that trains a network: loss, metrics, optimiser, schedule."""

import math
from collections.abc import Callable
from typing import Any

import lightning as L
import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional
from torchmetrics import MeanMetric
from torchmetrics.classification import MulticlassF1Score

from poreconv.config import BOUNDARY, IGNORE, Task, TrainConfig
from poreconv.inference.decoding.decode import peaks
from poreconv.models.networks.network import Network
from poreconv.training.distributed import mean_over_processes
from poreconv.training.validation import PooledReads, ThresholdSweep, pool

# B batch, C classes, T samples

Batch = tuple[Tensor, Tensor]
"""Signal ``(B, 1, T)``, targets ``(B, T)``."""

TileBatch = tuple[Tensor, Tensor, Tensor]
"""A `Batch`, and the number of each tile's read, ``(B,)``."""

SCORE = "validation_score"
"""Logged name of the score that the best checkpoint is chosen by: F1 within 1 sample (boundary), macro F1 over samples
(segment, base), or mean probability of the true class over reads (read; see `PooledReads`)."""


class SampleModule(L.LightningModule):
    """Trains a network to label every sample, or, by the mean of its samples' logits, a whole read.

    Args:
        network: ``(B,1,T) -> (B,C,T)``.
        task: What the targets mean.
        class_weights: Weight of each class in the loss, shape ``(C,)``.
        config: Optimiser and schedule.
        teacher: Network whose probabilities are learnt besides the targets, ``(B,1,T) -> (B,C,T)``; default: none.
    """

    class_weights: Tensor
    threshold: Tensor
    """Best threshold of the last validation; saved in the checkpoints."""
    spent: float
    """Share of the time limit that is spent, set by `callbacks.Clock`; 0 without a limit."""

    def __init__(
        self,
        network: Network,
        task: Task,
        class_weights: Tensor,
        config: TrainConfig,
        teacher: nn.Module | None = None,
    ) -> None:
        super().__init__()
        self._teacher = None if teacher is None else [teacher]  # in a list, so that it is not trained or saved
        self.network, self._task, self._config = network, task, config
        if config.compile:
            network.compile()  # in place, which keeps the names of the weights
        self.register_buffer("class_weights", class_weights)
        self.register_buffer("threshold", torch.tensor(0.5))
        self.spent = 0.0
        self.validation_loss = MeanMetric()
        self.sweep = ThresholdSweep()
        self.pooled = PooledReads()
        self.macro_f1 = MulticlassF1Score(len(class_weights), average="macro", ignore_index=IGNORE)

    def forward(self, x_B1T: Tensor) -> Tensor:
        """Return logits, shape ``(B, C, T)``.

        Args:
            x_B1T: Normalised signal.
        """
        logits_BCT: Tensor = self.network(x_B1T)
        return logits_BCT

    def loss(self, logits_BCT: Tensor, y_BT: Tensor) -> Tensor:
        """Compute the class-weighted cross-entropy over the known samples, or over windows (task `read`).

        Args:
            logits_BCT: Output of the network.
            y_BT: Targets; ``IGNORE`` where they are not known.

        Returns:
            A scalar; 0 if nothing is known.
        """
        logits, y = logits_BCT.float(), y_BT
        if self._task == "read":
            sum_BC, n_B, y = pool(logits_BCT, y_BT)
            logits = sum_BC / n_B[:, None].clamp(min=1)
        total = functional.cross_entropy(logits, y, self.class_weights, ignore_index=IGNORE, reduction="sum")
        return total / self.weight(y_BT).clamp(min=1e-9)

    def weight(self, y_BT: Tensor) -> Tensor:
        """Return the sum of the class weights by which `loss` divides: of the known samples, or windows (task `read`).

        Args:
            y_BT: Targets; ``IGNORE`` where they are not known.
        """
        class_N = y_BT.amax(1) if self._task == "read" else y_BT
        return self.class_weights[class_N[class_N != IGNORE]].sum()

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
            weight = self.weight(y_BT)
            loss = loss * weight / mean_over_processes(weight).clamp(min=1e-9)
        if self._teacher is not None:
            share = self._config.teacher_share
            loss = (1 - share) * loss + share * self.teacher_loss(logits_BCT, x_B1T)
        self.log("train_loss", loss, prog_bar=True, sync_dist=True)
        return loss

    def teacher_loss(self, logits_BCT: Tensor, x_B1T: Tensor) -> Tensor:
        """Compute the cross-entropy with the teacher's probabilities over all samples, labelled or not.

        Args:
            logits_BCT: Output of the network.
            x_B1T: Its input.

        Source:
            Hinton, Vinyals & Dean 2015, arXiv:1503.02531.
        """
        [teacher] = self._teacher or []
        with torch.no_grad(), torch.autocast(x_B1T.device.type, enabled=False):
            p_BCT = teacher.to(x_B1T.device)(x_B1T).softmax(1)
        windows = logits_BCT.new_tensor(len(p_BCT), dtype=torch.float32)  # processes may have one more or less
        return functional.cross_entropy(logits_BCT.float(), p_BCT) * windows / mean_over_processes(windows)

    def validation_step(self, batch: TileBatch, batch_idx: int) -> None:
        """Update the loss and the metric with one batch of tiles.

        Args:
            batch: Signal, targets and numbers of reads.
            batch_idx: Unused.
        """
        x_B1T, y_BT, number_B = batch
        logits_BCT = self.network.forward(
            x_B1T
        ).float()  # `forward` is not compiled: it would be again for each batch size
        self.validation_loss.update(self.loss(logits_BCT, y_BT), self.weight(y_BT))
        self.log("validation_loss", self.validation_loss)
        if self._task == "boundary":
            self._sweep_tiles(logits_BCT.softmax(1)[:, BOUNDARY], y_BT)
        elif self._task == "read":
            self.pooled.update(logits_BCT, y_BT, number_B)
        else:
            self.macro_f1.update(logits_BCT, y_BT)

    def _sweep_tiles(self, probability_BT: Tensor, y_BT: Tensor) -> None:
        for probability_T, y_T in zip(probability_BT.cpu().numpy(), y_BT.cpu().numpy(), strict=True):
            peak = peaks(probability_T)
            peak = peak[y_T[peak] != IGNORE]
            self.sweep.update(np.flatnonzero(y_T == BOUNDARY), peak, probability_T[peak])

    def on_validation_epoch_end(self) -> None:
        """Log the score, and keep the threshold of the best F1."""
        if self._task == "boundary":
            score, threshold = self.sweep.compute()
            self.threshold.fill_(threshold)
            self.sweep.reset()
        elif self._task == "read":
            score = float(self.pooled.compute())
            self.pooled.reset()
        else:
            score = float(self.macro_f1.compute())
            self.macro_f1.reset()
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


def balanced_weights(counts: tuple[int, ...], balance: float) -> Tensor:
    """Compute the weights of the classes in the loss.

    Args:
        counts: Number of samples of each class.
        balance: 0: equal weights; 1: inverse to the frequency of the class.

    Returns:
        Shape ``(C,)``, with mean 1 over the samples; 0 for a class without samples.
    """
    count = torch.tensor(counts, dtype=torch.float32)
    weight = torch.where(count > 0, count.clamp(min=1) ** -balance, 0.0)
    return weight * count.sum() / (weight * count).sum()
