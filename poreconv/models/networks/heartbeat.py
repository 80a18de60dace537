"""The lecture's network: small convolutions along the trace, and pooling."""

from itertools import pairwise

from torch import Tensor, nn

from poreconv.models.architectures import Heartbeat
from poreconv.models.networks.network import Network

KERNEL = 3
"""The lecture's kernel size; its stride, and that of the pooling, is 1."""


class HeartbeatNetwork(Network):
    """Convolutions of kernel 3, each followed by max pooling of stride 1; then one class per sample."""

    def __init__(self, config: Heartbeat, n_classes: int) -> None:
        super().__init__(config, n_classes)
        widths = [1, *[config.channels] * config.layers]
        layers: list[nn.Module] = []
        for before, after in pairwise(widths):
            pool = nn.MaxPool1d(config.pool, stride=1, padding=config.pool // 2)
            layers += [nn.Conv1d(before, after, KERNEL, padding=KERNEL // 2), nn.ReLU(), pool]
        self.features = nn.Sequential(*layers)
        self.head = nn.Conv1d(config.channels, n_classes, 1)

    def frame_logits(self, x_B1T: Tensor) -> Tensor:
        """Return the logits of each frame.

        Args:
            x_B1T: Signal of whole frames.

        Returns:
            Shape ``(B, C, T)``: a frame is a sample.
        """
        logits_BCT: Tensor = self.head(self.features(x_B1T))
        return logits_BCT
