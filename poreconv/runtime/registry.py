"""Tables of things that have a name: literal dicts, most of them name -> ``"module:attribute"``, resolved on use."""

import pkgutil
from collections.abc import Mapping
from typing import Any, TypeVar

from poreconv.errors import ConfigError

T = TypeVar("T")


def entry(table: Mapping[str, T], name: str, *, kind: str) -> T:
    """Find what a table holds under a name.

    Args:
        table: Name -> what it stands for.
        name: The name that the user gave.
        kind: What the table holds, for the message: ``"label source"``.

    Raises:
        ConfigError: The table has no such name.
    """
    if name not in table:
        raise ConfigError(f"{kind} {name!r} is not known; choose one of {', '.join(table)}")
    return table[name]


def lookup(table: Mapping[str, str], name: str, *, kind: str) -> Any:
    """Import what a name in a table stands for.

    Args:
        table: Name -> ``"module:attribute"``.
        name: The name that the user gave.
        kind: What the table holds, for the message: ``"label source"``.

    Raises:
        ConfigError: The table has no such name.
    """
    return pkgutil.resolve_name(entry(table, name, kind=kind))
