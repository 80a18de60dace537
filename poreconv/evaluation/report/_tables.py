"""The page's tables, as text that the page escapes."""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from poreconv.evaluation.result import MODEL, Evaluation, Scores
from poreconv.evaluation.words import BETWEEN, COUNTED, FOLDS, JUDGED, percent
from poreconv.models.recipe import Recipe
from poreconv.runtime.records import from_json

MOST_WORST = 8
"""Most reads in the table of the worst reads."""

Facts = list[tuple[str, str]]
"""Names of facts, and their values."""


@dataclass(frozen=True)
class Cell:
    """A number, and the interval below it."""

    text: str
    interval: str = ""


@dataclass(frozen=True)
class Bar:
    """A method's headline score and its interval, as shares of the width of a bar."""

    name: str
    score: float
    low: float
    high: float


def bars(result: Evaluation) -> list[Bar]:
    """Return the bars of the methods, from the best to the worst.

    Args:
        result: Result of the evaluation.
    """
    key = result.headline
    rows = [Bar(name, row[key], row[f"{key}_low"], row[f"{key}_high"]) for name, row in result.scores.items()]
    return sorted((row for row in rows if not math.isnan(row.score)), key=lambda row: -row.score)


def methods(result: Evaluation) -> tuple[list[str], list[tuple[str, list[Cell]]]]:
    """Return the table of all methods.

    Args:
        result: Result of the evaluation.

    Returns:
        Heads of the columns, and for each method its name and a cell per column.
    """
    columns = result.columns
    rows = [(name, [_cell(row, key) for key in columns.values()]) for name, row in result.scores.items()]
    return list(columns), rows


def _cell(scores: Scores, key: str) -> Cell:
    value = scores.get(key, math.nan)
    if math.isnan(value):
        return Cell("-")
    if key.startswith(COUNTED):
        return Cell(f"{value:,.0f}")
    low, high = scores.get(f"{key}_low", math.nan), scores.get(f"{key}_high", math.nan)
    return Cell(f"{value:.3f}", "" if math.isnan(low) else f"{low:.3f}{' to ' if low < 0 else '-'}{high:.3f}")


def classes(result: Evaluation) -> tuple[list[str], list[tuple[str, list[Cell]]]]:
    """Return the table of the model's classes.

    Args:
        result: Result of the evaluation.

    Returns:
        Heads of the columns, none if the task has no such table, and for each class its name and a cell per column.
    """
    columns = result.presentation.class_columns
    names = result.recipe.classes if columns else ()
    rows = [(name, [_cell(result.model_scores, f"{key}_{name}") for key in columns.values()]) for name in names]
    return list(columns), rows


def worst_reads(result: Evaluation) -> tuple[list[str], list[tuple[str, list[str]]]]:
    """Return the table of the worst reads, the worst first.

    Args:
        result: Result of the evaluation.

    Returns:
        Heads of the columns, and for each read its id and a text per column.
    """
    if not result.reads:
        return [], []
    keys = list(result.reads[0].model)
    baselines = [name for name in result.scores if name != MODEL]
    rows = [
        (
            read.read_id,
            [
                f"{read.n_samples:,}",
                *[number(read.model[key]) for key in keys],
                *[number(read.baselines[name]) for name in baselines],
            ],
        )
        for read in reversed(result.reads[-MOST_WORST:])
    ]
    return ["samples", *[result.presentation.read_columns[key] for key in keys], *baselines], rows


def number(value: float) -> str:
    """Format a score with three decimals, or as a dash if it is not defined.

    Args:
        value: The score, or NaN.
    """
    return "-" if math.isnan(value) else f"{value:.3f}"


def model_facts(result: Evaluation) -> Facts:
    """List the properties of the model: task, network, decoding, normalisation.

    Args:
        result: Result of the evaluation.
    """
    recipe, size = result.recipe, result.network
    field = size["receptive_field"]
    seen = "not bounded" if field is None else f"{field:,.0f} samples, {_time(field / recipe.sample_rate_hz)}"
    return [
        ("task", recipe.task),
        ("classes", ", ".join(recipe.classes)),
        ("architecture", recipe.network),
        ("settings", _settings(recipe.network_settings)),
        ("weights", f"{size['n_parameters']:,.0f}"),
        ("receptive field", seen),
        ("multiply-adds per sample", f"{size['macs_per_sample']:,.0f}"),
        ("decoding", _decoding(recipe.decoding.__dict__)),
        ("normalisation", f"winsorised mean and SD of each read, clipped at {recipe.normalisation.clip:g}"),
    ]


