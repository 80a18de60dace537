"""The architectures: the settings of each, and the class of its network.

No torch here: the command line reads the settings for its help.

To add one: its settings and one line in ``ARCHITECTURES`` here, its network in a file in ``networks``.
"""

from dataclasses import dataclass
from typing import Any, Literal

from poreconv.config import require


@dataclass(frozen=True)
class Heartbeat:
    """The lecture's network: kernels of 3, stride 1, pooling between; small enough to read its weights."""

    channels: int = 16
    """Kernels per layer."""
    layers: int = 4
    """Convolutions, each followed by max pooling of stride 1."""
    pool: int = 3
    """Width of the pooling window, samples; odd."""

    @property
    def n_layers(self) -> int:
        """Number of layers with weights, at least."""
        return self.layers

    def __post_init__(self) -> None:
        """Check the sizes."""
        require(self.channels >= 1 and self.layers >= 1, "heartbeat: channels and layers must be positive")
        require(self.pool >= 1 and self.pool % 2 == 1, f"heartbeat.pool: {self.pool}; must be odd")


@dataclass(frozen=True)
class Dense:
    """Two fully connected layers over a fixed window, to compare convolutions with."""

    window: int = 400
    """Samples of the window; longer reads are labelled window by window."""
    hidden: int = 64
    """Neurons of the hidden layer."""

    @property
    def n_layers(self) -> int:
        """Number of layers with weights, at least."""
        return 2

    def __post_init__(self) -> None:
        """Check the sizes."""
        require(self.window >= 1 and self.hidden >= 1, "dense: window and hidden must be positive")


@dataclass(frozen=True)
class Tcn:
    """Residual dilated convolutions: the dilation doubles from block to block, in several cycles."""

    channels: int = 48
    """Width of the residual stream."""
    kernel: int = 3
    """Kernel of the dilated convolutions, samples; odd."""
    dilations: tuple[int, ...] = (1, 2, 4, 8, 16, 32)
    """Dilation of each block of a cycle."""
    cycles: int = 2
    """Number of times that the dilations are repeated."""
    stem_kernel: int = 9
    """Kernel of the first convolution, samples; odd."""
    dropout: float = 0.0
    """Share of the activations set to 0 in training."""

    @property
    def n_layers(self) -> int:
        """Number of layers with weights, at least."""
        return self.cycles * len(self.dilations)

    def __post_init__(self) -> None:
        """Check the sizes."""
        require(self.channels >= 1 and self.cycles >= 1, "tcn: channels and cycles must be positive")
        require(min(self.kernel, self.stem_kernel) >= 1, "tcn: kernels must be positive")
        require(self.kernel % 2 == 1 and self.stem_kernel % 2 == 1, "tcn: kernels must be odd")
        require(len(self.dilations) > 0 and min(self.dilations) >= 1, "tcn.dilations: must be positive, at least one")
        _require_share("tcn.dropout", self.dropout)


@dataclass(frozen=True)
class Strided:
    """A stem with `stride` samples per frame, dilated blocks on the frames, and a head that labels every sample."""

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
    groups: int = 1
    """Channel groups of the dilated convolutions; as many as there are channels: depthwise convolutions."""

    @property
    def n_layers(self) -> int:
        """Number of layers with weights, at least."""
        return len(self.dilations)

    def __post_init__(self) -> None:
        """Check the sizes."""
        grouped = self.groups >= 1 and self.channels % self.groups == 0
        require(grouped, f"strided.groups: {self.groups}; must divide the {self.channels} channels")
        require(self.channels >= 1 and self.stride >= 1, "strided: channels and stride must be positive")
        require(min(self.kernel, self.stem_kernel) >= 1, "strided: kernels must be positive")
        require(self.kernel % 2 == 1 and self.stem_kernel % 2 == 1, "strided: kernels must be odd")
        require(self.stem_kernel >= self.stride, "strided.stem_kernel: shorter than the stride, samples are lost")
        require(len(self.dilations) > 0 and min(self.dilations) >= 1, "strided.dilations: must be positive")


