"""AlexNet in one dimension.

Source: Krizhevsky, Sutskever & Hinton 2012, doi:10.1145/3065386. From there: five convolutions of sizes 11, 5, 3, 3
and 3, the first of stride 4, with their channels; max pooling of 3 by stride 2 after the first, second and fifth;
ReLU; three dense layers with dropout. Different here: batch normalisation, which was published three years later, may
be switched on; the normalisation across neighbouring channels is left out; the dense layers, whose input is the whole
picture there, work on one frame at a time and are narrower.

The strides multiply to 32 samples per frame. The last layer has an output for each class at each of these samples.
"""

from itertools import pairwise

from torch import Tensor, nn

from poreconv.models.architectures import Alexnet
from poreconv.models.networks.frames import Frames
from poreconv.models.networks.layers import convolution, dense_head
from poreconv.models.networks.network import Network

KERNELS, STRIDES, POOLED = (11, 5, 3, 3, 3), (4, 1, 1, 1, 1), (True, True, False, False, True)


class AlexnetNetwork(Network):
    """Five convolutions, three of them pooled, and a dense head on each frame of 32 samples."""

    def __init__(self, config: Alexnet, n_classes: int) -> None:
        super().__init__(config, n_classes)
        layers: list[nn.Module] = []
        widths = pairwise([1, *config.channels])
        for (before, after), kernel, stride, pooled in zip(widths, KERNELS, STRIDES, POOLED, strict=True):
            layers += convolution(before, after, kernel, stride, batch_norm=config.batch_norm)
            layers += [nn.MaxPool1d(3, stride=2, padding=1)] if pooled else []
        self.features = nn.Sequential(*layers)
        n_outputs = n_classes * Frames().after(self.features).stride
        self.head = nn.Sequential(*dense_head(config.channels[-1], config.dense, n_outputs, config.dropout))

    def frame_logits(self, x_B1T: Tensor) -> Tensor:
        """Return the logits of each frame.

        Args:
            x_B1T: Signal of whole frames.

        Returns:
            Shape ``(B, 32 C, F)``.
        """
        logits_BKF: Tensor = self.head(self.features(x_B1T))
        return logits_BKF
