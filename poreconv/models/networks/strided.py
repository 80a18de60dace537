"""A strided stem, dilated blocks on its frames, and a head that labels every sample of a frame: fast."""

from functools import cached_property

from torch import Tensor, nn
from torch.nn import functional

from poreconv.models.architectures import Strided
from poreconv.models.networks.frames import Frames
from poreconv.models.networks.network import Network
from poreconv.models.networks.tcn import DilatedBlock


class StridedNetwork(Network):
    """A network that works at ``stride`` samples per frame, and labels every sample."""

    def __init__(self, config: Strided, n_classes: int) -> None:
        super().__init__(config, n_classes)
        around = config.stem_kernel - config.stride
        self._left, self._right = around // 2, around - around // 2
        self.stem = nn.Conv1d(1, config.channels, config.stem_kernel, stride=config.stride)
        self.blocks = nn.Sequential(
            *[DilatedBlock(config.channels, config.kernel, d, groups=config.groups) for d in config.dilations]
        )
        self.norm = nn.BatchNorm1d(config.channels)
        self.head = nn.Conv1d(config.channels, n_classes * config.stride, 1)

    @cached_property
    def frames(self) -> Frames:
        """What the layers see; the signal is padded on the left, so it begins earlier."""
        return Frames(left=self._left, right=-self._left).after(self)

    def frame_logits(self, x_B1T: Tensor) -> Tensor:
        """Return the logits of each frame.

        Args:
            x_B1T: Signal of whole frames.

        Returns:
            Shape ``(B, C * stride, F)``.
        """
        # The stem sees as far to the left of a frame as to its right, or one sample less.
        padded = functional.pad(x_B1T, (self._left, self._right))
        logits_BKF: Tensor = self.head(functional.relu(self.norm(self.blocks(self.stem(padded)))))
        return logits_BKF
