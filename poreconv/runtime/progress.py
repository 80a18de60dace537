"""Progress of a command on stderr: a bar on a terminal, a line now and then in a log."""

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from importlib.util import find_spec

from rich.progress import (
    BarColumn,
    Progress as RichProgress,
    TaskProgressColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from poreconv.runtime.messages import console, is_quiet

logger = logging.getLogger(__name__)

Progress = Callable[..., None]
"""Called as ``progress(share)`` or ``progress(share, note)``: the share of the work that is done, 0 to 1, and a short
note, such as how many of how many."""

Watcher = Callable[[str, float, str], None]
"""Called as ``watcher(title, share, note)``: what is done, and what `Progress` is called with."""

_watcher: ContextVar[Watcher | None] = ContextVar("watcher", default=None)

FIRST_LINE_S, LONGEST_PAUSE_S = 10.0, 600.0
"""Time of the first line in a log, and the longest time between two lines; from line to line the pause doubles."""


@contextmanager
def progress_watched(watcher: Watcher) -> Iterator[None]:
    """Give all progress to a function, instead of showing it; what it raises ends what is done.

    Args:
        watcher: The function.
    """
    token = _watcher.set(watcher)
    try:
        yield
    finally:
        _watcher.reset(token)


@contextmanager
def progress_bar(title: str, *, shown: bool = True) -> Iterator[Progress]:
    """Show how far something long is: a bar on a terminal or in a notebook, else a line now and then.

    The lines are messages of `logging`, which the command line shows. In a notebook without ipywidgets rich cannot
    draw.

    Args:
        title: What is done, such as the command's name.
        shown: False in all but one of several processes that do it together.

    Yields:
        The function that moves the bar.

    Example:
        >>> with progress_bar("prepare") as progress:
        ...     progress(0.5, "5 of 10 files")
    """
    watcher = _watcher.get()
    if shown and watcher is not None:
        yield lambda share, note="": watcher(title, share, note)
    elif not shown or is_quiet():
        yield lambda *_: None
    elif console.is_terminal or (console.is_jupyter and find_spec("ipywidgets") is not None):
        with _bar(title) as progress:
            yield progress
    else:
        yield LogLines(title)


@contextmanager
def _bar(title: str) -> Iterator[Progress]:
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[note]}"),
    )
    with RichProgress(*columns, console=console) as bar:
        task = bar.add_task(title, total=1.0, note="")

        def progress(share: float, note: str = "") -> None:
            bar.update(task, completed=share, note=note)

        yield progress


class LogLines:
    """Progress in lines, more and more rarely.

    Args:
        title: What is done.
        clock: Returns the time in seconds.
    """

    def __init__(self, title: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._title, self._clock, self._began = title, clock, clock()
        self._next_s = FIRST_LINE_S
        self._left = TimeLeft()

    def __call__(self, share: float, note: str = "") -> None:
        """Write a line, if it is time for one.

        Args:
            share: Share of the work that is done, 0 to 1.
            note: How many of how many, and so on.
        """
        elapsed_s = self._clock() - self._began
        left = self._left(elapsed_s, share)
        if elapsed_s < self._next_s:
            return
        self._next_s = elapsed_s + min(elapsed_s, LONGEST_PAUSE_S)
        parts = [f"{share:.0%}", note, left]
        logger.info("%s: %s", self._title, ", ".join(part for part in parts if part))


class TimeLeft:
    """Estimates how long something still takes; a resumed command begins with a share that took it no time."""

    def __init__(self) -> None:
        self._start: tuple[float, float] | None = None

    def __call__(self, elapsed_s: float, share: float) -> str:
        """Return the time that is left, in words; empty where it cannot be estimated.

        Args:
            elapsed_s: Time since the beginning, seconds.
            share: Share of the work that is done, 0 to 1.
        """
        self._start = self._start or (elapsed_s, share)
        began_s, had = self._start
        if not had < share < 1:
            return ""
        return f"{as_words((elapsed_s - began_s) * (1 - share) / (share - had))} left"


def as_words(seconds: float) -> str:
    """Return a duration as a person would write it: ``40 s``, ``12 min``, ``3 h 5 min``.

    Args:
        seconds: The duration.
    """
    if round(seconds) < 60:
        return f"{seconds:.0f} s"
    hours, rest = divmod(round(seconds / 60), 60)
    return " ".join(part for part in (f"{hours} h" if hours else "", f"{rest} min" if rest else "") if part)
