"""Tasks: what a network is asked of every sample of a read, or of the read.

A task is a noun with three parts, each with a table of its own: here what its targets are; in `training.objectives` how
it is learnt; in `evaluation.criteria` how it is judged. Adding one: a line in each of these tables.
"""

from __future__ import annotations

from dataclasses import dataclass
from pkgutil import resolve_name
from typing import TYPE_CHECKING

from poreconv.runtime.registry import entry

if TYPE_CHECKING:  # the command line reads this table, and numpy is slow to import
    from poreconv.events.tasks.task import Task


@dataclass(frozen=True)
class TaskEntry:
    """One task in the table."""

    question: str
    """What is asked, for the command line's help."""
    task: str
    """Its class, ``"module:attribute"``; see `Task`."""


TASKS = {
    "boundary": TaskEntry("is it the first of an event?", "poreconv.events.tasks.classes:BoundaryTask"),
    "segment": TaskEntry("which class does it belong to?", "poreconv.events.tasks.classes:SegmentTask"),
    "base": TaskEntry("which base does it belong to?", "poreconv.events.tasks.classes:BaseTask"),
    "read": TaskEntry("of the whole read: which class does it belong to?", "poreconv.events.tasks.classes:ReadTask"),
    "value": TaskEntry("which number does it have?", "poreconv.events.tasks.value:ValueTask"),
}
"""Name -> task."""


def task_named(name: str) -> Task:
    """Return a task of the table.

    Args:
        name: Its name.

    Raises:
        ConfigError: There is none of this name.
    """
    task: Task = resolve_name(entry(TASKS, name, kind="task").task)()
    return task
