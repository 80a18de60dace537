"""Residual blocks: each adds to its input what it finds, so that gradients reach the first layer of a deep net.

Source: He et al. 2015, arXiv:1512.03385 (the blocks, and shortcuts without weights where the width changes); He et al.
2016, arXiv:1603.05027 (normalisation and ReLU before the convolutions, so that nothing stands in the shortcut's way).
"""

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional

from poreconv.models.architectures import Resnet
from poreconv.models.networks.layers import norm, slide
from poreconv.models.networks.network import Network


class ResidualBlock(nn.Module):
    """Twice norm, ReLU, convolution; ``stride`` input frames become one, ``before`` channels become ``after``."""

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
        """What is found, and what was there: every ``stride``-th frame, in the channels that it had."""
        found: Tensor = self.layers(x_BHF)
        if not self._residual:
            return found
        there, new = found[:, : self._before], found[:, self._before :]
        return torch.cat([there + x_BHF[..., :: self._stride], new], 1)


class ResnetNetwork(Network):
    """A strided stem; stages of residual blocks, from the second on at half the frames of the one before; a head."""

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
        """Shape ``(B, C * stride, F)``."""
        logits_BKF: Tensor = self.head(functional.relu(self.norm(self.blocks(self.stem(x_B1T)))))
        return logits_BKF
