"""Residual dilated convolutions.

Source: Yu & Koltun 2016, arXiv:1511.07122 (dilation); He et al. 2016, arXiv:1603.05027 (residual blocks).
"""

from torch import Tensor, nn
from torch.nn import functional

from poreconv.models.architectures import Tcn
from poreconv.models.networks.network import Network


class DilatedBlock(nn.Module):
    """Dilated convolution, batch norm, ReLU, 1 x 1 convolution; the result is added to the input.

    With as many groups as channels it is the depthwise separable convolution of Howard et al. 2017, arXiv:1704.04861.
    """

    def __init__(self, channels: int, kernel: int, dilation: int, *, dropout: float = 0.0, groups: int = 1) -> None:
        super().__init__()
        padding = dilation * (kernel // 2)
        self.conv = nn.Conv1d(channels, channels, kernel, dilation=dilation, padding=padding, groups=groups, bias=False)
        self.norm = nn.BatchNorm1d(channels)
        self.dropout = nn.Dropout(dropout)
        self.mix = nn.Conv1d(channels, channels, 1)

    def forward(self, x_BHT: Tensor) -> Tensor:
        """Return the block's output.

        Args:
            x_BHT: ``channels`` channels.

        Returns:
            Same shape.
        """
        residual: Tensor = self.mix(self.dropout(functional.relu(self.norm(self.conv(x_BHT)))))
        return x_BHT + residual


class TcnNetwork(Network):
    """A stem, cycles of dilated blocks, a head; every layer at full resolution."""

    def __init__(self, config: Tcn, n_classes: int) -> None:
        super().__init__(config, n_classes)
        self.stem = nn.Conv1d(1, config.channels, config.stem_kernel, padding=config.stem_kernel // 2)
        dilations = config.dilations * config.cycles
        self.blocks = nn.Sequential(
            *[DilatedBlock(config.channels, config.kernel, d, dropout=config.dropout) for d in dilations]
        )
        self.norm = nn.BatchNorm1d(config.channels)
        self.head = nn.Conv1d(config.channels, n_classes, 1)

    def frame_logits(self, x_B1T: Tensor) -> Tensor:
        """Return the logits of each frame.

        Args:
            x_B1T: Signal of whole frames.

        Returns:
            Shape ``(B, C, T)``: a frame is a sample.
        """
        logits_BCT: Tensor = self.head(functional.relu(self.norm(self.blocks(self.stem(x_B1T)))))
        return logits_BCT
