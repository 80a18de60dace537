"""Messages for people, on stderr: the standard library's logging, shown when the command line asks for it.

Levels: ERROR; WARNING; INFO: ledgers, and how far something long is; DEBUG: files that are read, and the settings.
"""

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import ClassVar

from rich.console import Console

logger = logging.getLogger("poreconv")
"""The parent of the loggers of all modules."""

UNWATCHED_WIDTH = 200
"""Columns of output to a file or a pipe, where no terminal limits a table."""

console = Console(stderr=True, width=None if sys.stderr.isatty() else UNWATCHED_WIDTH)
"""Shared by messages and progress bars, so that a message is written above a bar."""


class ToConsole(logging.Handler):
    """Writes each message in one line, as it is: without markup or wrapping."""

    STYLES: ClassVar[dict[int, str]] = {logging.ERROR: "red", logging.WARNING: "yellow", logging.DEBUG: "dim"}

    def emit(self, record: logging.LogRecord) -> None:
        """Write a message.

        Args:
            record: The message.
        """
        style = self.STYLES.get(record.levelno)
        console.print(record.getMessage(), style=style, markup=False, highlight=False, soft_wrap=True)


def show_messages(level: int) -> logging.Handler:
    """Show the messages of the package from now on.

    Args:
        level: Of the least important ones, such as ``logging.INFO``.

    Returns:
        What shows them, a handler of `logger`.
    """
    handler = ToConsole()
    logger.addHandler(handler)
    logger.setLevel(level)
    return handler


@contextmanager
def messages_shown(level: int) -> Iterator[None]:
    """Show the messages of the package while something runs.

    Args:
        level: Of the least important ones, such as ``logging.INFO``.
    """
    before, handler = logger.level, show_messages(level)
    try:
        yield
    finally:
        logger.setLevel(before)
        logger.removeHandler(handler)


def is_quiet() -> bool:
    """Return whether only errors are to be shown."""
    return logger.level >= logging.ERROR


def is_verbose() -> bool:
    """Return whether files and settings are to be shown, too."""
    return logger.level == logging.DEBUG
