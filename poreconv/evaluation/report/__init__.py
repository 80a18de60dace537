"""One HTML page that tells how good a model is; it needs nothing but itself."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from poreconv.evaluation.report import _pictures, _tables, _words
from poreconv.evaluation.report._pictures import Picture
from poreconv.evaluation.result import MODEL, Evaluation, ReadScores, without_nan
from poreconv.runtime.files import whole_file

PAGE = ".html"
"""Suffix of a page."""

PLACES = {
    1: ("The read",),
    2: ("The best read", "The worst read"),
    3: ("The best read", "The median read", "The worst read"),
}
"""Number of drawn reads -> what they are."""


@dataclass(frozen=True)
class DrawnRead:
    """A read of the page."""

    title: str
    scores: ReadScores
    pictures: list[Picture]


def write_report(path: Path, result: Evaluation, run: Path | None = None) -> None:
    """Write the page, whole or not at all.

    Args:
        path: Where.
        result: What was found.
        run: Folder of the training, if it was one: its curves and settings are told too.
    """
    with whole_file(path) as partial:
        partial.write_text(page(result, run))


def page(result: Evaluation, run: Path | None = None) -> str:
    """The page as HTML; arguments as those of `write_report`."""
    pages = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,  # read ids and paths come from files that anybody may have written
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return pages.get_template("page.html").render(**_contents(result, run))


def _contents(result: Evaluation, run: Path | None) -> dict[str, Any]:
    """What the page's template fills in."""
    result, twins = without_twins(result)
    headline = _tables.number(result.scores[MODEL][result.headline])
    return {
        "title": f"{result.data.get('model', result.recipe.network)}, {result.recipe.task}: {headline}",
        "result": result,
        "model": MODEL,
        "twins": twins,
        "score": result.scores[MODEL],
        "words": _words,
        "tables": _tables,
        "verdict": _words.verdict(result),
        "pictures": _pictures.of_scores(result),
        "reads": drawn_reads(result),
        "run": run,
        "curves": None if run is None else _pictures.of_training(run),
    }


def without_twins(result: Evaluation) -> tuple[Evaluation, list[str]]:
    """Leave out baselines that score as a later one does: where classes are asked for, detectors of boundaries do.

    Returns:
        The rest, and the names of those left out.
    """
    rows = {name: without_nan(row) for name, row in result.scores.items()}
    names = list(rows)
    twins = [name for i, name in enumerate(names) if name != MODEL and rows[name] in [rows[n] for n in names[i + 1 :]]]
    return replace(result, scores={name: row for name, row in result.scores.items() if name not in twins}), twins


def drawn_reads(result: Evaluation) -> list[DrawnRead]:
    """The reads with their pictures."""
    scores = {read.read_id: read for read in result.reads}
    titles = PLACES.get(len(result.drawn), ())
    return [
        DrawnRead(title, scores[excerpt.read_id], _pictures.of_read(excerpt, result.recipe))
        for title, excerpt in zip(titles, result.drawn, strict=False)
    ]
