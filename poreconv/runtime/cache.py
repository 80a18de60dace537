"""What commands remember for the next one, such as measured speeds: files in the user's cache folder.

Nothing depends on it: what cannot be read or written there is found out again.
"""

import os
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

from poreconv.errors import ConfigError
from poreconv.runtime.files import whole_file
from poreconv.runtime.records import from_json, to_json

T = TypeVar("T")


def cache_folder() -> Path:
    """Return poreconv's folder in ``$XDG_CACHE_HOME``, else in ``~/.cache``; it may not exist."""
    named = Path(os.environ.get("XDG_CACHE_HOME", ""))
    # A relative path is to be ignored: XDG Base Directory Specification 0.8.
    return (named if named.is_absolute() else Path("~/.cache").expanduser()) / "poreconv"


def is_writable() -> bool:
    """Return whether files can be kept in the cache folder; it is made."""
    try:
        cache_folder().mkdir(parents=True, exist_ok=True)
    except (OSError, RuntimeError):  # the latter: there is no home
        return False
    return os.access(cache_folder(), os.W_OK)


def remembered(name: str, kind: type[T]) -> T | None:
    """Return what an earlier command remembered; None if there is nothing, or it cannot be read.

    Args:
        name: Path below the cache folder, with the suffix ``.json``.
        kind: Type of the value, such as a dataclass.
    """
    try:
        return from_json((cache_folder() / name).read_bytes(), kind)
    except (OSError, RuntimeError, ConfigError):
        return None


def remember(name: str, value: object) -> None:
    """Keep a value for later commands, where the cache folder can be written.

    Args:
        name: As for `remembered`.
        value: As for `to_json`.
    """
    with suppress(OSError, RuntimeError), whole_file(cache_folder() / name) as partial:
        partial.write_text(to_json(value, indent=1), encoding="utf-8")
