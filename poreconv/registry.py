"""Tables of things that have a name: literal dicts, name -> ``"module:attribute"``, resolved on use."""

import pkgutil
from collections.abc import Mapping
from typing import Any

from poreconv.errors import ConfigError


def lookup(table: Mapping[str, str], name: str, *, kind: str) -> Any:
    """Import what a name in a table stands for.

    Args:
        table: Name -> ``"module:attribute"``.
        name: The name that the user gave.
        kind: What the table holds, for the message: ``"label source"``.

    Raises:
        ConfigError: The table has no such name.
    """
    if name not in table:
        raise ConfigError(f"{kind} {name!r} is not known; choose one of {', '.join(table)}")
    return pkgutil.resolve_name(table[name])
