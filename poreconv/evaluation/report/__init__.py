"""The report: one self-contained HTML page on how good a model is."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from poreconv.evaluation.report import _pictures, _tables, _words
from poreconv.evaluation.report._words import cautions_of_training as cautions_of_training
from poreconv.evaluation.result import MODEL, Evaluation, ReadScores
from poreconv.plot.pages import Picture, filled
from poreconv.runtime.files import whole_file
from poreconv.runtime.records import to_plain

READ_TITLES = {
    1: ("The read",),
    2: ("The best read", "The worst read"),
    3: ("The best read", "The median read", "The worst read"),
}
"""Number of drawn reads -> their titles."""


@dataclass(frozen=True)
class DrawnRead:
    """A read on the page, with its pictures."""

    title: str
    scores: ReadScores
    pictures: list[Picture]


def write_report(path: Path, result: Evaluation, run: Path | None = None) -> None:
    """Write the page; the file appears complete or not at all.

    Args:
        path: File to write.
        result: Result of the evaluation.
        run: Folder of the training run, to show its curves and settings too; default: neither is shown.

    Raises:
        FormatError: The training run has no log.
    """
    with whole_file(path) as partial:
        partial.write_text(page(result, run))


def page(result: Evaluation, run: Path | None = None) -> str:
    """Return the page as HTML.

    Args:
        result: Result of the evaluation.
        run: Folder of the training run, to show its curves and settings too; default: neither is shown.

    Raises:
        FormatError: The training run has no log.
    """
    return filled(Path(__file__).with_name("page.html"), **_contents(result, run))


def _contents(result: Evaluation, run: Path | None) -> dict[str, Any]:
    """Return the variables of the page's template."""
    result, left_out = without_duplicates(result)
    headline = _tables.number(result.scores[MODEL][result.headline])
    return {
        "title": f"{result.data.get('model', result.recipe.network)}, {result.recipe.task}: {headline}",
        "result": result,
        "presentation": result.presentation,
        "model": MODEL,
        "left_out": left_out,
        "score": result.scores[MODEL],
        "words": _words,
        "tables": _tables,
        "verdict": _words.verdict(result),
        "pictures": _pictures.of_scores(result),
        "reads": drawn_reads(result),
        "run": run,
        "curves": None if run is None else _pictures.of_training(run),
        "cautions_of_training": [] if run is None else cautions_of_training(run),
    }


def without_duplicates(result: Evaluation) -> tuple[Evaluation, list[str]]:
    """Leave out baselines that score the same as a later one, as detectors of boundaries do if the task has classes.

    Args:
        result: Result of the evaluation.

    Returns:
        The result without them, and the names of those left out.
    """
    rows = {name: to_plain(row) for name, row in result.scores.items()}
    names = list(rows)
    left_out = [
        name for i, name in enumerate(names) if name != MODEL and rows[name] in [rows[n] for n in names[i + 1 :]]
    ]
    return replace(result, scores={name: row for name, row in result.scores.items() if name not in left_out}), left_out


def drawn_reads(result: Evaluation) -> list[DrawnRead]:
    """Return the reads that have an excerpt, with their pictures.

    Args:
        result: Result of the evaluation.
    """
    scores = {read.read_id: read for read in result.reads}
    titles = READ_TITLES.get(len(result.drawn), ())
    return [
        DrawnRead(title, scores[excerpt.read_id], _pictures.of_read(excerpt, result.recipe))
        for title, excerpt in zip(titles, result.drawn, strict=False)
    ]
