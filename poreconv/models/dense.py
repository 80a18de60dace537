"""Every sample of a window connected to every neuron: what the lecture warns of."""

from torch import Tensor, nn
from torch.nn import functional

from poreconv.config import Dense
from poreconv.models.network import Network


class DenseNetwork(Network):
    """Two fully connected layers over a window of fixed length; longer input is labelled window by window."""

    def __init__(self, config: Dense, n_classes: int) -> None:
        super().__init__(config, n_classes)
        self._config, self._n_classes = config, n_classes
        self.hidden = nn.Linear(config.window, config.hidden)
        self.head = nn.Linear(config.hidden, n_classes * config.window)

    @property
    def receptive_field(self) -> None:
        """Tied to the window's place: the same samples at another place are another input."""

    @property
    def alignment(self) -> int:
        """Windows follow one another from the first sample."""
        return self._config.window

    @property
    def macs_per_sample(self) -> float:
        """Both layers' weights, once per window."""
        return (self.hidden.weight.numel() + self.head.weight.numel()) / self._config.window

    def forward(self, x_B1T: Tensor) -> Tensor:
        """Logits, shape ``(B, C, T)``; the last window is filled with zeros."""
        n_batch, _, n_samples = x_B1T.shape
        window = self._config.window
        filled = functional.pad(x_B1T, (0, -n_samples % window))
        flat = functional.relu(self.hidden(filled.reshape(-1, window)))
        logits = self.head(flat).reshape(n_batch, -1, self._n_classes, window)
        logits_BCT: Tensor = logits.transpose(1, 2).reshape(n_batch, self._n_classes, -1)
        return logits_BCT[:, :, :n_samples]
