"""Flags that name something of the user's own, which is imported: only what was typed, never what a file names."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from jsonargparse import ArgumentParser

from poreconv.config import require
from poreconv.runtime.registry import is_own

FLAGS = ("network", "labels", "loss", "transforms", "metrics", "baselines")
"""Flags that may name something of the user's own."""


def add_own_network(parser: ArgumentParser) -> None:
    """Add the network of a model that was trained with the user's own.

    Args:
        parser: Of the command.
    """
    text = "Your own network, if the model was trained with one: my.py:Net (a file) or package.module:Net."
    parser.add_argument("--network", type=str, metavar="NAME", help=text)


def check_typed(chosen: Mapping[str, Any], words: Sequence[str]) -> None:
    """Refuse names of the user's own things that stand in the file of ``--config``: what a file names is not imported.

    Args:
        chosen: Parsed options of the command.
        words: The command line.

    Raises:
        ConfigError: There is such a name.
    """
    typed = {part for word in words for part in (word, word.partition("=")[2])}
    for flag in FLAGS:
        value = chosen.get(flag)
        for name in value if isinstance(value, list) else [value]:
            own = isinstance(name, str) and is_own(name)
            require(
                not own or name in typed,
                f"--config: {flag} {name}: what a file names is not imported; give --{flag} {name} on the command line",
            )


def own_settings(pairs: Sequence[str]) -> dict[str, Any]:
    """Return settings that were given as ``key=value``; a value that is not JSON is text.

    Args:
        pairs: The words.

    Raises:
        ConfigError: A word has no equals sign.
    """
    settings: dict[str, Any] = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        require(bool(equals) and key.isidentifier(), f"--network_settings {pair}: give KEY=VALUE, such as width=32")
        settings[key] = _value(value)
    return settings


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text
