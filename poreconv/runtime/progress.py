"""How long it still takes: one bar on stderr for every command."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn

Report = Callable[..., None]
"""Called as ``report(share)`` or ``report(share, note)``: how much is done, 0 to 1, and a word on it."""


@contextmanager
def progress_bar(what: str, *, shown: bool = True) -> Iterator[Report]:
    """Draw a bar while something long is under way, where someone watches.

    A log file gets none, and neither does a notebook without ipywidgets, in which rich cannot draw.

    Args:
        what: What is under way.
        shown: Whether to draw it at all; of several processes one does.

    Example:
        >>> with progress_bar("prepare") as report:
        ...     report(0.5)
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
    with Progress(*columns, console=console, disable=not (shown and watched)) as bar:
        task = bar.add_task(what, total=1.0, note="")

        def report(share: float, note: str = "") -> None:
            bar.update(task, completed=share, note=note)

        yield report
