"""What every architecture tells of itself."""

from abc import ABC, abstractmethod

from torch import Tensor, nn

# B batch, C classes, T samples, F frames, H hidden channels


class Network(nn.Module, ABC):
    """A network that labels every sample: ``(B,1,T) -> (B,C,T)`` logits, for any T."""

    @abstractmethod
    def __init__(self, config: object, n_classes: int) -> None:
        super().__init__()

    @property
    @abstractmethod
    def receptive_field(self) -> int | None:
        """Samples that one output sees, at most: odd, centred on it.

        None if it is not bounded, or tied to places.
        """

    @property
    def alignment(self) -> int:
        """Chunks begin at multiples of this many samples."""
        return 1

    @property
    def margin(self) -> int:
        """Samples of context that a chunk needs on each side: half the receptive field, aligned; 0 if not bounded."""
        reach = (self.receptive_field or 1) // 2
        return -(-reach // self.alignment) * self.alignment

    @property
    @abstractmethod
    def macs_per_sample(self) -> float:
        """Multiply-adds per sample labelled."""

    @property
    def n_parameters(self) -> int:
        """Trained numbers."""
        return sum(parameter.numel() for parameter in self.parameters())

    @abstractmethod
    def forward(self, x_B1T: Tensor) -> Tensor:
        """Logits, shape ``(B, C, T)``, for normalised signal, shape ``(B, 1, T)``."""


def conv_macs(network: nn.Module) -> int:
    """Multiply-adds of all convolutions of a network at one position each: the size of their kernels."""
    convs = [module for module in network.modules() if isinstance(module, nn.Conv1d)]
    return sum(conv.weight.numel() for conv in convs)
