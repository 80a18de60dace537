"""The architecture of Campolina: five features of the signal, plain convolutions with wide kernels.

Source: Bakić et al. 2025, bioRxiv 2025.07.08.663658; doi:10.1186/s13059-026-03950-1; zenodo.org/records/15626806. From
there: the five features, the channels, the kernels, GELU, and a linear head on every sample. Code, weights and losses
are not theirs: training and normalisation are those of every other architecture here.

With one output, Campolina has 954,177 weights. That is the count of five convolutions (952,800), a bias (416) and a
batch norm's scale and shift (832) for each of their channels, and a head of 128 weights and one bias (129): from the
count it is inferred that every layer has its bias and its norm, and that there is nothing else. With two outputs it is
954,306. What the count does not show is chosen here: the norm comes between convolution and GELU, dropout after them,
and the windows of the features are settings, since the sources do not state their widths.
"""

from collections.abc import Sequence
from functools import cached_property
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional

from poreconv.models.architectures import Campolina
from poreconv.models.networks.frames import Frames
from poreconv.models.networks.network import Network

VARIANCE_FLOOR = 1e-3
"""Added to each window's variance, in squared SDs of the read: where the signal is constant, as in zero padding, the
t-statistic and the gradient of the square root would be infinite."""

FEATURES = 5
"""Number of features."""


class SignalFeatures(nn.Module):
    """Signal, its difference to the sample before, rolling mean and SD, and the t-statistic of a step at each sample.

    Each depends on the signal nearby only, not on where the chunk began.

    Args:
        window: Samples over which mean and SD roll, centred; odd.
        step_window: Samples on either side of the step; those on the right begin at the sample itself, as an event
            does.
    """

    def __init__(self, window: int, step_window: int) -> None:
        super().__init__()
        self._half, self._step = window // 2, step_window

    @property
    def reach(self) -> int:
        """Samples seen to the left; no more are seen to the right."""
        return max(1, self._half, self._step)

    def forward(self, x_B1T: Tensor) -> Tensor:
        """Return the features; beyond its ends the signal is 0.

        Args:
            x_B1T: Normalised signal.

        Returns:
            Shape ``(B, 5, T)``.
        """
        reach, n_samples = self.reach, x_B1T.shape[-1]
        padded = functional.pad(x_B1T, (reach, reach))

        def window(start: int, end: int) -> list[Tensor]:
            return [padded[..., reach + by : reach + by + n_samples] for by in range(start, end)]

        mean, variance = _moments(window(-self._half, self._half + 1))
        left, left_variance = _moments(window(-self._step, 0))
        right, right_variance = _moments(window(0, self._step))
        t = (right - left) * ((left_variance + right_variance) / self._step).rsqrt()
        [before] = window(-1, 0)
        return torch.cat([x_B1T, x_B1T - before, mean, variance.sqrt(), t], 1)


def _moments(samples: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
    """Return mean and floored variance over some samples at each place, both of the shape of one of the samples."""
    stacked = torch.stack(tuple(samples))
    mean = stacked.mean(0)
    return mean, (stacked - mean).square().mean(0) + VARIANCE_FLOOR


class CampolinaNetwork(Network):
    """Features, convolutions each with batch norm, GELU and dropout, a head; every layer at full resolution."""

    def __init__(self, config: Campolina, n_classes: int) -> None:
        super().__init__(config, n_classes)
        self.features = SignalFeatures(config.window, config.step_window)
        kernels = [config.stem_kernel, *[config.kernel] * (len(config.channels) - 1)]
        layers: list[nn.Module] = []
        for (before, after), kernel in zip(pairwise([FEATURES, *config.channels]), kernels, strict=True):
            conv = nn.Conv1d(before, after, kernel, padding=kernel // 2)
            layers += [conv, nn.BatchNorm1d(after), nn.GELU(), nn.Dropout(config.dropout)]
        self.layers = nn.Sequential(*layers)
        self.head = nn.Conv1d(config.channels[-1], n_classes, 1)

    @cached_property
    def frames(self) -> Frames:
        """What features and convolutions see; the additions of the features are not counted as costs."""
        return Frames(left=self.features.reach, right=self.features.reach).after(self)

    def frame_logits(self, x_B1T: Tensor) -> Tensor:
        """Return the logits of each frame.

        Args:
            x_B1T: Signal of whole frames.

        Returns:
            Shape ``(B, C, T)``: a frame is a sample.
        """
        logits_BCT: Tensor = self.head(self.layers(self.features(x_B1T)))
        return logits_BCT
