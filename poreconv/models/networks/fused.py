"""A trained network rewritten for inference: the same results, faster."""

import contextlib
import io
from collections.abc import Callable
from copy import deepcopy
from typing import Any

import torch
from torch import Tensor, fx, nn
from torch.nn import functional
from torch.nn.utils.fusion import fuse_conv_bn_eval

from poreconv.models.networks.measuring import alike
from poreconv.models.networks.network import Network, samples_of
from poreconv.models.networks.outside import OutsideNetwork

# B batch, C classes, K outputs of a frame, F frames, T samples

TRIED = ((1, 100), (3, 17))
"""Windows by which a rewritten network from outside is compared with itself: how many, and of how many alignments."""

FOLDED, FOLDED_BF16 = 1e-4, 0.1
"""Largest differences, relative to the largest output, of the rewritten network: in fp32, and in bf16."""


class FusedNetwork(nn.Module):
    """A network with its batch normalisation folded into the convolutions, which work on images one pixel high.

    Torch and oneDNN keep images channels last: all channels of a frame lie side by side, as a convolution reads them.
    On a CPU that is one and a half times as fast as the 1-D convolution, in bf16 three times.

    Args:
        network: A network of bounded context; it is not changed. Its operations between convolutions must work with any
            number of axes between channels and frames.
        dtype: Type in which it computes, except for its last convolution, which is always fp32: rounding the logits
            would make neighbouring peaks equal.
    """

    def __init__(self, network: Network, dtype: torch.dtype = torch.float32) -> None:
        super().__init__()
        self._alignment, self._n_classes, self._dtype = network.alignment, network.n_classes, dtype
        traced = fold_norms(fx.symbolic_trace(FrameLogits(deepcopy(network).eval())))
        for name, layer in list(traced.named_modules()):
            if type(layer) in OF_IMAGES:
                traced.set_submodule(name, OF_IMAGES[type(layer)](layer).to(dtype))
        last = [name for name, layer in traced.named_modules() if isinstance(layer, nn.Conv2d)][-1]
        traced.set_submodule(last, InFp32(traced.get_submodule(last)))
        self.frames: nn.Module = traced
        self.eval().requires_grad_(False)
        nn.Module.to(self, memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch's stubs lack it

    def forward(self, x_B1T: Tensor) -> Tensor:
        """Return the network's logits.

        Args:
            x_B1T: Normalised signal.

        Returns:
            Shape ``(B, C, T)``.
        """
        n_samples = x_B1T.shape[-1]
        # In this form the exporter can divide it further.
        n_whole = (n_samples + self._alignment - 1) // self._alignment
        filled = functional.pad(x_B1T, (0, n_whole * self._alignment - n_samples))
        image_B11T = filled[:, :, None].to(self._dtype, memory_format=torch.channels_last)
        frames_BK1F: Tensor = self.frames(image_B11T)
        return samples_of(frames_BK1F[:, :, 0], self._n_classes)[:, :, :n_samples]


def fastest(network: Network, dtype: torch.dtype = torch.float32) -> nn.Module:
    """Return a network as it runs fastest: rewritten or, where that is not possible, as it is, in fp32.

    A network from outside is tried: its operations may need the axes as they were, or depend on numbers of the signal.

    Args:
        network: In evaluation mode; it is not changed.
        dtype: Type in which it is to compute.
    """
    if network.receptive_field is None:
        return network
    if not isinstance(network, OutsideNetwork):
        return FusedNetwork(network, dtype)
    try:
        with contextlib.redirect_stderr(io.StringIO()):  # the tracer prints the errors of what it traced
            return _folded(network, dtype)
    except Exception:  # noqa: BLE001 - whatever the user's code, or the tracer, raises: it runs as it is
        return network


@torch.inference_mode()
def _folded(network: OutsideNetwork, dtype: torch.dtype) -> nn.Module:
    """Rewrite a network from outside; the network itself if its results would be others."""
    rewritten, again, noise = FusedNetwork(network), FusedNetwork(network, dtype), torch.Generator().manual_seed(0)
    for n_rows, n_units in TRIED:
        x_B1T = torch.randn(n_rows, 1, n_units * network.alignment + 2 * network.size.margin, generator=noise)
        expected, found = network(x_B1T), again(x_B1T)
        if not alike(expected, rewritten(x_B1T), FOLDED) or not alike(expected, found, FOLDED_BF16):
            return network
    return again


class FrameLogits(nn.Module):
    """The part of a network that is rewritten: everything but splitting frames into samples."""

    def __init__(self, network: Network) -> None:
        super().__init__()
        self.network = network

    def forward(self, x_B1T: Tensor) -> Tensor:
        """Return `Network.frame_logits`.

        Args:
            x_B1T: Signal of whole frames.

        Returns:
            Shape ``(B, K, F)``.
        """
        return self.network.frame_logits(x_B1T)


class InFp32(nn.Module):
    """A layer that computes in fp32, whatever the type of its input."""

    def __init__(self, layer: nn.Module) -> None:
        super().__init__()
        self.layer = layer.float()

    def forward(self, x: Tensor) -> Tensor:
        """Return the layer's output in fp32.

        Args:
            x: Input of any floating type, in the layer's shape.
        """
        out: Tensor = self.layer(x.float())
        return out


def fold_norms(traced: fx.GraphModule) -> fx.GraphModule:
    """Fold each batch normalisation into the convolution before it, where that convolution has no other output.

    Args:
        traced: A network in evaluation mode; it is changed.

    Returns:
        The same network.
    """
    layers = dict(traced.named_modules())
    for node in list(traced.graph.nodes):
        before = node.args[0] if node.op == "call_module" else None
        if not isinstance(before, fx.Node) or before.op != "call_module" or len(before.users) > 1:
            continue
        norm, conv = layers[str(node.target)], layers[str(before.target)]
        if isinstance(norm, nn.BatchNorm1d) and isinstance(conv, nn.Conv1d):
            traced.set_submodule(str(before.target), fuse_conv_bn_eval(conv, norm))
            node.replace_all_uses_with(before)
            traced.graph.erase_node(node)
    traced.delete_all_unused_submodules()
    traced.recompile()
    return traced


def _convolution(layer: nn.Conv1d | nn.ConvTranspose1d) -> nn.Module:
    kind: type[nn.Conv2d | nn.ConvTranspose2d] = nn.Conv2d if isinstance(layer, nn.Conv1d) else nn.ConvTranspose2d
    [kernel], [stride], [dilation] = layer.kernel_size, layer.stride, layer.dilation
    wide = kind(
        layer.in_channels,
        layer.out_channels,
        (1, kernel),
        (1, stride),
        (0, int(layer.padding[0])),
        groups=layer.groups,
        bias=layer.bias is not None,
        dilation=(1, dilation),
    )
    wide.weight = nn.Parameter(layer.weight[:, :, None])
    wide.bias = layer.bias
    return wide


def _pool(layer: nn.MaxPool1d) -> nn.Module:
    return nn.MaxPool2d((1, layer.kernel_size), (1, layer.stride), (0, layer.padding))  # type: ignore[arg-type]  # numbers


def _norm(layer: nn.BatchNorm1d) -> nn.Module:
    wide = nn.BatchNorm2d(layer.num_features, layer.eps)
    wide.load_state_dict(layer.state_dict())
    return wide


OF_IMAGES: dict[type[nn.Module], Callable[[Any], nn.Module]] = {
    nn.Conv1d: _convolution,
    nn.ConvTranspose1d: _convolution,
    nn.MaxPool1d: _pool,
    nn.BatchNorm1d: _norm,  # one that does not follow a convolution
}
"""Layer -> function that makes the same layer for images."""
