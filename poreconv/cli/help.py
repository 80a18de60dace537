"""What ``--help`` prints: each flag with a value that a person can type, its text and its default."""

import textwrap
from argparse import SUPPRESS, Action
from pathlib import Path
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin

from jsonargparse import DefaultHelpFormatter

VALUES = {"scheduler": "ADDRESS", "start_from": "MODEL", "teacher": "MODEL", "max_time": "TIME"}
"""Setting -> what its value is, where neither its type nor its unit shows it."""

UNITS = {"_per_s": "X", "_hz": "HZ", "_s": "S", "seconds": "S", "_pa": "PA", "samples": "SAMPLES"}
"""Ending of a setting's name -> the unit of its value; the first that fits counts."""

TYPES = {int: "N", float: "X", Path: "FILE", str: "NAME"}
"""Type of a value -> what stands for it."""

TEXTS = {
    "--help": "Print this help, and exit.",
    "--print_config": "Print the settings in use as YAML, which --config reads, and exit; --print_config=skip_default:"
    " only those that are not at their defaults.",
}
"""Texts of flags that a library adds."""

NO_BREAK = "\u00a0"

WIDTH_OF_FLAGS = 30
"""Columns of the flags, before their texts."""


class Help(DefaultHelpFormatter):
    """Formats the help of a command.

    Args:
        prog: Words before the flags, such as ``poreconv label``.
        **kwargs: See `argparse.HelpFormatter`.
    """

    def __init__(self, prog: str, **kwargs: Any) -> None:
        super().__init__(prog, **{"max_help_position": WIDTH_OF_FLAGS} | kwargs)  # type: ignore[no-untyped-call]

    def add_argument(self, action: Action) -> None:
        """Add a flag, unless it is hidden.

        Args:
            action: The flag.
        """
        if not is_hidden(action):
            super().add_argument(action)

    def _format_usage(self, usage: str | None, actions: Any, groups: Any, prefix: str | None) -> str:
        """Return the usage in a line or two: what must be given, and that there are flags."""
        start = f"usage: {self._prog}"
        needed = [action for action in actions if action.required or not action.option_strings]
        parts = [" ".join([*action.option_strings[:1], self._format_args(action, "")]) for action in needed]
        unbroken = [part.replace(" ", NO_BREAK) for part in sorted(parts, key=lambda part: not part.startswith("-"))]
        text = " ".join([start.replace(" ", NO_BREAK), *unbroken, "[flags]"])
        lines = textwrap.wrap(text, self._width, subsequent_indent=" " * (len(start) + 1), break_long_words=False)
        return "\n".join(lines).replace(NO_BREAK, " ") + "\n\n"

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        """Keep paragraphs apart."""
        return "\n".join(super(Help, self)._fill_text(part, width, indent) for part in text.splitlines())

    def _format_action(self, action: Action) -> str:
        """Return a flag with its text; of the commands, only what each does."""
        if isinstance(action.choices, dict):
            return "".join(map(self._format_action, self._iter_indented_subactions(action)))
        return super()._format_action(action)

    def _format_action_invocation(self, action: Action) -> str:
        """Return a flag's names, the short one first, and its value once."""
        if not action.option_strings:
            return super()._format_action_invocation(action)
        takes_none = action.nargs == 0 or "--print_config" in action.option_strings  # the value of that is optional
        value = "" if takes_none else self._format_args(action, "")
        return f"{', '.join(sorted(action.option_strings, key=len))} {value}".rstrip()

    def _metavar_formatter(self, action: Action, default_metavar: str) -> Any:
        name = value_name(action)
        return lambda n_values: (name,) * n_values

    def _get_help_string(self, action: Action) -> str:
        text = next((TEXTS[flag] for flag in action.option_strings if flag in TEXTS), action.help or "")
        if action.required and action.option_strings:
            return f"{text} (required)"
        default = default_of(action)
        return f"{text} (default: {default})" if default and "default:" not in text.lower() else text


def is_hidden(action: Action) -> bool:
    """Return whether a flag is not for users: a group of settings as one value, or one of another network.

    Args:
        action: The flag.
    """
    return action.help == SUPPRESS or action.metavar == "CONFIG"


def value_name(action: Action) -> str:
    """Return what stands for a flag's value, such as ``N``, ``HZ``, ``FILE`` or ``auto,32,bf16``.

    Args:
        action: The flag.
    """
    kinds, name = types_of(action), action.dest.rpartition(".")[2]
    if isinstance(action.choices, dict):  # commands
        return str(action.metavar)
    if choices := choices_of(action):
        return ",".join([*choices, *(TYPES[kind] for kind in kinds if kind in {int, float})])
    if get_origin(kinds[0]) is tuple:
        return f"[{TYPES.get(get_args(kinds[0])[0], 'X')},...]"
    if {int, float} & {*kinds}:
        return next((unit for ending, unit in UNITS.items() if name.endswith(ending)), TYPES[kinds[0]])
    return VALUES.get(name) or str(action.metavar or TYPES.get(kinds[0], "VALUE"))


def types_of(action: Action) -> list[Any]:
    """Return the types of a flag's value: several, if it may be of any of them.

    Args:
        action: The flag.
    """
    kind = getattr(action, "_typehint", None) or action.type
    several = get_origin(kind) in {Union, UnionType}
    return [each for each in get_args(kind) if each is not type(None)] if several else [kind]


def choices_of(action: Action) -> list[str]:
    """Return the values that a flag accepts, if they can be listed; a number may be accepted besides.

    Args:
        action: The flag.
    """
    if action.choices is not None:  # of commands, a dict of their parsers
        return [str(choice) for choice in action.choices]
    if bool in types_of(action):
        return ["true", "false"]
    return [str(value) for kind in types_of(action) if get_origin(kind) is Literal for value in get_args(kind)]


def default_of(action: Action) -> str:
    """Return a flag's default as it is typed; empty if it has none that a person would type.

    Args:
        action: The flag.
    """
    value = action.default
    if value in (None, SUPPRESS, "") or (value is False and action.nargs == 0) or value == []:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list | tuple):
        return str(list(value)).replace(" ", "")
    return f"{value:g}" if isinstance(value, float) else str(value)
