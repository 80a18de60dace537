"""Objectives: how each task is learnt. One table, ``OBJECTIVES``: the loss, and what a validation scores.

Adding one: a line there, beside those in `events.tasks` and `evaluation.criteria`.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional
from torchmetrics.classification import MulticlassF1Score

from poreconv.config import BOUNDARY, IGNORE, DecodeConfig
from poreconv.dataset.store import Store, subsample_reads
from poreconv.inference.decoding.boundaries import peaks
from poreconv.inference.decoding.dwell import LifeTable
from poreconv.inference.decoding.temperature import unweighting_bias
from poreconv.models.recipe import Recipe
from poreconv.runtime.registry import lookup
from poreconv.training.choose_decoding import Judged, best_boundary_decoding, calibrated, count_dwells
from poreconv.training.validation import PooledReads, ThresholdSweep, pool

# B batch, C classes, T samples


MOST_SAMPLES = 2**22
"""Limit of the samples that decide on an objective or a decoding; no more are needed."""


@dataclass(frozen=True)
class TrainingSplit:
    """What an objective may know of the training data."""

    recipe: Recipe
    """As far as it is known before training."""
    stores: Sequence[Store]

    def targets(self) -> Iterator[NDArray[Any]]:
        """Yield the targets of training reads, evenly taken."""
        for store, row in subsample_reads(self.stores, "train", MOST_SAMPLES):
            yield store.read_target(row)


class Objective(nn.Module, ABC):
    """The loss of a task, the score that its best checkpoint has most of, and its decoding.

    It is part of the Lightning module: its buffers are in the checkpoints, its metrics see all processes' tiles.
    """

    @classmethod
    @abstractmethod
    def of(cls, training: TrainingSplit, class_balance: float) -> Self:
        """Make the objective of a training run.

        Args:
            training: The training split.
            class_balance: Class weights in the loss: 0 none, 1 inverse to the class's frequency.
        """

    @abstractmethod
    def loss(self, logits_BCT: Tensor, y_BT: Tensor) -> Tensor:
        """Return the mean loss over what is known; 0 where nothing is.

        Args:
            logits_BCT: The network's outputs.
            y_BT: Targets.
        """

    @abstractmethod
    def weight(self, y_BT: Tensor) -> Tensor:
        """Return the total weight over which `loss` takes the mean.

        Args:
            y_BT: Targets.
        """

    @abstractmethod
    def taught_loss(self, logits_BCT: Tensor, taught_BCT: Tensor) -> Tensor:
        """Return the mean loss against a teacher's outputs, over all samples, labelled or not.

        Args:
            logits_BCT: The network's outputs.
            taught_BCT: The teacher's.
        """

    @abstractmethod
    def update(self, logits_BCT: Tensor, y_BT: Tensor, number_B: Tensor) -> None:
        """Count a batch of validation tiles.

        Args:
            logits_BCT: The network's outputs.
            y_BT: Targets.
            number_B: Number of the read that each tile is of.
        """

    @abstractmethod
    def score(self) -> float:
        """Return the validation's score, the higher the better, and start the next validation."""

    @property
    @abstractmethod
    def undecided(self) -> DecodeConfig:
        """How outputs are decoded before a decoding is chosen: outputs are what the loss makes them."""

    def preliminary(self) -> DecodeConfig:
        """Return a decoding that is there at once, before `decoding` chooses one."""
        return self.undecided

    @abstractmethod
    def decoding(self, judged: Judged, training: TrainingSplit) -> DecodeConfig:
        """Choose how outputs become events.

        Args:
            judged: Validation reads: outputs by `undecided`, and targets.
            training: The training split.
        """


