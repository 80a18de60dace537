"""The ``poreconv`` command: one thin function per subcommand, which imports everything heavy itself."""

import logging
import sys
import warnings
from argparse import SUPPRESS, ArgumentError
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from typing import NoReturn

from jsonargparse import ArgumentParser, Namespace, set_parsing_settings

from poreconv.cli import data_commands, explain_command, model_commands
from poreconv.cli.completion import PrintCompletion
from poreconv.cli.help import Help, is_hidden
from poreconv.cli.options import PrintVersion, add_messages
from poreconv.cli.own import check_typed
from poreconv.cli.stopping import Stop, stoppable
from poreconv.cli.terminal import forget_unwritten, log_warning, prepare_streams
from poreconv.cli.usage import arguments_of, flag_of, leaf_of, problem_with, with_underscores
from poreconv.errors import PoreconvError, ReadDropped
from poreconv.runtime.explaining import see
from poreconv.runtime.machine import refused
from poreconv.runtime.messages import messages_shown

set_parsing_settings(docstring_parse_attribute_docstrings=True)

logger = logging.getLogger(__name__)

COMMANDS = {**data_commands.COMMANDS, **model_commands.COMMANDS, **explain_command.COMMANDS}
"""Name -> command, in the order of ``--help``."""

COMPLETION = "--print_completion"


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one command.

    A `PoreconvError`, and what the machine refuses, become one line on stderr and exit code 1; a command line that
    cannot be read, a line and 2; Ctrl-C and SIGTERM, a line and 130 or 143, when everything is cleaned up.

    Args:
        arguments: Words of the command line; default: those of the process, which ends with the command.
    """
    prepare_streams()
    words = with_underscores(sys.argv[1:] if arguments is None else arguments)
    name = next((word for word in words if word in COMMANDS), "")
    with stoppable(at_end=arguments is None) as stop:
        with messages_shown(logging.INFO), _ending(name, stop):
            completing = any(word.partition("=")[0] == COMPLETION for word in words)
            parser = build_parser([*COMMANDS] if completing else [name], words)
            try:
                chosen = parser.parse_args(words)
            except ArgumentError as exc:
                _end(problem_with(str(exc), leaf_of(parser, words)), name, code=2)
        with messages_shown(_level(chosen)), warnings.catch_warnings(), _ending(name, stop, chosen[name]):
            warnings.showwarning = log_warning
            _log_settings(leaf_of(parser, words), chosen)
            check_typed(chosen[name], words)
            COMMANDS[name].run(parser.instantiate(chosen)[name])


@contextmanager
def _ending(name: str, stop: Stop, chosen: Namespace | None = None) -> Iterator[None]:
    """End the process with one line after an error, or a signal, which may also show as an error of what it ended."""
    try:
        yield
    except (PoreconvError, OSError, MemoryError, KeyboardInterrupt) as exc:
        if stop.code or isinstance(exc, KeyboardInterrupt):
            reason = str(exc) if isinstance(exc, KeyboardInterrupt) else ""
            _end(reason or _interrupted(chosen), name, code=stop.code or 130)
        more = see(exc.reason) if isinstance(exc, ReadDropped) else ""
        _end(f"{refused(exc) if isinstance(exc, OSError | MemoryError) else exc}{more}", name, code=1)


def build_parser(names: Sequence[str], words: Sequence[str] = ()) -> ArgumentParser:
    """Make the parser of the command line, with the flags of some commands; those of all would start slowly.

    Args:
        names: Commands whose flags are added.
        words: The command line, by which some commands choose the flags that help shows.
    """
    parser = ArgumentParser(
        prog="poreconv",
        description="Label every sample of a nanopore squiggle.",
        formatter_class=Help,
        exit_on_error=False,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action=PrintVersion, help="Print the version, and exit.")
    parser.add_argument(
        COMPLETION, action=PrintCompletion, help="Print the script with which a shell completes commands and flags."
    )
    subcommands = parser.add_subcommands(
        dest="command", title="commands", description="poreconv COMMAND --help describes one.", metavar="COMMAND"
    )
    for name, command in COMMANDS.items():
        sub = ArgumentParser(description=f"{command.help}\nExample: {command.example}")
        subcommands.add_subcommand(name, sub, help=command.help)
        sub.prog = f"poreconv {name}"
        if name in names:
            command.add_arguments(sub)
            add_messages(sub)
            hide(sub, command.not_shown(words) if [*names] == [name] else ())
    return parser


def hide(parser: ArgumentParser, groups: Collection[str]) -> None:
    """Leave groups of settings out of the help of a command; they can be set all the same.

    Args:
        parser: Of the command.
        groups: Their names, which stand before a dot in their flags.
    """
    for action in arguments_of(parser).values():
        if action.dest.partition(".")[0] in groups:
            action.help = SUPPRESS


def _end(message: str, name: str, *, code: int) -> NoReturn:
    logger.error("%s: %s", f"poreconv {name}".strip(), message)
    forget_unwritten()
    sys.exit(code)


def _level(chosen: Namespace) -> int:
    """Return the level of the messages to show; the flags may be those of a command or of one inside it."""
    given = {key.rpartition(".")[2] for key, value in vars(chosen.as_flat()).items() if value is True}
    return logging.ERROR if "quiet" in given else logging.DEBUG if "verbose" in given else logging.INFO


def _log_settings(parser: ArgumentParser, chosen: Namespace) -> None:
    for key, value in vars(chosen.as_flat()).items():
        flag, action = flag_of(parser, key)
        off = value is None or (value is False and action is not None and action.nargs == 0)
        if action is not None and not is_hidden(action) and not off:
            values = value if isinstance(value, list) else [value]
            logger.debug("%s %s", flag if action.option_strings else action.metavar, " ".join(map(str, values)))


def _interrupted(chosen: Namespace | None) -> str:
    if chosen is not None and chosen.get("overwrite"):
        return f"interrupted; {chosen.out} is as it was"
    return "interrupted; run the same command again to resume"
