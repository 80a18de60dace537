"""Numbers in tables of README and site: each was measured by a study, whose JSON is committed."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from markdown_it import MarkdownIt

from scripts.site.results import STUDIES, result_pages

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
RESULTS = sorted((DOCS / "results").glob("*.json"))
PAGES = [ROOT / "README.md", *sorted(path for path in DOCS.rglob("*.md") if "generated" not in path.parts)]

MEASURED = re.compile(r"(?<![\w.])-?\d+\.\d+(?![\w.])")
"""A decimal number; 4.1 in R9.4.1 is none."""


VERSIONS = re.compile(r"Python \d+\.\d+((,| and) \d+\.\d+)*")


@dataclass(frozen=True)
class Result:
    """One entry of a study's results."""

    names: frozenset[str]
    """Texts in it, such as a model's name."""
    numbers: tuple[float, ...]


def leaves(value: Any) -> Iterator[Any]:
    """All texts and numbers of a JSON value, at any depth."""
    if isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from leaves(inner)
    elif value is not None:
        yield value


def results_in(path: Path) -> list[Result]:
    """The entries of a study's JSON."""
    found = json.loads(path.read_text())["results"]
    entries = [entry for part in found.values() for entry in part] if isinstance(found, dict) else found
    return [
        Result(
            frozenset(leaf for leaf in leaves(entry) if isinstance(leaf, str)),
            tuple(float(leaf) for leaf in leaves(entry) if isinstance(leaf, int | float)),
        )
        for entry in entries
    ]


def rows_of(markdown: str) -> Iterator[list[str]]:
    """The cells of each row of all tables."""
    row = list[str]()
    for before, token in pairwise(MarkdownIt().enable("table").parse(markdown)):
        if before.type in {"td_open", "th_open"}:
            row.append(token.content)
        elif token.type == "tr_close":
            yield row
            row = []


def unmeasured(markdown: str, results: list[Result]) -> list[str]:
    """Decimal numbers in tables that no study found for what its row names, such as a model."""
    wrong = []
    known = {name for result in results for name in result.names}
    for row in rows_of(markdown):
        names = known & {cell.strip("`") for cell in row}
        numbers = [number for result in results if names <= result.names for number in result.numbers]
        others = [cell for cell in row if cell not in known]  # a text of the study's, such as what was expected
        typed = [number for cell in others for number in MEASURED.findall(VERSIONS.sub("", cell))]
        wrong += [each for each in typed if not any(rounds_to(number, each) for number in numbers)]
    return wrong


def rounds_to(number: float, typed: str) -> bool:
    """Whether a number, or as a percentage, is written so."""
    decimals = len(typed.partition(".")[2])
    return typed in {f"{number:.{decimals}f}", f"{100 * number:.{decimals}f}"}


@pytest.fixture(scope="module")
def measured() -> list[Result]:
    """All that studies found."""
    return [result for path in RESULTS for result in results_in(path)]


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_measured_numbers_of_the_page_are_committed(page: Path, measured: list[Result]) -> None:
    """None is typed by hand."""
    assert unmeasured(page.read_text(), measured) == []


def test_tables_of_the_results_are_made_of_the_json(measured: list[Result]) -> None:
    """Each number in them is one of these, rounded, and there are many."""
    page = result_pages()["included/results.md"]

    assert unmeasured(page, measured) == []
    assert len([cell for row in rows_of(page) for cell in row if MEASURED.search(cell)]) > 100


@pytest.mark.parametrize("path", RESULTS, ids=lambda path: path.stem)
def test_every_result_is_on_the_page(path: Path) -> None:
    """With the program that measured it, the machine, the commit and the date."""
    content, page = json.loads(path.read_text()), result_pages()["included/results.md"]
    about = page.partition(f"## {STUDIES[path.stem].title}\n")[2].partition("\n## ")[0]

    assert f"python -m scripts.studies.{content['study']}" in about
    assert content["commit"] in about
    assert content["date"] in about
    assert content["machine"]["processor"]["name"] in about
    assert (ROOT / "scripts" / "studies" / f"{content['study']}.py").exists()


@pytest.mark.parametrize("typed", ["0.123457 |", "F1 -0.99999 |", "12.3456 % |"])
def test_a_number_typed_by_hand_is_found(typed: str, measured: list[Result]) -> None:
    """In any cell of a table."""
    assert len(unmeasured(f"| a |\n| --- |\n| {typed}\n", measured)) == 1


def test_the_number_of_another_model_is_found() -> None:
    """What one model reached cannot stand in the row of another."""
    results = [Result(frozenset({"one"}), (0.9,)), Result(frozenset({"other"}), (0.5,))]
    head = "| model | F1 |\n| --- | --- |\n"

    assert unmeasured(f"{head}| `one` | 0.9 |\n| `other` | 0.5 |\n", results) == []
    assert unmeasured(f"{head}| `one` | 0.9 |\n| `other` | 0.9 |\n", results) == ["0.9"]