class CrossEntropy(Objective):
    """Class-weighted cross-entropy over the known samples.

    Args:
        class_weights: Weight of each class, shape ``(C,)``.
    """

    class_weights: Tensor

    def __init__(self, class_weights: Tensor) -> None:
        super().__init__()
        self.register_buffer("class_weights", class_weights)

    @classmethod
    def of(cls, training: TrainingSplit, class_balance: float) -> Self:
        """Make the objective, with classes weighted by their frequency.

        Args:
            training: The training split.
            class_balance: See `balanced_weights`.
        """
        return cls(balanced_weights(training.recipe.class_counts, class_balance))

    def loss(self, logits_BCT: Tensor, y_BT: Tensor) -> Tensor:
        """Return the mean loss over the known samples; see `Objective.loss`.

        Args:
            logits_BCT: Logits.
            y_BT: Class of each sample.
        """
        total = functional.cross_entropy(
            logits_BCT.float(), y_BT, self.class_weights, ignore_index=IGNORE, reduction="sum"
        )
        return total / self.weight(y_BT).clamp(min=1e-9)

    def weight(self, y_BT: Tensor) -> Tensor:
        """Return the total weight of the known samples.

        Args:
            y_BT: Class of each sample.
        """
        return self.class_weights[y_BT[y_BT != IGNORE]].sum()

    def taught_loss(self, logits_BCT: Tensor, taught_BCT: Tensor) -> Tensor:
        """Return the cross-entropy against the teacher's probabilities.

        Args:
            logits_BCT: The network's logits.
            taught_BCT: The teacher's.

        Source:
            Hinton, Vinyals & Dean 2015, arXiv:1503.02531.
        """
        return functional.cross_entropy(logits_BCT.float(), taught_BCT.softmax(1))

    @property
    def undecided(self) -> DecodeConfig:
        """Probabilities without the effect of the class weights."""
        return DecodeConfig(bias=unweighting_bias(self.class_weights.tolist()))

    def decoding(self, judged: Judged, training: TrainingSplit) -> DecodeConfig:
        """Fit the temperature.

        Args:
            judged: Validation reads.
            training: The training split.
        """
        return calibrated(judged, self.undecided)


class SegmentObjective(CrossEntropy):
    """Scored by macro F1 over samples.

    Args:
        class_weights: Weight of each class, shape ``(C,)``.
    """

    def __init__(self, class_weights: Tensor) -> None:
        super().__init__(class_weights)
        self.macro_f1 = MulticlassF1Score(len(class_weights), average="macro", ignore_index=IGNORE)

    def update(self, logits_BCT: Tensor, y_BT: Tensor, number_B: Tensor) -> None:
        """Count a batch of validation tiles; see `Objective.update`.

        Args:
            logits_BCT: Logits.
            y_BT: Class of each sample.
            number_B: Not used.
        """
        self.macro_f1.update(logits_BCT, y_BT)

    def score(self) -> float:
        """Return macro F1."""
        score = float(self.macro_f1.compute())
        self.macro_f1.reset()
        return score


class BoundaryObjective(CrossEntropy):
    """Scored by F1 of boundaries within one sample, at the best threshold.

    Args:
        class_weights: Weight of each class, shape ``(2,)``.
    """

    threshold: Tensor
    """Threshold that was best at the last validation; it stands in the checkpoints."""

    def __init__(self, class_weights: Tensor) -> None:
        super().__init__(class_weights)
        self.register_buffer("threshold", torch.tensor(0.5))
        self.sweep = ThresholdSweep()

    def update(self, logits_BCT: Tensor, y_BT: Tensor, number_B: Tensor) -> None:
        """Count a batch of validation tiles; see `Objective.update`.

        Args:
            logits_BCT: Logits.
            y_BT: Targets.
            number_B: Not used.
        """
        probability_BT = logits_BCT.softmax(1)[:, BOUNDARY]
        for probability_T, y_T in zip(probability_BT.cpu().numpy(), y_BT.cpu().numpy(), strict=True):
            peak = peaks(probability_T)
            peak = peak[y_T[peak] != IGNORE]
            self.sweep.update(np.flatnonzero(y_T == BOUNDARY), peak, probability_T[peak])

    def score(self) -> float:
        """Return F1 at the best threshold, and keep the threshold."""
        score, threshold = self.sweep.compute()
        self.threshold.fill_(threshold)
        self.sweep.reset()
        return score

    def preliminary(self) -> DecodeConfig:
        """Return peaks over the threshold of the last validation."""
        return DecodeConfig(round(float(self.threshold), 4))

    def decoding(self, judged: Judged, training: TrainingSplit) -> DecodeConfig:
        """Fit the temperature, and choose the method and its threshold; see `best_boundary_decoding`.

        Args:
            judged: Validation reads.
            training: The training split; its dwells are counted.
        """
        table = LifeTable()
        for target in training.targets():
            count_dwells(table, target)
        return best_boundary_decoding(judged, self.undecided, table.hazards())


