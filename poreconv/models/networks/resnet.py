"""Residual blocks: each adds its output to its input, so that gradients reach the first layer of a deep network.

Source: He et al. 2015, arXiv:1512.03385 (the blocks, and shortcuts without weights where the width changes); He et al.
2016, arXiv:1603.05027 (normalisation and ReLU before the convolutions, so that the shortcut is an identity).
"""

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional

from poreconv.models.architectures import Resnet
from poreconv.models.networks.layers import norm, slide
from poreconv.models.networks.network import Network


class ResidualBlock(nn.Module):
    """Norm, ReLU and convolution, twice; ``stride`` input frames become one, ``before`` channels become ``after``."""

    def __init__(self, before: int, after: int, stride: int, config: Resnet) -> None:
        super().__init__()
        self._residual, self._stride, self._before = config.residual, stride, before
        self.layers = nn.Sequential(
            norm(before, config.batch_norm),
            nn.ReLU(),
            slide(before, after, config.kernel, stride),
            norm(after, config.batch_norm),
            nn.ReLU(),
            nn.Dropout(config.dropout),
            slide(after, after, config.kernel),
        )

    def forward(self, x_BHF: Tensor) -> Tensor:
        """Return the output of the layers, to which the input's channels are added at every ``stride``-th frame.

        Args:
            x_BHF: ``before`` channels; F is a multiple of the stride.

        Returns:
            Shape ``(B, after, F / stride)``.
        """
        residual: Tensor = self.layers(x_BHF)
        if not self._residual:
            return residual
        old, new = residual[:, : self._before], residual[:, self._before :]
        return torch.cat([old + x_BHF[..., :: self._stride], new], 1)


class ResnetNetwork(Network):
    """A strided stem, stages of residual blocks, each with half the frames of the one before, and a head."""

    def __init__(self, config: Resnet, n_classes: int) -> None:
        super().__init__(config, n_classes)
        first, last = config.channels[0], config.channels[-1]
        self.stem = slide(1, first, config.stem_kernel, config.stem_stride)
        blocks: list[nn.Module] = []
        for stage, (before, after) in enumerate(pairwise([first, *config.channels])):
            blocks.append(ResidualBlock(before, after, 2 if stage else 1, config))
            blocks += [ResidualBlock(after, after, 1, config) for _ in range(config.blocks - 1)]
        self.blocks = nn.Sequential(*blocks)
        self.norm = norm(last, config.batch_norm)
        stride = config.stem_stride * 2 ** (len(config.channels) - 1)
        self.head = nn.Conv1d(last, n_classes * stride, 1)

    def frame_logits(self, x_B1T: Tensor) -> Tensor:
        """Return the logits of each frame.

        Args:
            x_B1T: Signal of whole frames.

        Returns:
            Shape ``(B, C * stride, F)``.
        """
        logits_BKF: Tensor = self.head(functional.relu(self.norm(self.blocks(self.stem(x_B1T)))))
        return logits_BKF
