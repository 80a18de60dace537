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
    chosen = settings_of(name, settings) if isinstance(settings, dict) else settings
    network: type[Network] = resolve_name(entry(ARCHITECTURES, name, kind="network").network)
    return network(chosen, n_classes)


def settings_of(name: str, fields: dict[str, Any]) -> Any:
    """Return the settings of an architecture, checked.

    Args:
        name: Name in ``ARCHITECTURES``.
        fields: Of its dataclass, such as a recipe's.

    Raises:
        ConfigError: There is no such name or setting, or a setting has the wrong type or is out of range.
    """
    return from_plain(fields, entry(ARCHITECTURES, name, kind="network").settings, f"settings of {name}")
