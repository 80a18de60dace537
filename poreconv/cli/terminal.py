"""What a command prints: results on stdout, the rest on stderr."""

import sys
from typing import Any

from rich.console import Console

from poreconv.runtime.ledger import Ledger

UNWATCHED_WIDTH = 200
"""Columns of output that goes to a file or a pipe, where nothing limits a table."""


console = Console(width=None if sys.stdout.isatty() else UNWATCHED_WIDTH)


errors = Console(stderr=True)


def print_warning(message: Warning | str, *_: Any, **__: Any) -> None:
    """A warning is one line, as an error is."""
    errors.print(f"poreconv: warning: {message}", style="yellow", markup=False, highlight=False, soft_wrap=True)


def print_ledger(ledger: Ledger) -> None:
    """Print the drop ledger's one line."""
    print_line(ledger.summary(), to=errors)


def print_line(line: str, *, to: Console = console) -> None:
    """Print one line as it is: brackets in it are no markup, and it is not wrapped."""
    to.print(line, markup=False, highlight=False, soft_wrap=True)
