"""What a module from outside sees of the signal, and what it costs, measured: nothing of it is believed."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from poreconv.models.networks.probe import Probe
from poreconv.models.size import Measured, NetworkSize

# B batch, C classes, T samples, F frames

MULTIPLES = (1, 2, 3, 4, 5, 6, 8, 10, 12, 16, 20, 24, 32, 48, 64, 96, 128, 192, 256)
"""Multiples of the unit of windows that may be the alignment."""

SHORTEST, LONGEST = 256, 1 << 14
"""Samples of the shortest and of the longest window in which the reach is looked for."""

MOST_MACS = 2e10
"""Multiply-adds of one pass: a few seconds on a core. Windows longer than twice a training window stay below it."""

SUPERLINEAR = 1.1
"""Growth of the cost per sample from a window to one twice as long, from which each sample sees all others."""

COUNTED = 4 * SHORTEST
"""Samples of the longest window whose cost is counted: with a recurrent layer that takes a millisecond per frame."""

MOST_PHASES = 64
"""Places in a period of the alignment at which the reach is measured."""

INPUTS = 8
"""Random inputs of each gradient: for some of them a ReLU or a maximum passes nothing on."""


def measure(name: str, module: nn.Module, n_classes: int, window: int) -> Measured:
    """Measure receptive field, alignment, stride and cost of a module.

    Args:
        name: Its name, for messages.
        module: ``(B,1,T) -> (B,C,F)``, deterministic in evaluation mode; it is not changed.
        n_classes: Classes that it should return, C.
        window: Samples of a training window. The alignment of a module without a bounded reach is this length.

    Raises:
        ConfigError: It cannot label a window.
    """
    probe = Probe(name, module, n_classes, window)
    field, alignment = _bounded(probe, window) or (None, _whole(window, probe.unit))
    n_parameters = sum(parameter.numel() for parameter in module.parameters())
    macs = _macs_per_sample(probe, _whole(window, alignment))
    return Measured(NetworkSize(field, alignment, n_parameters, macs), probe.stride)


def _macs_per_sample(probe: Probe, n_samples: int) -> float:
    """Return the multiply-adds per sample of a window; of a long one from two shorter ones, as they grow by a line."""
    near, far = _whole(COUNTED // 2, probe.unit), _whole(COUNTED, probe.unit)
    if n_samples <= 2 * far or not (probe.labels(near) and probe.labels(far)):
        return probe.macs_per_sample(n_samples)
    first, second = probe.macs_per_sample(near), probe.macs_per_sample(far)
    return first + (second - first) * (n_samples - near) / (far - near)


def _whole(n_samples: int, unit: int) -> int:
    """Round a length up to a multiple of a unit."""
    return -(-n_samples // unit) * unit


def _bounded(probe: Probe, window: int) -> tuple[int, int] | None:
    """Return receptive field and alignment; None if the module sees whole windows, or their length matters."""
    reach = _grown(probe, window)
    alignment = None if reach is None else _alignment(probe, reach)
    if reach is None or alignment is None:
        return None
    n_samples = _whole(max(2 * reach, SHORTEST), alignment) + 4 * alignment
    phases = torch.linspace(0, alignment - 1, min(alignment, MOST_PHASES)).long().tolist()
    affordable = MOST_MACS / (probe.macs_per_sample(n_samples) * n_samples * len(phases) + 1)
    found = _reach(probe, n_samples, alignment, phases, n_inputs=min(max(int(affordable), 1), INPUTS))
    if found is None:
        return None
    size = NetworkSize(1 + 2 * max(reach, found), alignment, 0, 0)
    return (size.receptive_field or 0, alignment) if is_seamless(probe, size, probe.dtype, probe.rounding) else None


def _grown(probe: Probe, window: int) -> int | None:
    """Measure the reach in longer and longer windows, until it grows no more; None if it goes on growing."""
    reach, n_samples, macs = None, _whole(SHORTEST, probe.unit), 0.0
    while n_samples <= 2 * window or n_samples <= min(LONGEST, MOST_MACS / (macs + 1)):
        if probe.labels(n_samples):
            found = _reach(probe, n_samples, probe.unit, sorted({0, probe.unit // 2, probe.unit - 1}), n_inputs=1)
            if found is not None and reach is not None and found <= reach:
                return reach
            reach, before = found, macs
            if SHORTEST < n_samples <= COUNTED:
                macs = probe.macs_per_sample(n_samples)
            if before and macs > SUPERLINEAR * before:
                return None
        n_samples *= 2
    return None


def _reach(probe: Probe, n_samples: int, unit: int, phases: Sequence[int], *, n_inputs: int) -> int | None:
    """Measure how far outputs in the middle of a window see, to either side; None if they see one of its ends."""
    middle, reach = n_samples // 2 // unit * unit, 0
    for sample, output in probe.seen(n_samples, [middle + phase for phase in phases], n_inputs):
        both = torch.cat([sample, output])
        if ((both == 0) | (both == n_samples - 1)).any():
            return None
        reach = max(reach, *(sample - output).abs().tolist()) if len(sample) else reach
    return reach


@torch.no_grad()
def _alignment(probe: Probe, reach: int) -> int | None:
    """Return the least number of samples by which the output moves with the input; None: it depends on the place."""
    for multiple in MULTIPLES:
        step = multiple * probe.unit
        margin = _whole(max(reach + step, SHORTEST // 2), step)
        n_samples = 2 * margin + 4 * step
        x_B1T = probe.noise(1, n_samples + step)
        moved = probe(x_B1T[..., step:])[..., margin:-margin]
        if alike(probe(x_B1T[..., :-step])[..., margin + step : n_samples - margin + step], moved, probe.rounding):
            return step
    return None


def alike(one: Tensor, other: Tensor, rounding: float) -> bool:
    """Return whether two outputs are the same but for rounding.

    Args:
        one: An output.
        other: Another of its shape.
        rounding: Largest difference, relative to the largest output.
    """
    return bool((one - other).abs().max() <= rounding * one.abs().max())


@torch.no_grad()
def is_seamless(run: Callable[[Tensor], Tensor], size: NetworkSize, dtype: torch.dtype, rounding: float) -> bool:
    """Return whether pieces of a random signal, each with its margins, are labelled like the whole.

    Args:
        run: The network, ``(B,1,T) -> (B,C,T)``.
        size: Its receptive field and alignment.
        dtype: In which it computes.
        rounding: See `alike`.
    """
    margin, step = size.margin, _whole(SHORTEST, size.alignment)
    x_B1T = torch.randn(1, 1, 2 * margin + 8 * step, generator=torch.Generator().manual_seed(0), dtype=dtype)
    whole = run(x_B1T)
    places = [(margin + first * step, margin + last * step) for first, last in ((0, 1), (1, 3), (3, 8))]
    pieces = [run(x_B1T[..., start - margin : end + margin])[..., margin:][..., : end - start] for start, end in places]
    return all(
        alike(whole[..., start:end], piece, rounding) for (start, end), piece in zip(places, pieces, strict=True)
    )
