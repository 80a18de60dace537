"""The networks, all ``(B,1,T) -> (B,C,T)``; `poreconv.models.architectures` has the table of them."""

from dataclasses import asdict
from pkgutil import resolve_name
from typing import Any

from poreconv.models.architectures import ARCHITECTURES
from poreconv.models.networks.network import Network
from poreconv.runtime.registry import entry


def build_network(name: str, settings: Any, n_classes: int) -> Network:
    """Make an untrained network.

    Args:
        name: Name in ``ARCHITECTURES``.
        settings: A dataclass of its settings, or a dict of their fields.
        n_classes: Number of outputs per sample.

    Raises:
        ConfigError: No such name, or a setting that is out of range.
    """
    architecture = entry(ARCHITECTURES, name, kind="network")
    network: type[Network] = resolve_name(architecture.network)
    plain = settings if isinstance(settings, dict) else asdict(settings)
    return network(architecture.settings(**plain), n_classes)
