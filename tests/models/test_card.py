import json
from dataclasses import replace
from typing import Any

import pytest

from poreconv.errors import ConfigError
from poreconv.events.tasks import task_named
from poreconv.models.card import Card, TrainingSet
from poreconv.runtime.records import from_json, to_json, to_plain
from tests.support.models import card_for, recipe_for

SET = {"set": "lambda", "source": "example.org", "licence": "CC0", "reads": 24, "samples": 9}


def test_a_card_survives_its_header() -> None:
    """What is read from a card's JSON is the card that was written."""
    assert from_json(to_json(card_for()), Card) == card_for()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "not JSON"),
        ("[]", "not JSON"),
        ("{}", "not JSON"),
        ("[" * 100_000, "not JSON"),
        ('{"schema_version": 9}', "schema version 9, this poreconv reads 1"),
        ('{"schema_version": 1}', "summary"),
    ],
    ids=["half", "list", "empty", "deep", "newer", "bare"],
)
def test_what_is_not_a_card(text: str, message: str) -> None:
    """Text that is not a card is refused, whatever it is."""
    with pytest.raises(ConfigError, match=f"card: .*{message}"):
        from_json(text, Card, "card")


@pytest.mark.parametrize(
    "fields",
    [
        {"summary": ""},
        {"summary": "  "},
        {"summary": "two\nlines"},
        {"licence": "\x1b[2J"},
        {"limits": None},
        {"trained_by": ["a", "b"]},
        {"data": []},
        {"data": 3},
        {"data": [3]},
        {"data": [SET | {"reads": 0}]},
        {"data": [SET | {"reads": True}]},
        {"data": [SET | {"samples": "9"}]},
        {"data": [SET | {"licence": ""}]},
        {"data": [SET | {"colour": "red"}]},
        {"scores": {}},
        {"scores": [1]},
        {"scores": {"lambda": {}}},
        {"scores": {"lambda": 0.9}},
        {"scores": {"lambda": {"f1_1": "0.9"}}},
        {"scores": {"lambda": {"f1_1": None}}},
        {"scores": {"lambda": {"f1_1": float("nan")}}},
        {"scores": {"lambda": {"f1_1": 10**400}}},
        {"scores": {"": {"f1_1": 0.9}}},
        {"scores": {"lambda": {"\x07": 0.9}}},
        {"colour": "red"},
    ],
    ids=lambda fields: str(fields)[:40].encode("ascii", "replace").decode(),
)
def test_cards_that_leave_something_out(fields: dict[str, Any]) -> None:
    """Every field is one line of text, a number over 0 or a finite score; nothing else is taken, nothing is missing."""
    plain = to_plain(card_for()) | fields

    with pytest.raises(ConfigError, match="card: "):
        from_json(json.dumps(plain), Card, "card")


def test_a_card_made_in_python_is_checked_too() -> None:
    """A card cannot be made without data, nor a training set without a licence."""
    with pytest.raises(ConfigError, match="card: data"):
        card_for(data=())
    with pytest.raises(ConfigError, match=r"card: data\.licence: ''; give one line of text"):
        TrainingSet("lambda", "example.org", "", 1, 1)


def test_the_headline_is_of_the_first_test_set() -> None:
    """It is one score of the first test set, with its interval; the task decides which."""
    assert card_for().headline(task_named("boundary")) == "F1 ±1 0.884 (0.877-0.891), lambda, test"
    assert card_for().headline(task_named("segment")) == ""
    assert card_for(scores={"tails": {"macro_f1": 0.9}}).headline(task_named("segment")) == "macro F1 0.900, tails"


def test_scores_of_classes_have_a_table_of_their_own() -> None:
    """A row for each class; what was not measured of one is left empty."""
    scores = {"n_reads": 4, "f1_adapter": 0.9, "f1_polya": 0.8, "segments_found_polya": 7}
    recipe = recipe_for("tcn", task="segment", classes=("adapter", "polya"), class_counts=(5, 5))
    lines = replace(card_for(), scores={"held out": scores}).to_markdown("mine", recipe).splitlines()

    assert {"| n_reads | 4 |  |", "| class | f1 | segments_found |", "| adapter | 0.900 |  |"} <= set(lines)
    assert "| polya | 0.800 | 7 |" in lines
    assert not any(line.startswith("| f1_") for line in lines)


def test_the_card_for_readers_contains_everything() -> None:
    """The Markdown page contains the facts of card and recipe; intervals are beside their scores."""
    recipe = replace(recipe_for("tcn", labels=("tombo",)), resampled_from_hz=(4000.0, 5000.0))
    lines = card_for().to_markdown("dna_r9", recipe).splitlines()

    assert lines[0] == "# dna_r9"
    assert {
        "Boundaries of bases in reads of R9.4.1 DNA",
        "| task | boundary |",
        "| classes | inside, boundary |",
        "| chemistries | dna_r9.4.1 |",
        "| sample rate, Hz | 4000, resampled from 4000, 5000 |",
        "| truth learnt from | tombo |",
        "| licence | MIT |",
        "**What it is not for.** RNA; modified bases; reads of under 200 samples",
        "| f1_1 | 0.884 | 0.877-0.891 |",
        "| n_reads | 10 |  |",
        "| f1_1 | 0.700 |  |",
        "| lambda | example.org/lambda | CC0 | 24 | 2,354,007 |",
    } <= set(lines)
    assert any(line.startswith("| architecture | tcn (channels 8, kernel 3, dilations 1, 2, 4,") for line in lines)


def test_bars_do_not_break_the_tables() -> None:
    """A bar in a cell is escaped."""
    card = card_for(licence="MIT | Apache")

    assert r"| licence | MIT \| Apache |" in card.to_markdown("m", recipe_for("tcn"))
