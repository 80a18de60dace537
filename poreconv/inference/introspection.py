"""A look inside networks: first kernels, the layers' outputs along a read, and which samples an output depends on."""

from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from poreconv.config import require
from poreconv.errors import ConfigError
from poreconv.inference.backends.pytorch import TorchBackend
from poreconv.inference.labeller import Labeller
from poreconv.models.networks.network import Network
from poreconv.reads.read import Read

# B batch, C classes, H hidden channels, T samples, F frames

STEPS = 200
"""Steps of the path from the baseline to the read at which gradients are taken."""

AT_ONCE = 8
"""Steps in one batch: bounds the memory."""


@dataclass(frozen=True, slots=True, eq=False)
class FeatureMaps:
    """The output of one layer along a part of a read."""

    layer: str
    """The layer's name in the network."""
    values_HF: NDArray[np.float32]
    """Value of each channel at each frame, shape ``(H, F)``."""
    start: int
    """Sample at which the first frame begins."""
    samples_per_frame: int


def first_kernels(network: Network) -> NDArray[np.float32]:
    """Return the weights of the first convolution, shape ``(H, inputs, kernel size)``.

    Args:
        network: Any network; see `poreconv.models.bundle.load_bundle`.

    Raises:
        ConfigError: The network has no convolution.
    """
    convolution = next((layer for layer in network.modules() if isinstance(layer, nn.Conv1d)), None)
    if convolution is None:
        raise ConfigError(f"{type(network).__name__}: has no convolution, so no kernels; take another architecture")
    return np.asarray(convolution.weight.detach().cpu().numpy(), np.float32)


def layers(network: Network) -> list[str]:
    """Return the names of the layers that `feature_maps` accepts, in the order in which they were built.

    Args:
        network: Any network; that of a labeller on torch is ``labeller.backend.network``.
    """
    return [name for name, layer in network.named_modules() if name and not list(layer.children())]


