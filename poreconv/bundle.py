"""A trained model in one ``.safetensors`` file: weights, and the recipe as JSON in its header.

Loading it runs no code.
"""

from pathlib import Path

import safetensors
import torch
from safetensors.torch import save

from poreconv.errors import BundleError, ConfigError
from poreconv.files import whole_file
from poreconv.models import build_network
from poreconv.models.network import Network
from poreconv.recipe import Recipe


def save_bundle(path: Path, network: Network, recipe: Recipe) -> None:
    """Write a trained model, whole or not at all."""
    weights = {name: tensor.detach().cpu().contiguous() for name, tensor in network.state_dict().items()}
    with whole_file(path) as partial:
        # Not save_file: it makes files that nobody but their owner may read.
        partial.write_bytes(save(weights, metadata={"recipe": recipe.to_json()}))


def load_bundle(path: Path) -> tuple[Network, Recipe]:
    """Read a trained model.

    Returns:
        The network, in evaluation mode on the CPU, and its recipe.

    Raises:
        BundleError: The file is no bundle, or its weights are not those of the recipe's architecture.
    """
    try:
        with safetensors.safe_open(path, framework="pt") as stored:
            metadata = stored.metadata() or {}
            weights = {name: stored.get_tensor(name) for name in stored.keys()}  # noqa: SIM118 - not a dict
    except FileNotFoundError as exc:
        raise BundleError(f"{path}: no such file; give the model.safetensors that poreconv train wrote") from exc
    except (OSError, safetensors.SafetensorError) as exc:
        raise BundleError(f"{path}: not a safetensors file ({exc}); give what poreconv train wrote") from exc
    if "recipe" not in metadata:
        raise BundleError(f"{path}: holds weights but no recipe; give the model.safetensors that poreconv train wrote")
    try:
        recipe = Recipe.from_json(metadata["recipe"])
        with torch.device("meta"):  # nothing is allocated for sizes that only the recipe claims
            network = build_network(recipe.model, recipe.model_config, len(recipe.classes))
        network.load_state_dict(weights, assign=True)
    except (ConfigError, RuntimeError, TypeError, ValueError) as exc:
        raise BundleError(f"{path}: {_first_line(exc)}; train it again with this version") from exc
    return network.float().eval(), recipe


def _first_line(exc: Exception) -> str:
    return " ".join(str(exc).split())[:300]
