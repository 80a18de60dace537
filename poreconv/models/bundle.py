"""A trained model in one ``.safetensors`` file: the weights, and recipe and card as JSON in its header.

Loading it runs no code.
"""

from pathlib import Path

import safetensors
import torch
from safetensors.torch import save

from poreconv.errors import BundleError, ConfigError
from poreconv.models.card import Card
from poreconv.models.header import one_line, read_header, texts_of
from poreconv.models.networks import build_network
from poreconv.models.networks.network import Network
from poreconv.models.recipe import Recipe
from poreconv.models.shipped import find_bundle
from poreconv.runtime.files import whole_file


def save_bundle(path: Path, network: Network, recipe: Recipe, card: Card | None = None) -> None:
    """Write a trained model, whole or not at all; `shipped.load_card` reads the card.

    Args:
        path: The file; its folder is made.
        network: The trained network, on any device.
        recipe: The model's recipe.
        card: Its card; None: the bundle gets none.
    """
    weights = {name: tensor.detach().cpu().contiguous() for name, tensor in network.state_dict().items()}
    with whole_file(path) as partial:
        # save_file would make a file that only its owner may read.
        partial.write_bytes(save(weights, metadata=texts_of(recipe, card)))


def load_bundle(model: Path | str) -> tuple[Network, Recipe]:
    """Read a trained model.

    Args:
        model: Its file, or the name of a shipped one.

    Returns:
        The network, in evaluation mode on the CPU, and its recipe.

    Raises:
        BundleError: The file is not a bundle, or its weights do not fit the recipe's architecture.
    """
    path = find_bundle(model)
    recipe = read_header(path).recipe
    try:
        with safetensors.safe_open(path, framework="pt") as stored:
            weights = {name: stored.get_tensor(name) for name in stored.keys()}  # noqa: SIM118 - not a dict
        with torch.device("meta"):  # a size that the recipe claims falsely allocates nothing
            network = build_network(recipe.network, recipe.network_settings, len(recipe.classes))
        network.load_state_dict(weights, assign=True)
    except (ConfigError, OSError, RuntimeError, TypeError, ValueError, safetensors.SafetensorError) as exc:
        raise BundleError(f"{path}: {one_line(exc)}; train it again with this version") from exc
    return network.float().eval(), recipe