def feature_maps(labeller: Labeller, read: Read, layer: str, *, start: int = 0, end: int | None = None) -> FeatureMaps:
    """Return the output of a layer along a part of a read; the rest of the read is context, as in labelling.

    Args:
        labeller: The model, on torch.
        read: The read.
        layer: One of `layers`.
        start: First sample, at the model's sample rate.
        end: Sample after the last; default: the read's end.

    Raises:
        ConfigError: There is no such layer, its output is not one value per channel and frame, the samples are not in
            the read, or the model's backend is not torch.
        MismatchError: The model was not trained for such reads.
        SignalError: The read is empty or flat.
    """
    network, x_n = _network_of(labeller), labeller.normalised(read)
    stop = len(x_n) if end is None else end
    _check_inside(read, start, stop, len(x_n))
    known = layers(network)
    require(layer in known, f"layer {layer!r}: not in this network; choose one of {', '.join(known)}")
    x_T, first = _with_context(network, x_n, start, stop)
    output_HF = _output(network, layer, x_T)
    per_frame = round(len(x_T) / output_HF.shape[1])
    frames = slice((start - first) // per_frame, -(-(stop - first) // per_frame))
    return FeatureMaps(layer, output_HF[:, frames], first + frames.start * per_frame, per_frame)


def _check_inside(read: Read, start: int, end: int, n_samples: int) -> None:
    inside = 0 <= start < end <= n_samples
    require(inside, f"{read.where}: has no samples {start} to {end}; choose 0 <= start < end <= {n_samples}")


def _network_of(labeller: Labeller) -> Network:
    """Return the network as it was trained."""
    backend = labeller.backend
    require(
        isinstance(backend, TorchBackend),
        "backend: layers and gradients are available on torch only; load the bundle with backend torch",
    )
    return cast(TorchBackend, backend).network


def _with_context(network: Network, x_n: NDArray[np.float32], start: int, end: int) -> tuple[Tensor, int]:
    """Return the samples that the outputs at ``[start, end)`` depend on, and the place of the first of them.

    Samples outside the read are 0. A network without a bounded receptive field gets the whole read.
    """
    if network.receptive_field is None:
        return torch.from_numpy(x_n), 0
    unit, margin = network.alignment, network.size.margin
    first, last = start // unit * unit - margin, -(-end // unit) * unit + margin
    x_T = np.zeros(last - first, np.float32)
    low, high = max(first, 0), min(last, len(x_n))
    x_T[low - first : high - first] = x_n[low:high]
    return torch.from_numpy(x_T), first


def _output(network: Network, layer: str, x_T: Tensor) -> NDArray[np.float32]:
    """Run the network, and return the output of one layer, shape ``(H, F)``."""
    caught: list[Tensor] = []

    def keep(_: nn.Module, __: Any, output: Any) -> None:
        caught.append(output)

    handle = network.get_submodule(layer).register_forward_hook(keep)
    try:
        with torch.inference_mode():
            network(x_T[None, None].to(_device(network)))
    finally:
        handle.remove()
    along = len(caught) == 1 and isinstance(caught[0], Tensor) and caught[0].ndim == 3 and len(caught[0]) == 1
    require(along, f"layer {layer!r}: has no output of one value per channel and frame; choose a convolution")
    return np.asarray(caught[0][0].float().cpu().numpy(), np.float32)


def _device(network: Network) -> torch.device:
    return next(network.parameters()).device


def saliency(labeller: Labeller, read: Read, sample: int, class_name: str) -> NDArray[np.float32]:
    """Compute how much each sample contributes to an output: integrated gradients, from a read at its median level.

    Args:
        labeller: The model, on torch.
        read: The read.
        sample: Place of the output, at the model's sample rate.
        class_name: Class whose log-odds against all other classes together are explained.

    Returns:
        What each sample of the read adds to these log-odds, shape ``(n_samples,)``. Their sum is the difference between
        the log-odds of the read and of a constant signal at its median (completeness), up to the error of the integral.
        Outside the receptive field it is 0.

    Raises:
        ConfigError: There is no such sample or class, captum is not installed, or the model's backend is not torch.
        MismatchError: The model was not trained for such reads.
        SignalError: The read is empty or flat.

    Source:
        Sundararajan, Taly & Yan 2017, Axiomatic Attribution for Deep Networks, arXiv:1703.01365.
    """
    network, x_n, classes = _network_of(labeller), labeller.normalised(read), labeller.recipe.classes
    _check_inside(read, sample, sample + 1, len(x_n))
    require(class_name in classes, f"class {class_name!r}: not one of the model's; choose one of {', '.join(classes)}")
    x_T, first = _with_context(network, x_n, sample, sample + 1)
    log_odds = LogOdds(network, sample - first, classes.index(class_name))
    found_T = _integrated_gradients(log_odds, x_T)
    out = np.zeros(len(x_n), np.float32)
    low, high = max(first, 0), min(first + len(x_T), len(x_n))
    out[low:high] = found_T[low - first : high - first]
    return out


class LogOdds(nn.Module):
    """Log-odds of one class against all others at one sample: ``(B,1,T) -> (B,)``.

    Args:
        network: ``(B,1,T) -> (B,C,T)``.
        sample: Place of the sample in the window.
        label: Number of the class.
    """

    def __init__(self, network: Network, sample: int, label: int) -> None:
        super().__init__()
        self._network, self._sample, self._label = network, sample, label

    def forward(self, x_B1T: Tensor) -> Tensor:
        """Compute the log-odds, shape ``(B,)``.

        Args:
            x_B1T: Normalised signal.
        """
        logits_BC = self._network(x_B1T)[:, :, self._sample]
        others_BC = torch.cat([logits_BC[:, : self._label], logits_BC[:, self._label + 1 :]], 1)
        odds_B: Tensor = logits_BC[:, self._label] - others_BC.logsumexp(1)
        return odds_B


def _integrated_gradients(log_odds: LogOdds, x_T: Tensor) -> NDArray[np.float32]:
    try:
        from captum.attr import IntegratedGradients
    except ImportError as exc:
        raise ConfigError("saliency: captum is not installed; pip install 'poreconv[inside]'") from exc
    x_B1T = x_T[None, None].to(next(log_odds.parameters()).device)
    found = IntegratedGradients(log_odds).attribute(x_B1T, n_steps=STEPS, internal_batch_size=AT_ONCE)
    return np.asarray(found[0, 0].detach().cpu().numpy(), np.float32)
