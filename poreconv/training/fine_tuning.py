"""Training that starts from another model: its architecture, its weights, and which of them stay as they are."""

import warnings
from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any

from torch import Tensor

from poreconv.config import Preset, TrainConfig, require
from poreconv.errors import ConfigError
from poreconv.models.bundle import load_bundle
from poreconv.models.header import ONNX, one_line, read_header
from poreconv.models.networks.choice import NetworkChoice, choose_network
from poreconv.models.networks.network import Network
from poreconv.models.networks.outside import Own
from poreconv.models.own import require_own
from poreconv.models.recipe import Recipe
from poreconv.models.shipped import find_bundle
from poreconv.training.distributed import is_first

UNKNOWN_HEAD = "which weights are the head is known only of a network that is called with n_classes"


def network_asked(network: str | Own | None, settings: Any, config: TrainConfig) -> NetworkChoice:
    """Find the network to train: the one asked for, else that of the model to start from, else a unet.

    Args:
        network: See `choose_network`; None: none is asked for.
        settings: See `choose_network`; None: those of the model to start from, else the defaults.
        config: With the model to start from, if there is one.

    Raises:
        ConfigError: There is no such network or setting.
        BundleError: The model to start from is not a trained model, or its network is the user's own and not given.
    """
    if config.start_from is None:
        return choose_network(Preset.network if network is None else network, settings)
    path = find_bundle(config.start_from)
    require(path.suffix != ONNX, f"start_from: {path} is an exported model; give the bundle that it was made of")
    before = read_header(path).recipe
    if network is None:
        require_own(before, None, path)
        network = before.network
    if settings is None and network == before.network and before.own_network is None:
        load_bundle(path)  # before a network is made of the settings that it states: its weights must fit them
    alike = before.own_network is not None or network == before.network
    return choose_network(network, before.network_settings if settings is None and alike else settings)


def start_from(model: str, choice: NetworkChoice, network: Network, recipe: Recipe) -> Recipe:
    """Load another model's weights into a network; where the classes are others, its head starts anew.

    Args:
        model: The other model's file, or the name of a shipped model.
        choice: The network and its settings.
        network: The same, built; receives the weights.
        recipe: Recipe of the training.

    Returns:
        The recipe, with the data that the other model was trained on added.

    Raises:
        ConfigError: The model has another architecture or size; or other classes, and its head is not known.
        BundleError: The file is not a bundle, or its network is the user's own and not given.
    """
    own = read_header(find_bundle(model)).recipe.own_network is not None
    other, before = load_bundle(model, choice.own if own else None)
    renewed = choice.head(network) if before.classes != recipe.classes else frozenset()
    try:
        require(own or before.network == recipe.network, f"it is a {before.network}")
        _load_kept(network, other.state_dict(), renewed, known=bool(renewed) or before.classes == recipe.classes)
    except (ConfigError, RuntimeError) as exc:
        raise ConfigError(
            f"start_from: {model} does not fit a {recipe.network} of these settings with classes"
            f" {', '.join(recipe.classes)}: {one_line(exc)}; leave out network and settings to take its own"
        ) from exc
    if renewed and is_first():
        warnings.warn(
            f"start_from: {model} was trained for {', '.join(before.classes)}, and this training is for"
            f" {', '.join(recipe.classes)}: the head ({', '.join(sorted(renewed))}) starts anew",
            stacklevel=2,
        )
    confounded_classes = tuple(sorted({*recipe.confounded, *before.confounded} & {*recipe.classes}))
    return replace(recipe, before=before.seen, confounded=confounded_classes)


def _load_kept(network: Network, weights: Mapping[str, Tensor], renewed: Collection[str], *, known: bool) -> None:
    """Load all weights but those of a head that starts anew."""
    require(known, f"it has other classes, and {UNKNOWN_HEAD}")
    kept = {name: weight for name, weight in weights.items() if name not in renewed}
    own = network.state_dict()
    lacking = own.keys() - kept.keys() - {*renewed}
    require(not lacking, f"it has no {', '.join(sorted(lacking))}")
    network.load_state_dict({name: own[name] for name in renewed} | kept)


def freeze_below(network: Network, head: Collection[str]) -> None:
    """Keep all weights below the head as they are, and the statistics by which they normalise; nothing is dropped out.

    Args:
        network: To be trained.
        head: Names of the head's weights.

    Raises:
        ConfigError: The head is not known.
    """
    require(bool(head), f"freeze: {UNKNOWN_HEAD}; leave it out")
    for name, weight in network.named_parameters():
        weight.requires_grad_(name in head)
    for name, layer in network.named_modules():
        within = f"{name}." if name else ""
        layer.training = any(weight.startswith(within) for weight in head)
