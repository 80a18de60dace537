"""The network that a training is asked for: one of ``ARCHITECTURES``, or the user's own."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, cast

import torch
from torch import nn

from poreconv.config import require
from poreconv.errors import ConfigError
from poreconv.models.architectures import ARCHITECTURES, Architecture
from poreconv.models.networks import build_network
from poreconv.models.networks.network import Network
from poreconv.models.networks.outside import (
    OutsideNetwork,
    Own,
    build_outside,
    module_of,
    rebuild_outside,
    takes_classes,
)
from poreconv.models.networks.trial import try_network
from poreconv.models.recipe import Setting
from poreconv.runtime.records import from_plain, to_plain
from poreconv.runtime.registry import OWN_FORMS, brought, entry, is_own, name_of, source_of


@dataclass(frozen=True, eq=False)
class NetworkChoice:
    """A network and its settings, not built yet."""

    name: str
    """Name in ``ARCHITECTURES``; or of the user's own, as they named it, or ``module:class``."""
    settings: dict[str, Any]
    """Fields of the architecture's settings; or plain values, by keyword."""
    own: Own | None = None
    """The user's own; None: it is in ``ARCHITECTURES``."""
    named: bool = False
    """Whether the user's own was asked for by its name."""

    def described(self) -> dict[str, Any]:
        """Return a hash of the source of the user's own, as JSON types; empty where there is none."""
        if self.own is None:
            return {}
        return {"network": source_of(self.name if self.named else self.own)}

    def build(self, n_classes: int, window: int) -> Network:
        """Make the network, untrained; the user's own is measured.

        Args:
            n_classes: Number of outputs per sample.
            window: Samples of a training window.

        Raises:
            ConfigError: There is no such setting, or it has the wrong type or is out of range; or the user's own cannot
                be made, or does not label a window.
        """
        if self.own is None:
            return build_network(self.name, self.settings, n_classes)
        return build_outside(self.name, self.own, self.settings, n_classes, window)

    def try_out(self, network: Network, window: int, device: torch.device, dtype: torch.dtype) -> None:
        """Try all that can fail of the user's own on one window; see `try_network`.

        Args:
            network: What `build` returned.
            window: Samples of a training window.
            device: On which it will be trained.
            dtype: In which it will be trained.

        Raises:
            ConfigError: Something fails.
        """
        own = self.own
        if own is None or not isinstance(network, OutsideNetwork):
            return
        name, settings, n_classes, measured = self.name, self.settings, network.n_classes, network.measured
        try_network(
            network,
            window,
            lambda weights: rebuild_outside(name, own, settings, n_classes, measured, weights),
            device=device,
            dtype=dtype,
        )

    def head(self, network: Network) -> frozenset[str]:
        """Return the names of the weights that depend on the number of classes; none of a module that is used as it is.

        Args:
            network: What `build` returned.

        Raises:
            ConfigError: The user's own cannot be made for another number of classes.
        """
        n_more = network.n_classes + 1
        if self.own is None:
            with torch.device("meta"):
                others = build_network(self.name, self.settings, n_more).state_dict()
        elif takes_classes(self.own):
            module = module_of(self.name, self.own, self.settings, n_more)
            others = {f"module.{name}": weight for name, weight in module.state_dict().items()}
        else:
            return frozenset()
        weights = network.state_dict()
        return frozenset(name for name, weight in others.items() if weight.shape != weights[name].shape)


def choose_network(asked: str | Own, settings: Any = None) -> NetworkChoice:
    """Find the network that a user asked for; nothing is built.

    Args:
        asked: Name in ``ARCHITECTURES``; ``my.py:Net`` or ``package.module:Net``; or a class, a function or a module.
        settings: The architecture's settings, as its dataclass or as a mapping; for the user's own a mapping of plain
            values. None: the defaults.

    Raises:
        ConfigError: There is no such network, it cannot be imported, or its settings have no form in JSON.
    """
    if isinstance(asked, str) and not is_own(asked):
        chosen = settings or _architecture(asked).settings()
        return NetworkChoice(asked, dict(chosen) if isinstance(chosen, Mapping) else asdict(chosen))
    own = brought(asked, kind="network")
    name = name_of(asked)
    require(isinstance(own, nn.Module) or callable(own), f"network {name}: is no module, and cannot be called")
    plain = _plain_settings(name, {} if settings is None else settings)
    return NetworkChoice(name, plain, own, named=isinstance(asked, str))


def _architecture(name: str) -> Architecture:
    try:
        return entry(ARCHITECTURES, name, kind="network")
    except ConfigError as exc:
        raise ConfigError(f"{exc}; or your own, as {OWN_FORMS}") from exc


def _plain_settings(name: str, settings: Any) -> dict[str, Any]:
    """Return settings as they are read from a bundle, where lists are tuples."""
    what = f"settings of {name}"
    require(isinstance(settings, Mapping), f"{what}: a {type(settings).__name__}; give a dict of plain values")
    for key, value in settings.items():
        require(
            _is_plain(value), f"{what}: {key} is a {type(value).__name__}; give numbers, text, true, false or lists"
        )
    return cast(dict[str, Any], from_plain(to_plain(dict(settings)), dict[str, Setting], what))


def _is_plain(value: Any) -> bool:
    if isinstance(value, list | tuple):
        return all(map(_is_plain, value))
    if isinstance(value, dict):
        return all(isinstance(key, str) and _is_plain(each) for key, each in value.items())
    return value is None or isinstance(value, bool | int | float | str)
