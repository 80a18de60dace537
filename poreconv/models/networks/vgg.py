"""A deep stack of small kernels with pooling between.

Source: Pärnamaa & Parts 2017, G3 7(5):1385-1392, who classify proteins by their place in the cell, one label per
picture; the stack is of the kind of Simonyan & Zisserman 2015, arXiv:1409.1556. From there: eight convolutions of size
3 in stages that get wider and end in max pooling of 2, batch normalisation, ReLU, and three dense layers with dropout.
Different here: a kernel is 3 samples, theirs 3 x 3 pixels, and the dense layers work on one frame at a time and label
each of its samples. The numbers of channels and of convolutions per stage are chosen here.
"""

from itertools import pairwise

from torch import Tensor, nn

from poreconv.models.architectures import Vgg
from poreconv.models.networks.layers import convolution, dense_head
from poreconv.models.networks.network import Network

KERNEL = 3
"""Size of the convolutions, frames."""


class VggNetwork(Network):
    """Stages of convolutions, each pooled to half the frames, and a dense head on each frame."""

    def __init__(self, config: Vgg, n_classes: int) -> None:
        super().__init__(config, n_classes)
        layers: list[nn.Module] = []
        for (before, after), depth in zip(pairwise([1, *config.channels]), config.convolutions, strict=True):
            for width in [before, *[after] * (depth - 1)]:
                layers += convolution(width, after, KERNEL, batch_norm=config.batch_norm)
            layers.append(nn.MaxPool1d(2))
        self.features = nn.Sequential(*layers)
        n_outputs = n_classes * 2 ** len(config.channels)
        self.head = nn.Sequential(*dense_head(config.channels[-1], config.dense, n_outputs, config.dropout))

    def frame_logits(self, x_B1T: Tensor) -> Tensor:
        """Return the logits of each frame.

        Args:
            x_B1T: Signal of whole frames.

        Returns:
            Shape ``(B, C * 2 ** stages, F)``.
        """
        logits_BKF: Tensor = self.head(self.features(x_B1T))
        return logits_BKF
