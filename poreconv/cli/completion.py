"""Scripts with which a shell completes commands, flags and their values."""

from argparse import SUPPRESS, Action
from collections.abc import Mapping
from typing import Any

from jsonargparse import ArgumentParser

from poreconv.cli.help import choices_of, is_hidden, value_name
from poreconv.evaluation.baselines import BASELINES
from poreconv.events.tasks import TASKS
from poreconv.labels.sources import LABEL_SOURCES
from poreconv.models.architectures import ARCHITECTURES

SHELLS = ("bash", "zsh", "tcsh")

FILES = {"FILE", "PATH", "MODEL", "FOLDER", "RUN_OR_JSON"}
"""What stands in the help for a value that is a file or folder."""

NAMES: dict[str, Mapping[str, Any]] = {
    "labels": LABEL_SOURCES,
    "network": ARCHITECTURES,
    "baselines": BASELINES,
    "task": TASKS,
}
"""Setting -> the table with the names that it accepts."""


class PrintCompletion(Action):
    """The flag that prints the script for a shell, and ends the program.

    Args:
        option_strings: The flag.
        dest: Not used: there is no setting.
        **kwargs: See `argparse.Action`.
    """

    def __init__(self, option_strings: list[str], dest: str, **kwargs: Any) -> None:
        super().__init__(option_strings, SUPPRESS, **{**kwargs, "default": SUPPRESS, "choices": SHELLS})

    def __call__(self, parser: Any, namespace: Any, values: Any, option_string: str | None = None) -> None:
        """Print the script of a parser with the flags of all commands."""
        import shtab  # only here, so that other commands don't wait for it

        _prepare(parser, shtab.FILE)
        print(shtab.complete(parser, values))  # noqa: T201 - a script for a file, not a message
        parser.exit()


def _prepare(parser: ArgumentParser, file: Any) -> None:
    """Add to each flag what shtab is to complete: names, or files."""
    for action in parser._actions:
        if isinstance(action.choices, dict):
            for sub in action.choices.values():
                _prepare(sub, file)
        elif is_hidden(action):
            action.help = SUPPRESS
        elif value_name(action) in FILES:
            action.complete = file  # type: ignore[attr-defined]  # where shtab looks
        else:
            action.choices = [*NAMES.get(action.dest, choices_of(action))] or None
