"""U-Net in one dimension: down to a few frames of many samples, and up again, with skip connections.

Source: Ronneberger, Fischer & Brox 2015, arXiv:1505.04597. From there: two convolutions of size 3 and ReLU at each
level, max pooling of 2 between levels, each twice as wide as the one above, transposed convolutions of 2 on the way up,
skip connections, dropout at the end of the way down. Different here: batch normalisation, and padding in place of
cropping.

A frame of the lowest level holds ``2 ** (levels - 1)`` frames of the top level; the signal is filled up to whole frames
of the lowest level.
"""

import torch
from torch import Tensor, nn

from poreconv.models.architectures import Unet
from poreconv.models.networks.layers import convolution, slide
from poreconv.models.networks.network import Network

KERNEL = 3
"""Size of the convolutions of each level."""


def double(before: int, after: int, config: Unet) -> nn.Sequential:
    """Return two convolutions, each with normalisation if it is switched on, and ReLU.

    Args:
        before: Channels of the input.
        after: Channels of both outputs.
        config: Whether to normalise.
    """
    first = convolution(before, after, KERNEL, batch_norm=config.batch_norm)
    return nn.Sequential(*first, *convolution(after, after, KERNEL, batch_norm=config.batch_norm))


class Level(nn.Module):
    """One level of the U and, within it, those below; output and input have the same number of frames."""

    def __init__(self, before: int, widths: tuple[int, ...], config: Unet) -> None:
        super().__init__()
        here, lower, *_ = widths
        self.down = double(before, here, config)
        self.pool = nn.MaxPool1d(2)
        self.below = Level(here, widths[1:], config) if len(widths) > 2 else bottom(here, lower, config)
        self.up = nn.ConvTranspose1d(lower, here, 2, stride=2)
        self.merge = double(2 * here, here, config)

    def forward(self, x_BHF: Tensor) -> Tensor:
        """Return the merged features of this level and those below.

        Args:
            x_BHF: ``before`` channels.

        Returns:
            Shape ``(B, widths[0], F)``.
        """
        skipped = self.down(x_BHF)
        raised = self.up(self.below(self.pool(skipped)))
        merged: Tensor = self.merge(torch.cat([skipped, raised], 1))
        return merged


def bottom(before: int, after: int, config: Unet) -> nn.Sequential:
    """Return the lowest level, which ends in dropout.

    Args:
        before: Channels of the level above.
        after: Channels of the lowest level.
        config: Dropout, and whether to normalise.
    """
    return nn.Sequential(double(before, after, config), nn.Dropout(config.dropout))


class UnetNetwork(Network):
    """Nested levels, and a head on every sample."""

    def __init__(self, config: Unet, n_classes: int) -> None:
        super().__init__(config, n_classes)
        width = config.channels[0]
        self.stem = slide(1, width, config.stem_kernel, config.stem_stride) if config.stem_stride > 1 else nn.Identity()
        self.levels = Level(width if config.stem_stride > 1 else 1, config.channels, config)
        self.head = nn.Conv1d(width, n_classes * config.stem_stride, 1)

    def frame_logits(self, x_B1T: Tensor) -> Tensor:
        """Return the logits of each frame.

        Args:
            x_B1T: Signal of whole frames.

        Returns:
            Shape ``(B, C * stem_stride, F)``.
        """
        logits_BKF: Tensor = self.head(self.levels(self.stem(x_B1T)))
        return logits_BKF
