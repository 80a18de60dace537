"""U-Net in one dimension: down to few frames that see far, and up again, past what was seen on the way down.

Source: Ronneberger, Fischer & Brox 2015, arXiv:1505.04597. From there: two convolutions of size 3 and ReLU at each
level, max pooling of 2 between levels, each twice as wide as the one above, transposed convolutions of 2 on the way up,
skip connections, dropout at the end of the way down. Not from there: batch normalisation, and padding in place of
cropping.

A frame of the lowest level holds ``2 ** (levels - 1)`` samples: that is the alignment, and a signal of any other length
is filled up to it.
"""

import torch
from torch import Tensor, nn

from poreconv.models.architectures import Unet
from poreconv.models.networks.layers import convolution, slide
from poreconv.models.networks.network import Network

KERNEL = 3


def double(before: int, after: int, config: Unet) -> nn.Sequential:
    """Two convolutions."""
    first = convolution(before, after, KERNEL, batch_norm=config.batch_norm)
    return nn.Sequential(*first, *convolution(after, after, KERNEL, batch_norm=config.batch_norm))


class Level(nn.Module):
    """One level of the U and, within it, those below; as many frames come out as go in."""

    def __init__(self, before: int, widths: tuple[int, ...], config: Unet) -> None:
        super().__init__()
        here, lower, *_ = widths
        self.down = double(before, here, config)
        self.pool = nn.MaxPool1d(2)
        self.below = Level(here, widths[1:], config) if len(widths) > 2 else bottom(here, lower, config)
        self.up = nn.ConvTranspose1d(lower, here, 2, stride=2)
        self.merge = double(2 * here, here, config)

    def forward(self, x_BHF: Tensor) -> Tensor:
        """What was seen on the way down beside what comes up from below, shape ``(B, here, F)``."""
        skipped = self.down(x_BHF)
        raised = self.up(self.below(self.pool(skipped)))
        merged: Tensor = self.merge(torch.cat([skipped, raised], 1))
        return merged


def bottom(before: int, after: int, config: Unet) -> nn.Sequential:
    """The lowest level, which ends in dropout."""
    return nn.Sequential(double(before, after, config), nn.Dropout(config.dropout))


class UnetNetwork(Network):
    """Levels within levels, and a head on every sample."""

    def __init__(self, config: Unet, n_classes: int) -> None:
        super().__init__(config, n_classes)
        width = config.channels[0]
        self.stem = slide(1, width, config.stem_kernel, config.stem_stride) if config.stem_stride > 1 else nn.Identity()
        self.levels = Level(width if config.stem_stride > 1 else 1, config.channels, config)
        self.head = nn.Conv1d(width, n_classes * config.stem_stride, 1)

    def frame_logits(self, x_B1T: Tensor) -> Tensor:
        """Shape ``(B, C * stem_stride, F)``."""
        logits_BKF: Tensor = self.head(self.levels(self.stem(x_B1T)))
        return logits_BKF
