"""The card of a model: what it was trained on, how good it is, and what it is not for."""

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Self

from poreconv.config import Task, require
from poreconv.errors import ConfigError
from poreconv.models.recipe import Recipe

SCHEMA_VERSION = 1

HEADLINES: dict[Task, tuple[str, str]] = {
    "boundary": ("f1_1", "F1 ±1"),
    "segment": ("macro_f1", "macro F1"),
    "base": ("macro_f1", "macro F1"),
    "read": ("accuracy", "accuracy"),
}
"""Task -> the score that stands for all: its key, and what a table calls it."""

ENDS = ("_low", "_high")
"""What the keys of a score's 95 % interval end in, as `evaluate` gives them."""


def _require_line(where: str, text: object) -> None:
    """Refuse what is no line of text: control characters would reach a reader's terminal."""
    filled = isinstance(text, str) and text.strip() != "" and text.isprintable()
    require(filled, f"card: {where}: {text!r}; give one line of text")


def _require_count(where: str, number: object) -> None:
    counted = isinstance(number, int) and not isinstance(number, bool) and number > 0
    require(counted, f"card: {where}: {number!r}; give a number over 0")


@dataclass(frozen=True)
class TrainingSet:
    """A set of reads that a model learnt from."""

    set: str
    """Its name."""
    source: str
    """Where it comes from: accession, address, or how it was simulated."""
    licence: str
    reads: int
    """Reads of the training split."""
    samples: int
    """Their samples."""

    def __post_init__(self) -> None:
        """Check that nothing is left out."""
        for name in ("set", "source", "licence"):
            _require_line(f"data.{name}", getattr(self, name))
        for name in ("reads", "samples"):
            _require_count(f"data.{name}", getattr(self, name))


@dataclass(frozen=True)
class Card:
    """What whoever uses a model should know of it; all text is of one line each."""

    summary: str
    """What the model does, and for which reads."""
    data: tuple[TrainingSet, ...]
    scores: dict[str, dict[str, float]]
    """Test set -> score -> value, named as `evaluate` names them: beside ``f1_1`` may stand ``f1_1_low`` and
    ``f1_1_high``, its 95 % interval. The first test set is the one that `poreconv models` shows."""
    limits: str
    """What it is not for."""
    trained_by: str
    """The script, and its settings."""
    licence: str
    """The model's own."""

    def __post_init__(self) -> None:
        """Check that nothing is left out."""
        for name in ("summary", "limits", "trained_by", "licence"):
            _require_line(name, getattr(self, name))
        sets = isinstance(self.data, tuple) and all(isinstance(one, TrainingSet) for one in self.data)
        require(sets and len(self.data) > 0, "card: data: name what the model learnt from")
        require(isinstance(self.scores, dict) and len(self.scores) > 0, "card: scores: give those of one test set")
        for test_set, scores in self.scores.items():
            _require_line("scores", test_set)
            require(isinstance(scores, dict) and len(scores) > 0, f"card: scores of {test_set}: none")
            for name, value in scores.items():
                _require_line(f"scores of {test_set}", name)
                require(_is_number(value), f"card: {name} of {test_set}: {value!r}; give a number")

    def headline(self, task: Task) -> str:
        """The one score that stands for all, of the first test set; empty if the card does not tell it."""
        test_set, scores = next(iter(self.scores.items()))
        key, called = HEADLINES[task]
        return f"{called} {_with_interval(scores, key)}, {test_set}" if key in scores else ""

    def to_json(self) -> str:
        """As JSON text, one line."""
        return json.dumps({"schema_version": SCHEMA_VERSION, **asdict(self)})

    @classmethod
    def from_json(cls, text: str) -> Self:
        """The inverse of `to_json`.

        Raises:
            ConfigError: The text is no card, or one of another schema version.
        """
        try:
            plain = json.loads(text)
            version = plain.pop("schema_version")
        except (ValueError, KeyError, AttributeError, TypeError, RecursionError) as exc:
            raise ConfigError("card: not JSON with a schema_version; is this a card of a poreconv model?") from exc
        if version != SCHEMA_VERSION:
            raise ConfigError(f"card: schema version {version!r}, this poreconv reads {SCHEMA_VERSION}")
        try:
            data = tuple(TrainingSet(**one) for one in plain.pop("data"))
            return cls(data=data, **plain)
        except (KeyError, TypeError, OverflowError) as exc:
            raise ConfigError(f"card: {exc}; a card tells its summary, data, scores, limits and so on") from exc

    def to_markdown(self, name: str, recipe: Recipe) -> str:
        """The card for human readers.

        Args:
            name: What the model is called.
            recipe: What it was trained to do.
        """
        paragraphs = [
            f"# {name}",
            self.summary,
            f"    poreconv label {name} run_folder --out events.tsv",
            _table(("", ""), self._facts(recipe)),
            f"**What it is not for.** {self.limits}",
            "## How good it is",
            *[f"{test_set}:\n\n{_table(SCORE_COLUMNS, _rows(scores))}" for test_set, scores in self.scores.items()],
            "## What it learnt from",
            _table(
                ("set", "source", "licence", "reads", "samples"),
                [(one.set, one.source, one.licence, f"{one.reads:,}", f"{one.samples:,}") for one in self.data],
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
            ("labels", _plain(recipe.labels) or "not known"),
            *([("confounded", recipe.confounder)] if recipe.confounded else []),
            ("architecture", f"{recipe.network} ({settings})"),
            ("trained by", self.trained_by),
            ("licence", self.licence),
        ]


SCORE_COLUMNS = ("score", "value", "95 % interval")


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _plain(value: object) -> str:
    if isinstance(value, list | tuple):
        return ", ".join(map(_plain, value))
    return f"{value:g}" if isinstance(value, float) else str(value)


def _interval(scores: Mapping[str, float], key: str) -> str:
    """``0.877-0.891``, or nothing."""
    ends = [scores[f"{key}{end}"] for end in ENDS if f"{key}{end}" in scores]
    return f"{ends[0]:.3f}-{ends[1]:.3f}" if len(ends) == len(ENDS) else ""


def _with_interval(scores: Mapping[str, float], key: str) -> str:
    interval = _interval(scores, key)
    return f"{scores[key]:.3f}" + (f" ({interval})" if interval else "")


def _rows(scores: Mapping[str, float]) -> list[tuple[str, str, str]]:
    """A row for each score, its interval beside it; numbers of reads and the like are whole."""
    bounds = {f"{key}{end}" for key in scores for end in ENDS}
    shown = {key: value for key, value in scores.items() if key not in bounds}
    return [(key, _value(value), _interval(scores, key)) for key, value in shown.items()]


def _value(value: float) -> str:
    return f"{value:,.0f}" if float(value).is_integer() and abs(value) > 1 else f"{value:.3f}"


def _table(columns: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """A table in Markdown."""
    lines = [list(columns), *map(list, rows)]
    lines.insert(1, ["---"] * len(lines[0]))
    escaped = [[cell.replace("|", "\\|") for cell in line] for line in lines]
    return "\n".join(f"| {' | '.join(line)} |" for line in escaped)
