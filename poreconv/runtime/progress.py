"""Progress of a command: one bar on stderr."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec

from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress as RichProgress,
    TaskProgressColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

Progress = Callable[..., None]
"""Called as ``progress(share)`` or ``progress(share, note)``: the share of the work that is done, 0 to 1, and a short
note."""


@contextmanager
def progress_bar(title: str, *, shown: bool = True) -> Iterator[Progress]:
    """Show a bar on a terminal or in a notebook while something long is done.

    There is none in a log file, nor in a notebook without ipywidgets, in which rich cannot draw.

    Args:
        title: What is done, such as the command's name.
        shown: False in all but one of several processes that do it together.

    Yields:
        The function that moves the bar.

    Example:
        >>> with progress_bar("prepare") as progress:
        ...     progress(0.5)
    """
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[note]}"),
    )
    console = Console(stderr=True)
    watched = console.is_terminal or (console.is_jupyter and find_spec("ipywidgets") is not None)
    with RichProgress(*columns, console=console, disable=not (shown and watched)) as bar:
        task = bar.add_task(title, total=1.0, note="")

        def progress(share: float, note: str = "") -> None:
            bar.update(task, completed=share, note=note)

        yield progress
