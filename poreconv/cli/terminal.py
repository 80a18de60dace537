"""Output of commands: results on stdout, everything else on stderr."""

import sys
from typing import Any

from rich.console import Console

from poreconv.runtime.ledger import Ledger

UNWATCHED_WIDTH = 200
"""Columns of output to a file or a pipe, where no terminal limits a table."""


console = Console(width=None if sys.stdout.isatty() else UNWATCHED_WIDTH)


errors = Console(stderr=True)


def print_warning(message: Warning | str, *_: Any, **__: Any) -> None:
    """Print a warning in one line, like an error; takes the place of `warnings.showwarning`.

    Args:
        message: The warning.
    """
    errors.print(f"poreconv: warning: {message}", style="yellow", markup=False, highlight=False, soft_wrap=True)


def print_ledger(ledger: Ledger) -> None:
    """Print the summary line of a drop ledger on stderr.

    Args:
        ledger: Of the command.
    """
    print_line(ledger.summary(), to=errors)


def print_line(line: str, *, to: Console = console) -> None:
    """Print one line as it is, without markup or wrapping.

    Args:
        line: The line.
        to: Default: stdout.
    """
    to.print(line, markup=False, highlight=False, soft_wrap=True)
