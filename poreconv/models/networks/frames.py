"""What a run of layers sees of the signal and what it costs: arithmetic on the sizes of the layers themselves."""

from dataclasses import dataclass, replace
from functools import reduce

from torch import nn


@dataclass(frozen=True)
class Frames:
    """Frames along a signal: number ``i`` sees the samples ``i * stride - left`` to ``i * stride + right``.

    Source of the arithmetic: Araujo, Norris & Sim 2019, doi:10.23915/distill.00021.
    """

    stride: int = 1
    """Samples from one frame to the next."""
    left: int = 0
    """Samples seen before the frame's first."""
    right: int = 0
    """Samples seen behind the frame's first."""
    coarsest: int = 1
    """Largest stride on the way here; what the layers do repeats after so many samples."""
    macs_per_sample: float = 0.0
    """Multiply-adds on the way here, per sample of the signal."""

    def behind(self, network: nn.Module) -> "Frames":
        """The frames behind a network whose layers were made in the order in which they run.

        A shortcut, which takes a frame past some layers, changes nothing: it sees less than they do.
        """
        return reduce(Frames._behind_layer, network.modules(), self)

    def given_back(self, factor: int) -> "Frames":
        """Each frame becomes ``factor`` frames, all of which see what it saw."""
        stride = self.stride // factor
        return replace(self, stride=stride, left=self.left + (factor - 1) * stride)

    @property
    def receptive_field(self) -> int:
        """Samples that one sample's output sees, once every frame gave its samples back: odd, centred on it."""
        samples = self.given_back(self.stride)
        return 1 + 2 * max(samples.left, samples.right)

    def _behind_layer(self, layer: nn.Module) -> "Frames":
        after = self._slid(layer)
        macs = multiplied(layer) / max(self.stride, after.stride)
        coarsest = max(self.coarsest, after.stride)
        return replace(after, coarsest=coarsest, macs_per_sample=self.macs_per_sample + macs)

    def _slid(self, layer: nn.Module) -> "Frames":
        if isinstance(layer, nn.ConvTranspose1d):  # of a kernel as long as its stride
            return self.given_back(layer.stride[0])
        if not isinstance(layer, nn.Conv1d | nn.MaxPool1d):
            return self
        sizes = (layer.kernel_size, layer.stride, layer.padding, layer.dilation)
        kernel, stride, padding, dilation = (size if isinstance(size, int) else int(size[0]) for size in sizes)
        left, right = padding, (kernel - 1) * dilation - padding
        return replace(
            self,
            stride=self.stride * stride,
            left=self.left + left * self.stride,
            right=self.right + right * self.stride,
        )


def multiplied(layer: nn.Module) -> int:
    """Multiply-adds of one layer at one frame: of its output, or of its input where it makes several of one."""
    if isinstance(layer, nn.Conv1d | nn.ConvTranspose1d):
        return layer.weight.numel()
    if isinstance(layer, nn.RNNBase):
        return sum(values.numel() for name, values in layer.named_parameters() if name.startswith("weight"))
    return 0
