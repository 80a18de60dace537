"""The ``poreconv`` command: one thin function per subcommand, which imports everything heavy itself."""

import sys
import warnings
from collections.abc import Sequence

from jsonargparse import ArgumentParser, set_parsing_settings

from poreconv.cli import data_commands, model_commands
from poreconv.cli.terminal import errors, print_warning
from poreconv.errors import PoreconvError

set_parsing_settings(docstring_parse_attribute_docstrings=True)

COMMANDS = {**data_commands.COMMANDS, **model_commands.COMMANDS}
"""Name -> command, in the order of ``--help``."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one command; a `PoreconvError` becomes one line on stderr and exit code 1.

    Args:
        arguments: Words of the command line; default: those of the process.
    """
    words = sys.argv[1:] if arguments is None else list(arguments)
    name = next((word for word in words if word in COMMANDS), "")
    parser = build_parser(name)
    try:
        chosen = parser.instantiate(parser.parse_args(words))
        with warnings.catch_warnings():
            warnings.showwarning = print_warning
            COMMANDS[name].run(chosen[name])
    except PoreconvError as exc:
        errors.print(f"poreconv {name}: {exc}", style="red", markup=False, highlight=False, soft_wrap=True)
        sys.exit(1)
    except KeyboardInterrupt:
        errors.print(f"poreconv {name}: interrupted; run the same command again to resume", soft_wrap=True)
        sys.exit(130)


def build_parser(chosen: str) -> ArgumentParser:
    """Make the parser of the command line, with the options of one command; those of all would start slowly.

    Args:
        chosen: Name of the command.
    """
    parser = ArgumentParser(prog="poreconv", description="Label every sample of a nanopore squiggle.")
    subcommands = parser.add_subcommands(dest="command")
    for name, command in COMMANDS.items():
        sub = ArgumentParser(description=f"{command.help} Example: {command.example}")
        subcommands.add_subcommand(name, sub, help=command.help)
        if name == chosen:
            command.add_arguments(sub)
    return parser
