"""A strided stem, dilated blocks on its frames, and a head that gives every frame's samples back: fast.

The head's reordering of channels into samples is the 1-D form of Shi et al. 2016, arXiv:1609.05158.
"""

from torch import Tensor, nn
from torch.nn import functional

from poreconv.config import Strided
from poreconv.models.network import Network, conv_macs
from poreconv.models.tcn import DilatedBlock


class StridedNetwork(Network):
    """Works at ``stride`` samples per frame, and labels every sample."""

    def __init__(self, config: Strided, n_classes: int) -> None:
        super().__init__(config, n_classes)
        self._config, self._n_classes = config, n_classes
        self.stem = nn.Conv1d(1, config.channels, config.stem_kernel, stride=config.stride)
        self.blocks = nn.Sequential(*[DilatedBlock(config.channels, config.kernel, d) for d in config.dilations])
        self.norm = nn.BatchNorm1d(config.channels)
        self.head = nn.Conv1d(config.channels, n_classes * config.stride, 1)

    @property
    def receptive_field(self) -> int:
        """What a frame's last sample sees to its left and first sample to its right, made even on both sides."""
        config = self._config
        frames = sum(config.dilations) * (config.kernel - 1) // 2
        reach = frames * config.stride + max(self._left + config.stride - 1, config.stem_kernel - 1 - self._left)
        return 1 + 2 * reach

    @property
    def _left(self) -> int:
        """Samples that the stem sees before a frame's first."""
        return (self._config.stem_kernel - self._config.stride) // 2

    @property
    def alignment(self) -> int:
        """Frames begin at multiples of the stride."""
        return self._config.stride

    @property
    def macs_per_sample(self) -> float:
        """Every convolution, once per frame."""
        return conv_macs(self) / self._config.stride

    def forward(self, x_B1T: Tensor) -> Tensor:
        """Logits, shape ``(B, C, T)``; the last frame is filled with zeros."""
        n_batch, _, n_samples = x_B1T.shape
        right = self._config.stem_kernel - self._config.stride - self._left
        filled = functional.pad(x_B1T, (self._left, right + -n_samples % self._config.stride))
        frames_BHF = functional.relu(self.norm(self.blocks(self.stem(filled))))
        samples = self.head(frames_BHF).reshape(n_batch, self._n_classes, self._config.stride, -1)
        logits_BCT: Tensor = samples.transpose(2, 3).reshape(n_batch, self._n_classes, -1)
        return logits_BCT[:, :, :n_samples]
