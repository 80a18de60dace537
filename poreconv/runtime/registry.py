"""Looking up names in tables: literal dicts, most of them name -> ``"module:attribute"``, imported on use."""

import pkgutil
from collections.abc import Mapping
from typing import Any, TypeVar

from poreconv.errors import ConfigError

T = TypeVar("T")


def entry(table: Mapping[str, T], name: str, *, kind: str) -> T:
    """Return the value of a name in a table.

    Args:
        table: Name -> value.
        name: The name that the user gave.
        kind: What the names are, for the message: ``"label source"``.

    Raises:
        ConfigError: The table does not contain the name.
    """
    if name not in table:
        raise ConfigError(f"{kind} {name!r} is not known; choose one of {', '.join(table)}")
    return table[name]


def lookup(table: Mapping[str, str], name: str, *, kind: str) -> Any:
    """Import the value of a name in a table.

    Args:
        table: Name -> ``"module:attribute"``.
        name: The name that the user gave.
        kind: What the names are, for the message: ``"label source"``.

    Raises:
        ConfigError: The table does not contain the name.
    """
    return pkgutil.resolve_name(entry(table, name, kind=kind))
