"""Output of commands: results on stdout; what happened, as messages on stderr."""

import logging
import os
import sys
from io import TextIOWrapper
from pathlib import Path
from typing import Any

from rich.console import Console, RenderableType

from poreconv.runtime.explaining import hint_on
from poreconv.runtime.ledger import Ledger
from poreconv.runtime.messages import PrintableConsole, console as errors, is_quiet, width_of

logger = logging.getLogger(__name__)

__all__ = [
    "console",
    "errors",
    "forget_unwritten",
    "log_warning",
    "prepare_streams",
    "print_ledger",
    "print_line",
    "print_summary",
    "print_written",
]

console = PrintableConsole(width=width_of(sys.stdout))


def prepare_streams() -> None:
    """Make the standard streams such that any text can be written, and no file takes the place of a closed one."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:  # closed: what libraries write there would go into the next file that is opened
            os.open(os.devnull, os.O_RDWR)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # of characters that the terminal does not have


def forget_unwritten() -> None:
    """Forget what stdout did not take, such as on a full disk; the end of the process would try it again."""
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def log_warning(message: Warning | str, *_: Any, **__: Any) -> None:
    """Make a warning a message; takes the place of `warnings.showwarning`.

    Args:
        message: The warning.
    """
    logger.warning("poreconv: warning: %s", message)


def print_ledger(ledger: Ledger) -> None:
    """Write the summary line of a drop ledger on stderr, and the command that explains its most frequent reason.

    Args:
        ledger: Of the command.
    """
    logger.info("%s", ledger.summary())
    if hint := hint_on(ledger.main_reason):
        logger.info("%s", hint)


def print_summary(summary: RenderableType, *, to: Console = console) -> None:
    """Print what was written to a file, unless only errors are to be shown.

    Args:
        summary: The name of the file, which is printed as it is, or a table.
        to: Default: stdout.
    """
    if not is_quiet():
        to.print(summary, markup=not isinstance(summary, str), highlight=False, soft_wrap=isinstance(summary, str))


def print_written(out: Path, ledger: Ledger) -> None:
    """Print the name of an output, and what became of the reads.

    Args:
        out: The output.
        ledger: Of the command.
    """
    print_summary(f"{out}")
    print_ledger(ledger)


def print_line(line: str) -> None:
    """Print one line as it is, without markup or wrapping.

    Args:
        line: The line.
    """
    console.print(line, markup=False, highlight=False, soft_wrap=True)
