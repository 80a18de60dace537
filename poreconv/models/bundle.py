"""A trained model in one ``.safetensors`` file: the weights, and recipe and card as JSON in its header.

Loading it runs no code of the file's, and imports nothing that it names.
"""

from pathlib import Path

import safetensors
import torch
from safetensors.torch import save
from torch import Tensor

from poreconv.config import require
from poreconv.errors import BundleError, ConfigError
from poreconv.models.card import Card
from poreconv.models.header import one_line, read_header, texts_of
from poreconv.models.networks import build_network, settings_of
from poreconv.models.networks.network import Network, weights_of
from poreconv.models.networks.outside import Own, rebuild_outside
from poreconv.models.own import Networks, own_network
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

    Raises:
        BundleError: A weight is not finite.
    """
    weights = weights_of(network)
    _check_finite(weights, f"{path}: not written", "train it anew with a lower learning_rate")
    with whole_file(path) as partial:
        # save_file would make a file that only its owner may read.
        partial.write_bytes(save(weights, metadata=texts_of(recipe, card)))


def load_bundle(model: Path | str, networks: Networks = None) -> tuple[Network, Recipe]:
    """Read a trained model.

    Args:
        model: Its file, or the name of a shipped one.
        networks: The user's own network, if the model has one: see `own_network`.

    Returns:
        The network, in evaluation mode on the CPU, and its recipe.

    Raises:
        BundleError: The file is not a bundle, its weights do not fit the recipe's architecture or are not finite, or
            its network is the user's own and not given, or is not the one that was trained.
        ConfigError: The given network cannot be imported, or the model has no need of one.
    """
    path = find_bundle(model)
    recipe = read_header(path).recipe
    own = own_network(recipe, networks, path)
    hint = "train it again with this version" if own is None else "give the network that was trained"
    try:
        with safetensors.safe_open(path, framework="pt") as stored:
            weights = {name: stored.get_tensor(name) for name in stored.keys()}  # noqa: SIM118 - not a dict
        _check_finite(weights, f"{path}: not loaded", "train it again")
        return _built(recipe, own, weights), recipe
    except (ConfigError, OSError, RuntimeError, TypeError, ValueError, safetensors.SafetensorError) as exc:
        raise BundleError(f"{path}: {one_line(exc)}; {hint}") from exc


def _built(recipe: Recipe, own: Own | None, weights: dict[str, Tensor]) -> Network:
    name, settings, n_classes = recipe.network, recipe.network_settings, len(recipe.classes)
    if own is not None and recipe.own_network is not None:
        return rebuild_outside(name, own, settings, n_classes, recipe.own_network, weights)
    n_layers = settings_of(name, settings).n_layers
    require(n_layers <= len(weights), f"its recipe has {n_layers:,} layers, and the file {len(weights):,} tensors")
    with torch.device("meta"):  # a size that the recipe claims falsely allocates nothing
        network = build_network(name, settings, n_classes)
    network.load_state_dict(weights, assign=True)
    return network.float().eval()


def _check_finite(weights: dict[str, Tensor], what: str, hint: str) -> None:
    """Refuse NaN and infinity: one such weight makes every label of a model meaningless."""
    for name, weight in weights.items():
        if not torch.isfinite(weight).all():
            raise BundleError(f"{what}: its weight {name} is not finite; {hint}")
