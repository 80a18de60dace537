"""A copy of a module from outside, of which it is found out what its outputs depend on.

Two ways show it. A sample that is not a number makes every output that depends on it not a number, however little:
through a recurrent layer too, whose gradients fade. And the gradient of one output is not 0 at the samples on which it
depends, where code that treats such numbers apart stops the first way.
"""

from collections.abc import Iterator, Sequence
from copy import deepcopy

import torch
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from poreconv.errors import ConfigError
from poreconv.runtime.registry import errors_of

# B batch, C classes, T samples, F frames

UNITS = (*range(1, 65), 80, 96, 128, 160, 192, 256, 320, 384, 512, 640, 768, 1024)
"""Numbers of samples of which windows may have to be multiples."""

FILLED = 0.1
"""SD of what is put in place of weights that are 0."""

AT_ONCE = 1 << 14
"""Samples that go through the module together: less than in a usual batch of training."""


class Probe:
    """A copy of a module, in evaluation mode, on the CPU, and in double precision where it computes in that.

    Args:
        name: Its name, for messages.
        module: ``(B,1,T) -> (B,C,F)``; it is not changed.
        n_classes: Classes that it should return, C.
        window: Samples of a training window.

    Raises:
        ConfigError: It cannot label a window.
    """

    def __init__(self, name: str, module: nn.Module, n_classes: int, window: int) -> None:
        self.name, self._n_classes = name, n_classes
        self._noise = torch.Generator().manual_seed(0)
        for self.dtype in (torch.float64, torch.float32):
            copied = deepcopy(module).cpu().eval()
            self._module = copied.double() if self.dtype == torch.float64 else copied.float()
            self._fill_zeros()
            self.unit, self.stride = self._unit_and_stride(window)
            if self.stride:
                return
        self._label(window)
        raise ConfigError(f"{name}: returned {self._n_frames(window):,} frames for {window:,} samples; {EXPECTED}")

    @torch.no_grad()
    def _fill_zeros(self) -> None:
        """Draw weights that are 0 before training: what they multiply would not be seen."""
        for weight in self._module.parameters():
            if weight.is_floating_point():
                drawn = torch.randn(weight.shape, generator=self._noise, dtype=weight.dtype)
                weight.copy_(torch.where(weight == 0, FILLED * drawn, weight))

    def _unit_and_stride(self, window: int) -> tuple[int, int]:
        """Find the number of samples of which windows are multiples, and the samples per frame; 0 if there are none."""
        for unit in UNITS:
            lengths = [(-(-window // unit) + more) * unit for more in (0, 1, 3)]
            strides = {self._stride(n) for n in lengths}
            if len(strides) == 1 and (stride := strides.pop()):
                return unit, stride
        return window, self._stride(window)

    def _stride(self, n_samples: int) -> int:
        """Return the samples per frame in a window; 0 if it cannot be labelled, or if some samples have no frame."""
        try:
            n_frames = self._n_frames(n_samples)
        except ConfigError:
            return 0
        return 0 if n_samples % n_frames else n_samples // n_frames

    def _n_frames(self, n_samples: int) -> int:
        return self._label(n_samples).shape[-1]

    def _label(self, n_samples: int) -> Tensor:
        with torch.no_grad():
            return frames_of(self.name, self._module, self.noise(1, n_samples), self._n_classes)

    def labels(self, n_samples: int) -> bool:
        """Return whether the module labels windows of some length.

        Args:
            n_samples: The length.
        """
        return self._stride(n_samples) == self.stride

    @property
    def rounding(self) -> float:
        """Largest difference, relative to the largest output, of outputs that are the same but for rounding."""
        return 1e-8 if self.dtype == torch.float64 else 1e-4

    def noise(self, n_rows: int, n_samples: int) -> Tensor:
        """Return random signals, shape ``(B, 1, T)``.

        Args:
            n_rows: Their number, B.
            n_samples: Their length, T.
        """
        return torch.randn(n_rows, 1, n_samples, generator=self._noise, dtype=self.dtype)

    def __call__(self, x_B1T: Tensor) -> Tensor:
        """Return the outputs, those of a frame at each of its samples.

        Args:
            x_B1T: Signals, T a multiple of ``unit``.

        Returns:
            Shape ``(B, C, T)``.
        """
        frames_BCF: Tensor = self._module(x_B1T * 1)  # a module may change its input in place
        return frames_BCF.repeat_interleave(self.stride, -1)

    def macs_per_sample(self, n_samples: int) -> float:
        """Count the multiply-adds per sample.

        Args:
            n_samples: Length of the window, a multiple of ``unit``.
        """
        x_B1T = self.noise(1, n_samples).requires_grad_()  # fused layers, which are not counted, have no gradient
        with sdpa_kernel(SDPBackend.MATH), FlopCounterMode(display=False) as counted:  # nor is fused attention
            self(x_B1T)
        return float(counted.get_total_flops()) / 2 / n_samples

    def seen(self, n_samples: int, places: Sequence[int], n_inputs: int) -> Iterator[tuple[Tensor, Tensor]]:
        """Find which samples outputs depend on, in both ways.

        Args:
            n_samples: Length of the window, a multiple of ``unit``.
            places: Samples that are not a number in turn, and outputs whose gradients are taken.
            n_inputs: Random inputs of each gradient.

        Yields:
            Of some pairs, the samples and the outputs that depend on them, shape ``(n,)`` each.
        """
        rows = max(AT_ONCE // n_samples, 1)
        for several in torch.split(torch.tensor(places), rows):
            row, output = self._not_a_number(n_samples, several).nonzero(as_tuple=True)
            yield several[row], output
        for several in torch.split(torch.tensor(places).repeat(n_inputs), rows):
            row, sample = self._gradient(n_samples, several).nonzero(as_tuple=True)
            yield sample, several[row]

    def _not_a_number(self, n_samples: int, places_B: Tensor) -> Tensor:
        """Return which outputs a sample that is not a number reaches, shape ``(B, T)``; none if it raises an error."""
        x_B1T = self.noise(len(places_B), n_samples)
        x_B1T[torch.arange(len(x_B1T)), 0, places_B] = torch.nan
        try:
            with torch.no_grad():
                return self(x_B1T).isnan().any(1)
        except Exception:  # noqa: BLE001 - code of the user, such as a look-up by the signal; the gradient remains
            return torch.zeros(len(x_B1T), n_samples, dtype=torch.bool)

    def _gradient(self, n_samples: int, places_B: Tensor) -> Tensor:
        """Return at which samples the gradient of an output is not 0, shape ``(B, T)``."""
        x_B1T = self.noise(len(places_B), n_samples).requires_grad_()
        out_BCT = self(x_B1T)
        if not out_BCT.requires_grad:
            return torch.zeros(len(x_B1T), n_samples, dtype=torch.bool)
        weight_BC = torch.rand(out_BCT.shape[:2], generator=self._noise, dtype=self.dtype)
        total = (out_BCT[torch.arange(len(x_B1T)), :, places_B] * weight_BC).sum()
        [gradient_B1T] = torch.autograd.grad(total, x_B1T, allow_unused=True, materialize_grads=True)
        return gradient_B1T[:, 0] != 0


EXPECTED = "return one frame per sample, or per so many samples (T / stride); pad the convolutions for that"


def frames_of(name: str, module: nn.Module, x_B1T: Tensor, n_classes: int) -> Tensor:
    """Run a module from outside, and check what it returns.

    Args:
        name: Its name, for messages.
        module: The module.
        x_B1T: Signals.
        n_classes: Classes that it should return, C.

    Returns:
        Shape ``(B, C, F)``.

    Raises:
        ConfigError: It fails, or returns something else.
    """
    shape = tuple(x_B1T.shape)
    expected = f"a tensor ({shape[0]}, {n_classes}, {shape[2]}), or with fewer frames, is expected"
    with errors_of(name, f"labelling a window of shape {shape}"):
        out = module(x_B1T)
    if not isinstance(out, Tensor):
        raise ConfigError(f"{name}: returned a {type(out).__name__} for a window of shape {shape}; {expected}")
    fits = out.ndim == 3 and out.shape[:2] == (shape[0], n_classes) and 0 < out.shape[2] <= shape[2]
    if not fits or not out.is_floating_point():
        raise ConfigError(
            f"{name}: returned {out.dtype} of shape {tuple(out.shape)} for a window of shape {shape}; {expected}"
        )
    return out
