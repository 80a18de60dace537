"""A fully connected network over windows, to compare convolutions with."""

from torch import Tensor, nn
from torch.nn import functional

from poreconv.models.architectures import Dense
from poreconv.models.networks.network import Network


class DenseNetwork(Network):
    """Two fully connected layers over a window of fixed length; longer input is labelled window by window."""

    def __init__(self, config: Dense, n_classes: int) -> None:
        super().__init__(config, n_classes)
        self._window = config.window
        self.hidden = nn.Linear(config.window, config.hidden)
        self.head = nn.Linear(config.hidden, n_classes * config.window)

    @property
    def receptive_field(self) -> None:
        """None: what an output sees depends on its place in the window."""

    @property
    def alignment(self) -> int:
        """Length of a window: windows follow one another from the first sample."""
        return self._window

    @property
    def macs_per_sample(self) -> float:
        """Both layers' weights, once per window."""
        return (self.hidden.weight.numel() + self.head.weight.numel()) / self._window

    def frame_logits(self, x_B1T: Tensor) -> Tensor:
        """Return the logits of each frame.

        Args:
            x_B1T: Signal of whole frames.

        Returns:
            Shape ``(B, C * window, F)``: a frame is a window.
        """
        windows = x_B1T.reshape(len(x_B1T), -1, self._window)
        logits_BFK: Tensor = self.head(functional.relu(self.hidden(windows)))
        return logits_BFK.transpose(1, 2)
