"""Convolutions, and a recurrent layer that reads their features in both directions.

Source: Schuster & Paliwal 1997, doi:10.1109/78.650093 (both directions); Cho et al. 2014, arXiv:1406.1078 (GRU);
Hochreiter & Schmidhuber 1997, doi:10.1162/neco.1997.9.8.1735 (LSTM).
"""

from torch import Tensor, nn

from poreconv.models.architectures import Crnn
from poreconv.models.networks.layers import convolution
from poreconv.models.networks.network import Network

CELLS: dict[str, type[nn.GRU | nn.LSTM]] = {"gru": nn.GRU, "lstm": nn.LSTM}
"""Name in the settings -> recurrent layer."""


class CrnnNetwork(Network):
    """Two convolutions, the second strided; a recurrent layer over all frames; a head that labels their samples."""

    def __init__(self, config: Crnn, n_classes: int) -> None:
        super().__init__(config, n_classes)
        channels, hidden, batch_norm = config.channels, config.hidden, config.batch_norm
        self.features = nn.Sequential(
            *convolution(1, channels, config.stem_kernel, batch_norm=batch_norm),
            *convolution(channels, channels, config.kernel, config.stride, batch_norm=batch_norm),
        )
        self.recurrent = CELLS[config.cell](channels, hidden, config.layers, batch_first=True, bidirectional=True)
        self.dropout = nn.Dropout(config.dropout)
        self.head = nn.Conv1d(2 * hidden, n_classes * config.stride, 1)

    @property
    def receptive_field(self) -> None:
        """Not bounded: a recurrent state depends on all samples before it, or after it."""

    def frame_logits(self, x_B1T: Tensor) -> Tensor:
        """Return the logits of each frame.

        Args:
            x_B1T: Signal of whole frames.

        Returns:
            Shape ``(B, C * stride, F)``.
        """
        features_BHF: Tensor = self.features(x_B1T)
        states_BFH, _ = self.recurrent(features_BHF.transpose(1, 2))
        logits_BKF: Tensor = self.head(self.dropout(states_BFH.transpose(1, 2)))
        return logits_BKF
