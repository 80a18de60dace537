"""The networks, all ``(B,1,T) -> (B,C,T)``; `poreconv.models.architectures` contains their table."""

from pkgutil import resolve_name
from typing import Any

from poreconv.models.architectures import ARCHITECTURES
from poreconv.models.networks.network import Network
from poreconv.runtime.records import from_plain
from poreconv.runtime.registry import entry


def build_network(name: str, settings: Any, n_classes: int) -> Network:
    """Make an untrained network.

    Args:
        name: Name in ``ARCHITECTURES``.
        settings: Its settings: the architecture's dataclass, or a dict of the fields, such as a recipe's.
        n_classes: Number of outputs per sample.

    Raises:
        ConfigError: There is no such name or setting, or a setting has the wrong type or is out of range.
    """
    architecture = entry(ARCHITECTURES, name, kind="network")
    network: type[Network] = resolve_name(architecture.network)
    if isinstance(settings, dict):
        settings = from_plain(settings, architecture.settings, f"settings of {name}")
    return network(settings, n_classes)