def training_facts(result: Evaluation) -> Facts:
    """List the properties of the model's training data.

    Args:
        result: Result of the evaluation.
    """
    recipe = result.recipe
    split = recipe.split
    shares = f"by {split.by}: test {split.test:g}, validation {split.validation:g}, seed {split.seed}"
    return [
        ("chemistries", ", ".join(recipe.chemistries) or "not known"),
        ("sample rate", f"{recipe.sample_rate_hz:g} Hz"),
        ("truth learnt from", ", ".join(recipe.labels) or "not known"),
        (
            f"{result.presentation.counted} by class",
            _settings(dict(zip(recipe.classes, recipe.class_counts, strict=True))),
        ),
        ("mean dwell", f"{recipe.mean_dwell:.1f} samples"),
        ("split", shares),
        *_listed(recipe),
        ("sequencing runs", ", ".join(recipe.runs) or "not known"),
        *[("started from a model of sequencing runs", ", ".join(seen.runs) or "not known") for seen in recipe.before],
        ("hashes of the stores", ", ".join(recipe.data) or "not known"),
        ("trained with poreconv", recipe.poreconv_version or "not known"),
    ]


def _listed(recipe: Recipe) -> Facts:
    """The number of reads, runs and so on whose split is not the rule's."""
    counts = Counter(recipe.moved.values())
    listed = ", ".join(f"{split} {n:,}" for split, n in sorted(counts.items()))
    return [(f"{recipe.split.by}s listed by name", listed)] if listed else []


def data_facts(result: Evaluation) -> Facts:
    """List the properties of the data that the model was judged on.

    Args:
        result: Result of the evaluation.
    """
    data = result.data
    judged = _share_judged(data)
    if "files" in data:
        table = [("pore model", str(data["pore_model"]))] if "pore_model" in data else []
        labels = ", ".join(map(str, data["labels"])) or "none"
        return [("files", ", ".join(map(str, data["files"]))), ("labels", labels), *table, *judged]
    rows: Facts = [("judged", f"{judged_part(result)}, {data['reads_in_split']:,} reads")]
    for store in data["stores"]:
        rows += [
            ("store", str(store["path"])),
            ("hash", str(store["hash"])),
            ("labels", ", ".join(map(str, store["labels"]))),
            ("reads", _settings(store["reads"])),
            ("preparation", str(store["prepared"])),
        ]
    return rows + judged


def _share_judged(data: Mapping[str, Any]) -> Facts:
    """The samples that were judged without true labels, of those from the model's first boundary to its last."""
    if JUDGED not in data:
        return []
    samples, between = data[JUDGED], data[BETWEEN]
    return [("judged samples", f"{samples:,}, {percent(samples / between)} of those between the model's boundaries")]


def judged_part(result: Evaluation) -> str:
    """Return the part of a store that was judged: a split, or all reads, in folds.

    Args:
        result: Result of an evaluation on stores.
    """
    n_folds = result.data.get(FOLDS)
    return f"split {result.data['split']}" if n_folds is None else f"{n_folds} folds"


def version_facts(result: Evaluation, run: Path | None) -> Facts:
    """List the versions of the software, and the seeds.

    Args:
        result: Result of the evaluation.
        run: Folder of the training run; None: without the seed of the training.
    """
    seeds = [("seed of the split", str(result.recipe.split.seed)), ("seed of the intervals", "0")]
    if run is not None:
        seeds.insert(0, ("seed of the training", str(_config(run)["seed"])))
    return [*result.versions.items(), *seeds]


def run_facts(run: Path) -> Facts:
    """List the settings of a training run.

    Args:
        run: Its folder.
    """
    return [(name, _settings(value) if isinstance(value, dict) else str(value)) for name, value in _config(run).items()]


def _config(run: Path) -> dict[str, Any]:
    config: dict[str, Any] = from_json((run / "run.json").read_bytes(), dict[str, Any])["config"]
    return config


def _decoding(settings: Mapping[str, Any]) -> str:
    return _settings({name: value for name, value in settings.items() if name != "dwell_hazards"})


def _settings(values: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {_plain(value)}" for name, value in values.items())


def _plain(value: Any) -> str:
    if isinstance(value, Sequence) and not isinstance(value, str):
        return "[" + ", ".join(map(_plain, value)) + "]"
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)


def _time(seconds: float) -> str:
    return f"{1000 * seconds:,.0f} ms" if seconds < 1 else f"{seconds:,.1f} s"