class ReadObjective(CrossEntropy):
    """Class of a whole read: the mean of its samples' logits. Scored by `PooledReads`.

    Args:
        class_weights: Weight of each class, shape ``(C,)``.
    """

    def __init__(self, class_weights: Tensor) -> None:
        super().__init__(class_weights)
        self.pooled = PooledReads()

    def loss(self, logits_BCT: Tensor, y_BT: Tensor) -> Tensor:
        """Return the mean loss over windows; see `Objective.loss`.

        Args:
            logits_BCT: Logits.
            y_BT: Class of each sample, one class in a window.
        """
        sum_BC, n_B, y_B = pool(logits_BCT, y_BT)
        return super().loss(sum_BC / n_B[:, None].clamp(min=1), y_B)

    def weight(self, y_BT: Tensor) -> Tensor:
        """Return the total weight of the windows of which a sample is known.

        Args:
            y_BT: Class of each sample; or of each window, shape ``(B,)``.
        """
        return super().weight(y_BT.amax(1) if y_BT.ndim > 1 else y_BT)

    def update(self, logits_BCT: Tensor, y_BT: Tensor, number_B: Tensor) -> None:
        """Count a batch of validation tiles; see `Objective.update`.

        Args:
            logits_BCT: Logits.
            y_BT: Class of each sample.
            number_B: Number of the read that each tile is of.
        """
        self.pooled.update(logits_BCT, y_BT, number_B)

    def score(self) -> float:
        """Return the mean probability of the true class over reads."""
        score = float(self.pooled.compute())
        self.pooled.reset()
        return score

    def decoding(self, judged: Judged, training: TrainingSplit) -> DecodeConfig:
        """Fit the temperature, with each read counted once: its samples are all alike.

        Args:
            judged: Validation reads.
            training: The training split.
        """
        return super().decoding([(p_CT[:, :1], target[:1]) for p_CT, target in judged], training)


OBJECTIVES = {
    "boundary": "poreconv.training.objectives:BoundaryObjective",
    "segment": "poreconv.training.objectives:SegmentObjective",
    "base": "poreconv.training.objectives:SegmentObjective",
    "read": "poreconv.training.objectives:ReadObjective",
    "value": "poreconv.training.regression:HuberObjective",
}
"""Task -> its objective, ``"module:attribute"``."""


def objective_of(training: TrainingSplit, class_balance: float) -> Objective:
    """Make the objective of a training run.

    Args:
        training: The training split, with the recipe.
        class_balance: Class weights in the loss: 0 none, 1 inverse to the class's frequency.

    Raises:
        ConfigError: The task has none.
    """
    kind: type[Objective] = lookup(OBJECTIVES, training.recipe.task, kind="objective of task")
    return kind.of(training, class_balance)


def balanced_weights(counts: Sequence[int], balance: float) -> Tensor:
    """Return weights of the classes in the loss.

    Args:
        counts: Samples of each class.
        balance: 0: all alike; 1: inverse to the frequency.

    Returns:
        Shape ``(C,)``, with mean 1 over the samples; a class without samples weighs 0.
    """
    count = torch.tensor(counts, dtype=torch.float32)
    weight = torch.where(count > 0, count.clamp(min=1) ** -balance, 0.0)
    return weight * count.sum() / (weight * count).sum()