@dataclass(frozen=True)
class Campolina:
    """The architecture of Campolina, a published network for boundaries: five features of the signal, wide kernels."""

    channels: tuple[int, ...] = (32, 64, 64, 128, 128)
    """Kernels of each convolution."""
    stem_kernel: int = 3
    """Kernel of the first convolution, samples; odd."""
    kernel: int = 31
    """Kernel of the others, samples; odd."""
    dropout: float = 0.1
    """Share of the activations set to 0 in training."""
    window: int = 9
    """Window of the rolling mean and SD, samples; odd. Default: the mean dwell of a base in R9.4.1 DNA."""
    step_window: int = 6
    """Samples on each side of a step for its t-statistic."""

    @property
    def n_layers(self) -> int:
        """Number of layers with weights, at least."""
        return len(self.channels)

    def __post_init__(self) -> None:
        """Check the sizes."""
        require(len(self.channels) > 0 and min(self.channels) >= 1, "campolina.channels: must be positive; give some")
        require(min(self.kernel, self.stem_kernel, self.window) >= 1, "campolina: kernel and window must be positive")
        odd = self.kernel % 2 == self.stem_kernel % 2 == self.window % 2 == 1
        require(odd, "campolina: kernel, stem_kernel and window must be odd")
        require(self.step_window >= 1, f"campolina.step_window: {self.step_window}; must be positive")
        _require_share("campolina.dropout", self.dropout)


@dataclass(frozen=True)
class Alexnet:
    """AlexNet in one dimension: wide strided kernels, then small ones, and a dense head with dropout."""

    channels: tuple[int, ...] = (96, 256, 384, 384, 256)
    """Kernels of each of the five convolutions."""
    dense: int = 512
    """Neurons of the two hidden layers of the head, on each frame of 32 samples."""
    dropout: float = 0.5
    """Share of the head's inputs set to 0 in training."""
    batch_norm: bool = False
    """Batch normalisation after every convolution; the original AlexNet has none."""

    @property
    def n_layers(self) -> int:
        """Number of layers with weights, at least."""
        return len(self.channels)

    def __post_init__(self) -> None:
        """Check the sizes."""
        require(len(self.channels) == 5, f"alexnet.channels: {self.channels}; give five, one per convolution")
        require(min(*self.channels, self.dense) >= 1, "alexnet: channels and dense must be positive")
        _require_share("alexnet.dropout", self.dropout)


@dataclass(frozen=True)
class Vgg:
    """A deep stack of convolutions of size 3 with pooling between; first used to locate proteins in a cell."""

    channels: tuple[int, ...] = (32, 64, 128)
    """Kernels of each convolution of a stage; each stage ends in max pooling of 2."""
    convolutions: tuple[int, ...] = (2, 2, 4)
    """Convolutions of each stage."""
    dense: int = 256
    """Neurons of the two hidden layers of the head, on each frame."""
    dropout: float = 0.5
    """Share of the head's inputs set to 0 in training."""
    batch_norm: bool = True
    """Batch normalisation after every convolution."""

    @property
    def n_layers(self) -> int:
        """Number of layers with weights, at least."""
        return sum(self.convolutions)

    def __post_init__(self) -> None:
        """Check the sizes."""
        stages = len(self.channels)
        require(stages > 0, "vgg.channels: none; give one per stage")
        require(
            len(self.convolutions) == stages, f"vgg.convolutions: {self.convolutions}; give {stages}, one per stage"
        )
        sizes = (*self.channels, *self.convolutions, self.dense)
        require(min(sizes) >= 1, "vgg: channels, convolutions and dense must be positive")
        _require_share("vgg.dropout", self.dropout)


@dataclass(frozen=True)
class Resnet:
    """Residual blocks in stages, each with half the frames of the one before."""

    channels: tuple[int, ...] = (32, 64, 128)
    """Width of each stage; must not shrink."""
    blocks: int = 2
    """Blocks of two convolutions in each stage."""
    kernel: int = 3
    """Kernel of the blocks' convolutions, frames; odd."""
    stem_kernel: int = 7
    """Kernel of the first convolution, samples; odd."""
    stem_stride: int = 2
    """Samples per frame of the first stage."""
    dropout: float = 0.0
    """Share of the activations within a block set to 0 in training."""
    batch_norm: bool = True
    """Batch normalisation before every convolution of a block."""
    residual: bool = True
    """Add the output of each block to its input; without it, a plain deep network."""

    @property
    def n_layers(self) -> int:
        """Number of layers with weights, at least."""
        return self.blocks * len(self.channels)

    def __post_init__(self) -> None:
        """Check the sizes."""
        require(len(self.channels) > 0 and min(self.channels) >= 1, "resnet.channels: must be positive; give some")
        require(sorted(self.channels) == list(self.channels), f"resnet.channels: {self.channels}; must not shrink")
        require(min(self.blocks, self.stem_stride) >= 1, "resnet: blocks and stem_stride must be positive")
        odd = self.kernel % 2 == self.stem_kernel % 2 == 1 and min(self.kernel, self.stem_kernel) >= 1
        require(odd, "resnet: kernel and stem_kernel must be odd and positive")
        require(self.kernel > 1, f"resnet.kernel: {self.kernel}; must be 3 or more, or some frames are lost")
        require(self.stem_kernel >= self.stem_stride, "resnet.stem_kernel: shorter than the stride, samples are lost")
        _require_share("resnet.dropout", self.dropout)


