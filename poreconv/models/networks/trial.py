"""A trial of a network from outside: all that can fail of it is tried on one window, before it is trained."""

from collections.abc import Callable, Mapping
from copy import deepcopy

import safetensors.torch
import torch
from torch import Tensor

from poreconv.config import require
from poreconv.models.networks.measuring import alike
from poreconv.models.networks.network import weights_of
from poreconv.models.networks.outside import ROUNDING, OutsideNetwork
from poreconv.runtime.registry import errors_of

# B batch, C classes, T samples

Rebuild = Callable[[Mapping[str, Tensor]], OutsideNetwork]
"""Makes the network again from its weights."""

ROWS = 3
"""Windows of the trial: in a batch, each must be labelled as if it were alone."""


def try_network(
    network: OutsideNetwork, window: int, rebuild: Rebuild, *, device: torch.device, dtype: torch.dtype = torch.float32
) -> None:
    """Label a window, take a training step's gradient, save and rebuild the network.

    Args:
        network: The untrained network; it is not changed.
        window: Samples of a training window.
        rebuild: Makes it again, as it will be for labelling.
        device: On which it will be trained.
        dtype: In which it will be trained.

    Raises:
        ConfigError: Something fails; the message is one line.
    """
    x_B1T = torch.randn(ROWS, 1, window, generator=torch.Generator().manual_seed(0))
    trials: dict[str, Callable[[], None]] = {
        "labelling a window": lambda: _try_labelling(network, x_B1T),
        "a training step": lambda: _try_training(network, x_B1T.to(device), dtype),
        "saving and loading it": lambda: _try_weights(network, x_B1T, rebuild),
    }
    for what, trial in trials.items():
        with torch.random.fork_rng(devices=[]), errors_of(network.name, what):
            trial()


@torch.no_grad()
def _try_labelling(network: OutsideNetwork, x_B1T: Tensor) -> None:
    network = deepcopy(network).eval()
    logits_BCT = network(x_B1T)
    require(
        bool(logits_BCT.isfinite().all()), f"{network.name}: returned numbers that are not finite for random signal"
    )
    require(
        alike(logits_BCT, network(x_B1T), ROUNDING),
        f"{network.name}: returned other outputs for the same window in evaluation mode; switch off what is random"
        " there, such as functional.dropout(x, p, self.training)",
    )
    require(
        alike(logits_BCT[1:2], network(x_B1T[1:2]), ROUNDING),
        f"{network.name}: the outputs of a window depend on the other windows of its batch; such are attention without"
        " batch_first=True, and batch norm with track_running_stats=False",
    )


def _try_training(network: OutsideNetwork, x_B1T: Tensor, dtype: torch.dtype) -> None:
    network = deepcopy(network).to(x_B1T.device).train()
    weights = [weight for weight in network.parameters() if weight.requires_grad]
    require(bool(weights), f"{network.name}: has no weights to train; give it parameters that require a gradient")
    with torch.autocast(x_B1T.device.type, dtype, enabled=dtype != torch.float32):
        logits_BCT = network(x_B1T)
    message = f"{network.name}: no gradient reaches its weights; leave out detach() and no_grad()"
    require(logits_BCT.requires_grad, message)
    logits_BCT.float().logsumexp(1).mean().backward()
    gradients = [weight.grad for weight in weights if weight.grad is not None]
    require(bool(gradients), message)
    finite = all(bool(gradient.isfinite().all()) for gradient in gradients)
    require(finite, f"{network.name}: the gradient of its weights is not finite for random signal")


@torch.no_grad()
def _try_weights(network: OutsideNetwork, x_B1T: Tensor, rebuild: Rebuild) -> None:
    other = [key for key, value in network.state_dict().items() if not isinstance(value, Tensor)]
    require(not other, f"{network.name}: {', '.join(other)} in its state_dict: only tensors can be saved")
    weights = safetensors.torch.load(safetensors.torch.save(weights_of(network)))
    require(
        alike(deepcopy(network).eval()(x_B1T), rebuild(weights)(x_B1T), ROUNDING),
        f"{network.name}: made again from its class, settings and saved weights, it returned other outputs; keep every"
        " tensor that they depend on as a parameter or a buffer",
    )
