"""The network that a user gives for a bundle of their own; what the bundle names is never imported."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from poreconv.config import require
from poreconv.errors import BundleError
from poreconv.models.recipe import Recipe
from poreconv.runtime.registry import brought, is_own, sent

Networks = Any
"""What a user gives for the network of a bundle: a name such as ``my.py:Net``, a class or function, or a module; or a
mapping to such from the name in the recipe; None: nothing."""


def require_own(recipe: Recipe, networks: Networks, path: Path) -> None:
    """Check that a user gave the network of a bundle, where it is their own; nothing is imported.

    Args:
        recipe: Of the bundle.
        networks: What the user gave.
        path: The bundle, for messages.

    Raises:
        BundleError: The network is the user's own, and not given.
        ConfigError: It is given, and the model has no need of it.
    """
    mapped = isinstance(networks, Mapping)
    if recipe.own_network is None:
        needed = mapped or networks is None
        require(needed, f"{path}: its network is {recipe.network}, which poreconv builds; leave out --network")
    elif networks is None or (mapped and recipe.network not in networks):
        module, _, name = recipe.network.rpartition(":")
        typed = recipe.network if is_own(recipe.network) and module != "__main__" else f"my.py:{name}"
        raise BundleError(
            f"{path}: its network {recipe.network} is your own, and what a file names is not imported; give it, as"
            f" --network {typed}, in Python networks={{{recipe.network!r}: {name}}}"
        )


def sent_networks(networks: Networks) -> Networks:
    """Return what a user gave as it is sent to other processes; see `sent`.

    Args:
        networks: What the user gave.
    """
    if isinstance(networks, Mapping):
        return {name: sent_networks(own) for name, own in networks.items()}
    return sent(networks)


def names_in(networks: Networks) -> list[str]:
    """Return the names among what a user gave; classes, functions and modules have none.

    Args:
        networks: What the user gave.
    """
    given = list(networks.values()) if isinstance(networks, Mapping) else [networks]
    return [own for own in given if isinstance(own, str)]


def own_network(recipe: Recipe, networks: Networks, path: Path) -> Any:
    """Return what a user gave for the network of a bundle, imported if it is a name.

    Args:
        recipe: Of the bundle.
        networks: What the user gave.
        path: The bundle, for messages.

    Returns:
        A class, a function or a module; None if the network is one of ``ARCHITECTURES``.

    Raises:
        BundleError: The network is the user's own, and not given.
        ConfigError: It is given and the model has no need of it, or it cannot be imported.
    """
    require_own(recipe, networks, path)
    if recipe.own_network is None:
        return None
    own = networks[recipe.network] if isinstance(networks, Mapping) else networks
    return brought(own, kind="network")
