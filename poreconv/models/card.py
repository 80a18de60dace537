"""The card of a model: what it was trained on, how accurate it is, and what it is not for."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from poreconv.config import require
from poreconv.events.tasks.task import Task
from poreconv.models.recipe import Recipe

ENDS = ("_low", "_high")
"""Suffixes of the keys of a score's 95 % interval, as `evaluate` returns them."""


def _require_line(field_name: str, text: str) -> None:
    """Refuse what is not one line of text: control characters would reach a reader's terminal."""
    filled = text.strip() != "" and text.isprintable()
    require(filled, f"card: {field_name}: {text!r}; give one line of text")


@dataclass(frozen=True)
class TrainingSet:
    """A set of reads that a model was trained on."""

    set: str
    """Its name."""
    source: str
    """Where it comes from: accession, address, or how it was simulated."""
    licence: str
    reads: int
    """Number of reads in the training split."""
    samples: int
    """Number of their samples."""

    def __post_init__(self) -> None:
        """Check that no field is empty."""
        for name in ("set", "source", "licence"):
            _require_line(f"data.{name}", getattr(self, name))
        for name in ("reads", "samples"):
            number = getattr(self, name)
            require(number > 0, f"card: data.{name}: {number}; give a number over 0")


@dataclass(frozen=True)
class Card:
    """What users of a model should know about it; each text is one line."""

    schema_version: Literal[1] = field(default=1, kw_only=True)
    summary: str
    """What the model does, and for which reads."""
    data: tuple[TrainingSet, ...]
    scores: dict[str, dict[str, float]]
    """Test set -> score -> value, named as `evaluate` names them: ``f1_1`` may be accompanied by ``f1_1_low`` and
    ``f1_1_high``, its 95 % interval. `poreconv models` shows the first test set."""
    limits: str
    """What it is not for."""
    trained_by: str
    """The script, and its settings."""
    licence: str
    """The model's own."""

    def __post_init__(self) -> None:
        """Check that no field is empty."""
        for name in ("summary", "limits", "trained_by", "licence"):
            _require_line(name, getattr(self, name))
        require(len(self.data) > 0, "card: data: empty; give the sets that the model was trained on")
        require(len(self.scores) > 0, "card: scores: empty; give those of one test set")
        for test_set, scores in self.scores.items():
            _require_line("scores", test_set)
            require(len(scores) > 0, f"card: scores of {test_set}: empty; give one score")
            for name, value in scores.items():
                _require_line(f"scores of {test_set}", name)
                require(math.isfinite(value), f"card: {name} of {test_set}: {value}; give a number")

    def headline(self, task: Task) -> str:
        """Return the main score on the first test set, with its interval; empty if the card does not contain it.

        Args:
            task: The model's; it decides which score is the main one.
        """
        test_set, scores = next(iter(self.scores.items()))
        key, called = task.headline
        return f"{called} {_with_interval(scores, key)}, {test_set}" if key in scores else ""

    def to_markdown(self, name: str, recipe: Recipe) -> str:
        """Return the card as a Markdown page.

        Args:
            name: The model's name.
            recipe: The model's recipe.
        """
        paragraphs = [
            f"# {name}",
            self.summary,
            f"    poreconv label {name} run_folder --out events.tsv",
            _table(("", ""), self._facts(recipe)),
            f"**What it is not for.** {self.limits}",
            "## How good it is",
            *[part for name, scores in self.scores.items() for part in _score_tables(name, scores, recipe.classes)],
            "## What it learnt from",
            _table(
                ("set", "source", "licence", "reads", "samples"),
                [(each.set, each.source, each.licence, f"{each.reads:,}", f"{each.samples:,}") for each in self.data],
            ),
        ]
        return "\n\n".join(paragraphs) + "\n"

    def _facts(self, recipe: Recipe) -> list[tuple[str, str]]:
        settings = ", ".join(f"{key} {_plain(value)}" for key, value in recipe.network_settings.items())
        resampled = f", resampled from {_plain(recipe.resampled_from_hz)}" if recipe.resampled_from_hz else ""
        return [
            ("task", recipe.task),
            ("classes", _plain(recipe.classes)),
            ("chemistries", _plain(recipe.chemistries) or "not known"),
            ("sample rate, Hz", f"{recipe.sample_rate_hz:g}{resampled}"),
            ("truth learnt from", "; ".join(recipe.labels) or "not known"),
            *([("confounded", recipe.confounder)] if recipe.confounded else []),
            ("architecture", f"{recipe.network} ({settings})"),
            ("trained by", self.trained_by),
            ("licence", self.licence),
        ]


SCORE_COLUMNS = ("score", "value", "95 % interval")


def _plain(value: object) -> str:
    if isinstance(value, list | tuple):
        return ", ".join(map(_plain, value))
    return f"{value:g}" if isinstance(value, float) else str(value)


def _interval(scores: Mapping[str, float], key: str) -> str:
    """Return a score's interval, such as ``0.877-0.891``; empty without one."""
    ends = [scores[f"{key}{end}"] for end in ENDS if f"{key}{end}" in scores]
    return f"{ends[0]:.3f}-{ends[1]:.3f}" if len(ends) == len(ENDS) else ""


def _with_interval(scores: Mapping[str, float], key: str) -> str:
    interval = _interval(scores, key)
    return f"{scores[key]:.3f}" + (f" ({interval})" if interval else "")


def _score_tables(test_set: str, scores: Mapping[str, float], classes: Iterable[str]) -> list[str]:
    """Return the table of the scores on one test set, with their intervals, and that of the scores of each class."""
    bounds = {f"{key}{end}" for key in scores for end in ENDS}
    of_class = {name: _scores_of(name, scores) for name in classes}
    left_out = bounds | {f"{key}_{name}" for name, its in of_class.items() for key in its}
    rows = [(key, _value(value), _interval(scores, key)) for key, value in scores.items() if key not in left_out]
    found = [f"{test_set}:\n\n{_table(SCORE_COLUMNS, rows)}"]
    keys = list(dict.fromkeys(key for its in of_class.values() for key in its))
    if keys:
        per_class = [
            (name, *(_value(its[key]) if key in its else "" for key in keys)) for name, its in of_class.items()
        ]
        found.append(_table(("class", *keys), per_class))
    return found


def _scores_of(name: str, scores: Mapping[str, float]) -> dict[str, float]:
    """Return the scores of one class: those whose key ends with its name."""
    return {key.removesuffix(f"_{name}"): value for key, value in scores.items() if key.endswith(f"_{name}")}


def _value(value: float) -> str:
    """Counts, such as numbers of reads, are printed as whole numbers."""
    return f"{value:,.0f}" if float(value).is_integer() and abs(value) > 1 else f"{value:.3f}"


def _table(columns: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """Return a table in Markdown."""
    lines = [list(columns), *map(list, rows)]
    lines.insert(1, ["---"] * len(lines[0]))
    escaped = [[cell.replace("|", "\\|") for cell in line] for line in lines]
    return "\n".join(f"| {' | '.join(line)} |" for line in escaped)
