"""How numbers are learnt: by regression."""

from typing import Self

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional
from torchmetrics.regression import R2Score

from poreconv.config import DecodeConfig
from poreconv.errors import ConfigError
from poreconv.training.choose_decoding import Judged
from poreconv.training.objectives import Objective, TrainingSplit

DELTA = 1.0
"""Error, in SDs of the training values, from which the loss grows linearly."""


class HuberObjective(Objective):
    """Huber loss over the known samples, of values in SDs from the mean of training. Scored by R².

    Args:
        mean: Mean of the training values.
        sd: Their SD, above 0.

    Source:
        Huber 1964, doi:10.1214/aoms/1177703732.
    """

    mean: Tensor
    sd: Tensor

    def __init__(self, mean: float, sd: float) -> None:
        super().__init__()
        self.register_buffer("mean", torch.tensor(mean))
        self.register_buffer("sd", torch.tensor(sd))
        self.r2 = R2Score()

    @classmethod
    def of(cls, training: TrainingSplit, class_balance: float) -> Self:
        """Make the objective, with the mean and the SD of training values.

        Args:
            training: The training split.
            class_balance: Not used: there are no classes.

        Raises:
            ConfigError: All values are alike.
        """
        parts = [target[np.isfinite(target)].astype(np.float64) for target in training.targets()]
        values = np.concatenate(parts)
        sd = float(values.std())
        if not sd > 0:
            raise ConfigError("task value: all training values are alike; label more, or other, samples")
        return cls(float(values.mean()), sd)

    def loss(self, logits_BCT: Tensor, y_BT: Tensor) -> Tensor:
        """Return the mean loss over the known samples; see `Objective.loss`.

        Args:
            logits_BCT: The network's outputs, ``C`` is 1.
            y_BT: Values, NaN where they are not known.
        """
        known_BT = torch.isfinite(y_BT)
        aim = (y_BT[known_BT] - self.mean) / self.sd
        total = functional.huber_loss(logits_BCT[:, 0].float()[known_BT], aim, reduction="sum", delta=DELTA)
        return total / self.weight(y_BT).clamp(min=1)

    def weight(self, y_BT: Tensor) -> Tensor:
        """Return the number of known samples.

        Args:
            y_BT: Values.
        """
        return torch.isfinite(y_BT).sum().float()

    def taught_loss(self, logits_BCT: Tensor, taught_BCT: Tensor) -> Tensor:
        """Refuse: another model's outputs count in another mean and SD.

        Args:
            logits_BCT: The network's outputs.
            taught_BCT: The teacher's.

        Raises:
            ConfigError: Always.
        """
        raise ConfigError(
            "teacher: a model of values has none; label reads with it, and give them as --labels values to prepare"
        )

    def update(self, logits_BCT: Tensor, y_BT: Tensor, number_B: Tensor) -> None:
        """Count a batch of validation tiles; see `Objective.update`.

        Args:
            logits_BCT: The network's outputs.
            y_BT: Values.
            number_B: Not used.
        """
        known_BT = torch.isfinite(y_BT)
        self.r2.update(logits_BCT[:, 0][known_BT], (y_BT[known_BT] - self.mean) / self.sd)

    def score(self) -> float:
        """Return R²: the share of the values' variance that the outputs explain."""
        score = float(self.r2.compute())
        self.r2.reset()
        return score

    @property
    def undecided(self) -> DecodeConfig:
        """Outputs in the unit of the labels."""
        mean, sd = float(self.mean), float(self.sd)
        return DecodeConfig(bias=(float(f"{mean / sd:.7g}"),), temperature=float(f"{1 / sd:.7g}"))

    def decoding(self, judged: Judged, training: TrainingSplit) -> DecodeConfig:
        """Return `undecided`: there is nothing to choose.

        Args:
            judged: Not used.
            training: Not used.
        """
        return self.undecided
