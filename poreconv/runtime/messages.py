"""Messages for people, on stderr: the standard library's logging, shown when the command line asks for it.

Levels: ERROR; WARNING; INFO: ledgers, and how far something long is; DEBUG: files that are read, and the settings.
"""

import logging
import sys
import unicodedata
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, ClassVar, TextIO

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment

logger = logging.getLogger("poreconv")
"""The parent of the loggers of all modules."""

UNWATCHED_WIDTH = 200
"""Columns of output to a file or a pipe, where no terminal limits a table."""

UNPRINTABLE = "?"
"""Takes the place of what a terminal would act on, such as the beginning of an escape code."""


class PrintableConsole(Console):
    """A terminal that gets printable characters only, whatever the files contain whose texts are shown."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(emoji=False, **kwargs)  # a name such as my.py:x: is no picture

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """Render text, a table or a progress bar.

        Args:
            renderable: What to render.
            options: Of this part; default: those of the terminal.
        """
        for text, style, control in super().render(renderable, options):
            yield Segment(text if control else printable(text), style, control)


def printable(text: str) -> str:
    """Replace unprintable characters, except line breaks, by question marks, and unusual spaces by spaces.

    Args:
        text: Any text.
    """
    return text if text.isprintable() else "".join(map(_printable, text))


def _printable(character: str) -> str:
    if character == "\n" or character.isprintable():
        return character
    return " " if unicodedata.category(character) == "Zs" else UNPRINTABLE


def width_of(stream: TextIO | None) -> int | None:
    """Return the width of a console on a stream: None, that of the terminal; without one, `UNWATCHED_WIDTH`.

    Args:
        stream: Of the process; None: it was started without it.
    """
    return None if stream is not None and stream.isatty() else UNWATCHED_WIDTH


console = PrintableConsole(stderr=True, width=width_of(sys.stderr))
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