@dataclass(frozen=True)
class Unet:
    """U-Net in one dimension: down to frames of many samples, and up again, with skip connections."""

    channels: tuple[int, ...] = (24, 48, 96, 128, 128)
    """Kernels of each level, from the top level down; each has half the frames of the one above."""
    stem_kernel: int = 7
    """Kernel of the stem, if there is one, samples; odd."""
    stem_stride: int = 1
    """Samples per frame of the top level; 1: no stem, a frame of the top level is a sample."""
    dropout: float = 0.0
    """Share of the activations of the lowest level set to 0 in training."""
    batch_norm: bool = True
    """Batch normalisation after every convolution."""

    @property
    def n_layers(self) -> int:
        """Number of layers with weights, at least."""
        return len(self.channels)

    def __post_init__(self) -> None:
        """Check the sizes."""
        require(len(self.channels) > 1, f"unet.channels: {self.channels}; give two or more, one per level")
        require(min(self.channels) >= 1, f"unet.channels: {self.channels}; must be positive")
        require(self.stem_stride >= 1, f"unet.stem_stride: {self.stem_stride}; must be positive")
        require(self.stem_kernel % 2 == 1, f"unet.stem_kernel: {self.stem_kernel}; must be odd")
        require(self.stem_kernel >= self.stem_stride, "unet.stem_kernel: shorter than the stride, samples are lost")
        _require_share("unet.dropout", self.dropout)


@dataclass(frozen=True)
class Crnn:
    """Convolutions, then a bidirectional recurrent layer; it labels whole reads, as its context is not bounded."""

    channels: int = 64
    """Kernels of each of the two convolutions."""
    stem_kernel: int = 9
    """Kernel of the first convolution, samples; odd."""
    stride: int = 4
    """Samples per frame of the recurrent layer."""
    kernel: int = 13
    """Kernel of the second, strided convolution, samples; odd."""
    cell: Literal["gru", "lstm"] = "gru"
    """Kind of recurrent cell."""
    hidden: int = 96
    """Width of the recurrent state, in each direction."""
    layers: int = 1
    """Number of stacked recurrent layers."""
    dropout: float = 0.0
    """Share of the head's inputs set to 0 in training."""
    batch_norm: bool = True
    """Batch normalisation after every convolution."""

    @property
    def n_layers(self) -> int:
        """Number of layers with weights, at least."""
        return self.layers

    def __post_init__(self) -> None:
        """Check the sizes."""
        sizes = (self.channels, self.stride, self.hidden, self.layers)
        require(min(sizes) >= 1, "crnn: channels, stride, hidden and layers must be positive")
        odd = self.kernel % 2 == self.stem_kernel % 2 == 1 and min(self.kernel, self.stem_kernel) >= 1
        require(odd, "crnn: kernel and stem_kernel must be odd and positive")
        require(self.kernel >= self.stride, "crnn.kernel: shorter than the stride, samples are lost")
        require(self.cell in ("gru", "lstm"), f"crnn.cell: {self.cell!r}; choose gru or lstm")
        _require_share("crnn.dropout", self.dropout)


def _require_share(name: str, value: float) -> None:
    require(0 <= value < 1, f"{name}: {value}; must be 0 or more, and below 1")


@dataclass(frozen=True)
class Architecture:
    """An architecture."""

    settings: type[Any]
    """Dataclass of its settings."""
    network: str
    """Class of its networks, ``"module:attribute"``; imported when one is built."""


ARCHITECTURES = {
    "heartbeat": Architecture(Heartbeat, "poreconv.models.networks.heartbeat:HeartbeatNetwork"),
    "dense": Architecture(Dense, "poreconv.models.networks.dense:DenseNetwork"),
    "tcn": Architecture(Tcn, "poreconv.models.networks.tcn:TcnNetwork"),
    "strided": Architecture(Strided, "poreconv.models.networks.strided:StridedNetwork"),
    "campolina": Architecture(Campolina, "poreconv.models.networks.campolina:CampolinaNetwork"),
    "alexnet": Architecture(Alexnet, "poreconv.models.networks.alexnet:AlexnetNetwork"),
    "vgg": Architecture(Vgg, "poreconv.models.networks.vgg:VggNetwork"),
    "resnet": Architecture(Resnet, "poreconv.models.networks.resnet:ResnetNetwork"),
    "unet": Architecture(Unet, "poreconv.models.networks.unet:UnetNetwork"),
    "crnn": Architecture(Crnn, "poreconv.models.networks.crnn:CrnnNetwork"),
}
"""Name -> architecture."""
