"""Networks that users bring: any module ``(B,1,T) -> (B,C,F)``, with one frame per sample or per so many samples."""

from collections.abc import Callable, Mapping
from copy import deepcopy
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from poreconv.config import require
from poreconv.models.networks.measuring import SHORTEST, is_seamless, measure
from poreconv.models.networks.network import Network, samples_of
from poreconv.models.networks.probe import frames_of
from poreconv.models.size import Measured
from poreconv.runtime.registry import called, errors_of, parameters_of

# B batch, C classes, F frames, W windows, K logits of a frame or window, T samples

WINDOWS_AT_ONCE = 8
"""Windows of a read that go through the network together, where it labels whole windows."""

ROUNDING = 1e-3
"""Largest difference in fp32, relative to the largest output, of outputs that should be the same."""

Own = nn.Module | Callable[..., nn.Module]
"""What a user brings: a module; or its class, or a function, which is called."""


class OutsideNetwork(Network):
    """A module from outside, with the contract of `Network`.

    Frames are repeated for each of their samples. A module without a bounded reach labels windows of its training
    length, which follow one another from the first sample; the last one is filled up with zeros.

    Args:
        name: The name under which the user brought it.
        module: ``(B,1,T) -> (B,C,F)``.
        n_classes: Classes that it returns, C.
        measured: What it sees and costs; see `measure`.
    """

    def __init__(self, name: str, module: nn.Module, n_classes: int, measured: Measured) -> None:
        super().__init__(None, n_classes)
        self.name, self.module, self.measured = name, module, measured

    @property
    def receptive_field(self) -> int | None:
        """As measured."""
        return self.measured.size.receptive_field

    @property
    def alignment(self) -> int:
        """As measured; without a bounded reach, the length of a window."""
        return self.measured.size.alignment

    @property
    def macs_per_sample(self) -> float:
        """As measured."""
        return self.measured.size.macs_per_sample

    def frame_logits(self, x_B1T: Tensor) -> Tensor:
        """Return the logits at all samples of each frame or, without a bounded reach, of each window.

        Args:
            x_B1T: Signal; T is a multiple of the alignment.

        Returns:
            Shape ``(B, C * stride, F)``, or ``(B, C * window, W)``.
        """
        if self.receptive_field is not None:
            return self._repeated(x_B1T)
        windows = x_B1T.reshape(-1, 1, self.alignment)
        at_once = len(windows) if self.training else WINDOWS_AT_ONCE
        some = [samples_of(self._repeated(several), self.n_classes) for several in torch.split(windows, at_once)]
        logits_BWK = torch.cat(some).reshape(len(x_B1T), -1, self.n_classes * self.alignment)
        return logits_BWK.transpose(1, 2)

    def _repeated(self, x_B1T: Tensor) -> Tensor:
        """Return the module's logits, those of a frame for each of its samples, shape ``(B, C * stride, F)``."""
        frames_BCF: Tensor = self.module(x_B1T)
        return frames_BCF if self.measured.stride == 1 else frames_BCF.repeat_interleave(self.measured.stride, 1)


def build_outside(name: str, own: Own, settings: Mapping[str, Any], n_classes: int, window: int) -> OutsideNetwork:
    """Make an untrained network of what a user brings, and measure it.

    Args:
        name: The name under which the user brought it.
        own: See `module_of`.
        settings: See `module_of`.
        n_classes: Classes that it should return.
        window: Samples of a training window.

    Raises:
        ConfigError: It cannot be made, or does not label a window.
    """
    module = module_of(name, own, settings, n_classes)
    with torch.random.fork_rng(devices=[]), errors_of(name, "labelling random windows"):
        return OutsideNetwork(name, module, n_classes, measure(name, module, n_classes, window))


def rebuild_outside(
    name: str,
    own: Own,
    settings: Mapping[str, Any],
    n_classes: int,
    measured: Measured,
    weights: Mapping[str, Tensor],
) -> OutsideNetwork:
    """Make a trained network, and check that it still is what was measured before it was trained.

    Args:
        name: The name under which the user brought it.
        own: See `module_of`.
        settings: Those of its training; a module that is given has them in it.
        n_classes: Classes that it should return.
        measured: What was measured.
        weights: Its trained weights.

    Returns:
        The network, in evaluation mode on the CPU.

    Raises:
        ConfigError: It cannot be made, or differs from what was trained.
        RuntimeError: The weights do not fit.
    """
    by_keyword = {} if isinstance(own, nn.Module) else settings
    network = OutsideNetwork(name, module_of(name, own, by_keyword, n_classes).cpu(), n_classes, measured)
    network.load_state_dict(weights)
    require(
        _is_as_measured(network.float().eval()),
        f"{name}: differs from the network that was measured before training; give the code that was trained, or train"
        " again",
    )
    return network


@torch.no_grad()
def _is_as_measured(network: OutsideNetwork) -> bool:
    size, stride = network.size, network.measured.stride
    bounded = size.receptive_field is not None
    window = torch.zeros(1, 1, size.alignment * (-(-SHORTEST // size.alignment) if bounded else 1))
    n_frames = frames_of(network.name, network.module, window, network.n_classes).shape[-1]
    return n_frames * stride == window.shape[-1] and (
        not bounded or is_seamless(network, size, torch.float32, ROUNDING)
    )


def module_of(name: str, own: Own, settings: Mapping[str, Any], n_classes: int) -> nn.Module:
    """Make the module that a user brings.

    Args:
        name: The name under which the user brought it, for messages.
        own: A module, of which a copy is returned; or its class, or a function, which is called with the settings by
            keyword, and with ``n_classes=`` if it has that parameter.
        settings: Plain values by keyword; a module itself has none.
        n_classes: Classes that it should return.

    Raises:
        ConfigError: Calling it fails, or does not return a module.
    """
    if isinstance(own, nn.Module):
        require(not settings, f"{name}: is a module already, so settings have no effect; leave them out")
        with errors_of(name, "copying it"):
            return deepcopy(own)
    with errors_of(name, "making it"):
        module = called(partial(own, **settings), n_classes=n_classes)
    kind = type(module).__name__
    require(isinstance(module, nn.Module), f"{name}: returned a {kind}; a torch.nn.Module is expected")
    return module


def takes_classes(own: Own) -> bool:
    """Return whether what a user brings is called with the number of classes.

    Args:
        own: A module, its class, or a function.
    """
    return not isinstance(own, nn.Module) and "n_classes" in parameters_of(own)
