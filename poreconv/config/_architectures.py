"""Settings of the networks."""

from dataclasses import dataclass
from typing import Any

from poreconv.config._base import require


@dataclass(frozen=True)
class Heartbeat:
    """The lecture's network: kernels of 3, stride 1, pooling between; small enough to read its weights."""

    channels: int = 16
    """Kernels per layer."""
    layers: int = 4
    """Convolutions, each followed by max pooling of stride 1."""
    pool: int = 3
    """Width of the pooling window, samples; odd."""

    def __post_init__(self) -> None:
        """Check the sizes."""
        require(self.channels >= 1 and self.layers >= 1, "heartbeat: channels and layers must be positive")
        require(self.pool >= 1 and self.pool % 2 == 1, f"heartbeat.pool: {self.pool}; must be odd")


@dataclass(frozen=True)
class Dense:
    """Every sample of a fixed window connected to every neuron: what convolution saves one from."""

    window: int = 400
    """Samples of the window; longer reads are labelled window by window."""
    hidden: int = 64
    """Neurons of the hidden layer."""

    def __post_init__(self) -> None:
        """Check the sizes."""
        require(self.window >= 1 and self.hidden >= 1, "dense: window and hidden must be positive")


@dataclass(frozen=True)
class Tcn:
    """Residual dilated convolutions: each block sees twice as far as the one before, then it starts again."""

    channels: int = 48
    """Width of the residual stream."""
    kernel: int = 3
    """Kernel of the dilated convolutions, samples; odd."""
    dilations: tuple[int, ...] = (1, 2, 4, 8, 16, 32)
    """Dilation of each block of a cycle."""
    cycles: int = 2
    """How often the dilations are repeated."""
    stem_kernel: int = 9
    """Kernel of the first convolution, samples; odd."""
    dropout: float = 0.0
    """Share of the activations set to 0 in training."""

    def __post_init__(self) -> None:
        """Check the sizes."""
        require(self.channels >= 1 and self.cycles >= 1, "tcn: channels and cycles must be positive")
        require(min(self.kernel, self.stem_kernel) >= 1, "tcn: kernels must be positive")
        require(self.kernel % 2 == 1 and self.stem_kernel % 2 == 1, "tcn: kernels must be odd")
        require(len(self.dilations) > 0 and min(self.dilations) >= 1, "tcn.dilations: must be positive, at least one")
        require(0 <= self.dropout < 1, f"tcn.dropout: {self.dropout}; must lie in 0..1")


@dataclass(frozen=True)
class Strided:
    """A stem that steps `stride` samples per frame, dilated blocks on the frames, and a head that gives them back."""

    channels: int = 64
    """Width of the residual stream."""
    stride: int = 4
    """Samples per frame."""
    stem_kernel: int = 13
    """Kernel of the stem, samples; odd, at least the stride."""
    kernel: int = 3
    """Kernel of the dilated convolutions, frames; odd."""
    dilations: tuple[int, ...] = (1, 2, 4, 8, 1, 2, 4, 8)
    """Dilation of each block, frames."""

    def __post_init__(self) -> None:
        """Check the sizes."""
        require(self.channels >= 1 and self.stride >= 1, "strided: channels and stride must be positive")
        require(min(self.kernel, self.stem_kernel) >= 1, "strided: kernels must be positive")
        require(self.kernel % 2 == 1 and self.stem_kernel % 2 == 1, "strided: kernels must be odd")
        require(
            self.stem_kernel >= self.stride, "strided.stem_kernel: shorter than the stride, samples would be unseen"
        )
        require(len(self.dilations) > 0 and min(self.dilations) >= 1, "strided.dilations: must be positive")


@dataclass(frozen=True)
class Campolina:
    """The architecture of Campolina, a published network for boundaries: features of the signal, wide kernels."""

    channels: tuple[int, ...] = (32, 64, 64, 128, 128)
    """Kernels of each convolution."""
    stem_kernel: int = 3
    """Kernel of the first convolution, samples; odd."""
    kernel: int = 31
    """Kernel of the others, samples; odd."""
    dropout: float = 0.1
    """Share of the activations set to 0 in training."""
    window: int = 9
    """Window of the rolling mean and SD, samples; odd. The default is a base's mean dwell in R9.4.1 DNA."""
    step_window: int = 6
    """Samples on each side of the t-statistic."""

    def __post_init__(self) -> None:
        """Check the sizes."""
        require(len(self.channels) > 0 and min(self.channels) >= 1, "campolina.channels: must be positive; give some")
        require(min(self.kernel, self.stem_kernel, self.window) >= 1, "campolina: kernel and window must be positive")
        odd = self.kernel % 2 == self.stem_kernel % 2 == self.window % 2 == 1
        require(odd, "campolina: kernel, stem_kernel and window must be odd")
        require(self.step_window >= 1, f"campolina.step_window: {self.step_window}; must be positive")
        require(0 <= self.dropout < 1, f"campolina.dropout: {self.dropout}; must lie in 0..1")


ARCHITECTURES: dict[str, type[Any]] = {
    "heartbeat": Heartbeat,
    "dense": Dense,
    "tcn": Tcn,
    "strided": Strided,
    "campolina": Campolina,
}
"""Name in ``MODELS`` -> its settings."""
