"""Contents of a project of the studio: marks, reads, classes, models, and the commands that go on from there."""

import shlex
from collections.abc import Iterator
from pathlib import Path

from rich.console import Group, RenderableType
from rich.markup import escape
from rich.table import Table

from poreconv.labels.project import Judged, Project, ProjectModel, read_project

READS = "READS"
"""Stands for the signal files, which a project without a model does not know."""


def project(folder: Path | str) -> Project:
    """Read what a project contains.

    Args:
        folder: Of the project.

    Raises:
        FormatError: It is no project.
    """
    return read_project(Path(folder))


def render(found: Project) -> RenderableType:
    """Return the tables for the terminal.

    Args:
        found: What `project` returned.
    """
    marks = Table("task", "classes", title=escape(f"{found.folder}: project of poreconv studio"))
    for heading in ("reads", *found.marks):
        marks.add_column(NAMES.get(heading, heading), justify="right")
    counts = [f"{number:,}" for number in (found.reads, *found.marks.values())]
    marks.add_row(found.task, escape(", ".join(found.classes)), *counts)
    return Group(marks, *([_models(found.models)] if found.models else []))


NAMES = {"interval": "intervals", "boundary": "boundaries", "read": "classes of reads", "seen": "looked at"}
"""Kind of marks -> head of its column."""


def _models(models: list[ProjectModel]) -> Table:
    table = Table("model", "task", "started from", title="Models")
    for heading in ("marked reads", "score", "reads judged"):
        table.add_column(heading, justify="right")
    for model in models:
        if (learnt := model.learnt) is not None:
            start = learnt.started_from or "scratch"
            score = [_score(learnt.judged), f"{learnt.judged.reads:,}"] if learnt.judged else ["", "0"]
            table.add_row(escape(str(model.bundle)), learnt.task, start, f"{learnt.marked_reads:,}", *score)
    return table


def _score(judged: Judged) -> str:
    if judged.value is None:
        return ""
    interval = "" if judged.low is None or judged.high is None else f" ({judged.low:.3f}-{judged.high:.3f})"
    return f"{judged.score} {judged.value:.3f}{interval}"


def next_steps(found: Project) -> Iterator[str]:
    """Yield the commands that go on with a project, which are to be copied.

    Args:
        found: What `project` returned.
    """
    reads = " ".join(shlex.quote(str(path)) for path in found.paths) or READS
    folder = shlex.quote(str(found.folder))
    yield f"poreconv studio {reads} --project {folder}"
    if found.reads:
        yield f"poreconv prepare {reads} --labels studio --labels_from {folder} --task {found.task} --out store"
    for model in found.models[-1:]:
        yield f"poreconv label {shlex.quote(str(model.bundle))} {reads} --out events.tsv"
