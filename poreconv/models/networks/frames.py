"""What a stack of layers sees of the signal, and what it costs, calculated from the sizes of the layers."""

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
    """Samples seen after the frame's first."""
    coarsest: int = 1
    """Largest stride of any layer so far: shifting the input by this many samples shifts the output."""
    macs_per_sample: float = 0.0
    """Multiply-adds of all layers so far, per sample of the signal."""

    def after(self, network: nn.Module) -> "Frames":
        """Return the frames that a network makes of these.

        A shortcut around some layers changes nothing: it sees less than they do.

        Args:
            network: Its layers are attributes set in the order in which they run.
        """
        return reduce(Frames._after_layer, network.modules(), self)

    def split_into(self, factor: int) -> "Frames":
        """Return the frames when each is split into several, which all see what it saw.

        Args:
            factor: Number of frames that one becomes.
        """
        stride = self.stride // factor
        return replace(self, stride=stride, left=self.left + (factor - 1) * stride)

    @property
    def receptive_field(self) -> int:
        """Samples that the output of one sample sees, when the frames are split into samples: odd, centred on it."""
        samples = self.split_into(self.stride)
        return 1 + 2 * max(samples.left, samples.right)

    def _after_layer(self, layer: nn.Module) -> "Frames":
        slid = self._slid(layer)
        macs = multiply_adds(layer) / max(self.stride, slid.stride)
        coarsest = max(self.coarsest, slid.stride)
        return replace(slid, coarsest=coarsest, macs_per_sample=self.macs_per_sample + macs)

    def _slid(self, layer: nn.Module) -> "Frames":
        if isinstance(layer, nn.ConvTranspose1d):  # of a kernel as long as its stride
            return self.split_into(layer.stride[0])
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


def multiply_adds(layer: nn.Module) -> int:
    """Return the multiply-adds of one layer per frame.

    Args:
        layer: Convolution or recurrent layer; all others count as 0.

    Returns:
        Per frame of its output; per frame of its input if it is a transposed convolution.
    """
    if isinstance(layer, nn.Conv1d | nn.ConvTranspose1d):
        return layer.weight.numel()
    if isinstance(layer, nn.RNNBase):
        return sum(values.numel() for name, values in layer.named_parameters() if name.startswith("weight"))
    return 0
