"""Flags that name something of the user's own, which is imported: only what was typed, never what a file names."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from jsonargparse import ArgumentParser

from poreconv.config import require
from poreconv.evaluation.baselines import BASELINES
from poreconv.runtime.registry import is_own

FLAGS = ("network", "labels", "loss", "transforms", "callbacks", "loggers", "metrics", "baselines")
"""Flags that may name something of the user's own."""


def add_own_network(parser: ArgumentParser) -> None:
    """Add the network of a model that was trained with the user's own.

    Args:
        parser: Of the command.
    """
    text = "Your own network, if the model was trained with one: my.py:Net (a file) or package.module:Net."
    parser.add_argument("--network", type=str, metavar="NAME", help=text)


def add_own_training(parser: ArgumentParser) -> None:
    """Add what a user can bring to a training besides a network.

    Args:
        parser: Of the command.
    """
    text = "Your own loss in place of the task's: my.py:loss or package.module:Loss, a function or a module's class."
    parser.add_argument("--loss", type=str, metavar="NAME", help=text)
    several = {
        "transforms": "Your own changes of training windows, functions (x, y) -> (x, y): my.py:jitter.",
        "callbacks": "Lightning's callbacks, by class: my.py:Mine, or lightning.pytorch.callbacks:DeviceStatsMonitor.",
        "loggers": "Lightning's loggers besides CSV files and TensorBoard: a class, or a function that makes one.",
    }
    for flag, text in several.items():
        parser.add_argument(f"--{flag}", nargs="+", type=str, default=[], metavar="NAME", help=text)


def add_baselines(parser: ArgumentParser, what: str) -> None:
    """Add the choice of baselines.

    Args:
        parser: Of the command.
        what: What they are there, for the help.
    """
    text = f"{what}: {', '.join(BASELINES)}; or your own, my.py:detect. Default: all that suit the model's task."
    parser.add_argument("--baselines", nargs="*", type=str, metavar="NAME", help=text)


def add_metrics(parser: ArgumentParser) -> None:
    """Add metrics of the user's own.

    Args:
        parser: Of the command.
    """
    text = "Your own metrics, scored beside those of the task: my.py:score, or package.module:Metric of torchmetrics."
    parser.add_argument("--metrics", nargs="+", type=str, default=[], metavar="NAME", help=text)


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
