"""Metrics and baselines of the user's own."""

import math
from pathlib import Path
from typing import Any

import pytest
from torchmetrics import Metric
from torchmetrics.classification import BinaryF1Score, MulticlassAccuracy
from torchmetrics.regression import MeanSquaredError

from poreconv.commands.evaluate import evaluate, render
from poreconv.config import EvaluateConfig
from poreconv.dataset.store import Store
from poreconv.errors import ConfigError, LabelError
from poreconv.evaluation.baselines.choice import baselines_for
from poreconv.evaluation.criteria import criterion_of
from poreconv.evaluation.metrics.own import OwnMetrics
from poreconv.evaluation.result import read_evaluation
from poreconv.events.events import Events
from poreconv.models.recipe import Recipe
from poreconv.reads.read import Read
from tests.support.data import heartbeat_store, squiggle_store
from tests.support.labels import read_of
from tests.support.models import bundle_at, recipe_for

NAME = __name__
ALL = EvaluateConfig(split="all", include_training=True)
SEGMENTS = {"task": "segment", "classes": ("background", "beat"), "sample_rate_hz": 250.0, "chemistries": ("unknown",)}


def surplus(found: Events, true: Events) -> float:
    """How many events too many were found in a read."""
    return len(found) - len(true)


def truth_alone(found: Events, true: Events) -> float:
    """The share of true events that are long; not defined of a read with less than two."""
    return float((true.end - true.start > 5).mean()) if len(true) > 1 else math.nan


def whole(read: Read) -> Events:
    """One event."""
    return Events.of([0], [len(read.adc)])


def typical(read: Read, recipe: Recipe) -> Events:
    """The rarest class of the training everywhere."""
    return Events.of([0], [len(read.adc)], label=[len(recipe.classes) - 1], classes=recipe.classes)


@pytest.fixture(scope="module")
def squiggles(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store of simulated squiggles."""
    return squiggle_store(tmp_path_factory.mktemp("squiggles"), n_reads=8)


def test_metrics_stand_beside_those_of_the_task(squiggles: Path, tmp_path: Path) -> None:
    """In every method's row, in the result's file, in the table and the page; torchmetrics agrees with F1 exact."""
    model = bundle_at(tmp_path / "model.safetensors")
    metrics = {"surplus": surplus, "binary F1": BinaryF1Score()}
    result = evaluate(
        model, squiggles, metrics=metrics, baselines=["uniform", whole], config=ALL, out=tmp_path / "x.json"
    )
    scores, n_reads = result.scores, result.model_scores["n_reads"]

    assert scores.keys() == {"model", "uniform", "whole"}
    assert scores["uniform"]["binary F1"] == pytest.approx(scores["uniform"]["f1_0"], abs=1e-6)
    n_true = result.model_scores["n_true"]
    assert scores["whole"]["surplus"] == pytest.approx(1 - n_true / n_reads)
    assert read_evaluation(tmp_path / "x.json").model_scores["surplus"] == scores["model"]["surplus"]
    assert [str(column.header) for column in render(result).columns][-2:] == ["surplus", "binary F1"]
    assert "binary F1" in (tmp_path / "x.html").read_text()


def test_segments_are_scored_by_samples(tmp_path: Path) -> None:
    """A class of torchmetrics is made with the number of classes; it scores the known samples, as accuracy does."""
    store = heartbeat_store(tmp_path, n_reads=6)
    model = bundle_at(tmp_path / "model.safetensors", **SEGMENTS)

    class Accuracy(MulticlassAccuracy):
        def __init__(self, num_classes: int) -> None:
            super().__init__(num_classes, average="micro")

    result = evaluate(model, store, metrics=[Accuracy], baselines=[typical], config=ALL)

    assert result.metrics == ("Accuracy",)
    for scores in result.scores.values():
        assert scores["Accuracy"] == pytest.approx(scores["accuracy"], abs=1e-6)


def test_a_read_without_a_score_is_left_out(squiggles: Path) -> None:
    """NaN does not count; without any score the metric has none."""
    criterion, store = criterion_of("boundary"), Store(squiggles)
    [scorer] = OwnMetrics([truth_alone], criterion, ("inside", "boundary")).scorers().values()
    nothing = scorer.compute()
    target = store.read_target(0)
    scorer.update(target, Events.of([], []))
    once = scorer.compute()
    scorer.update(target[:1], Events.of([], []))

    assert math.isnan(nothing)
    assert 0 < once <= 1
    assert scorer.compute() == once


class NotOne(Metric):
    """A metric whose result is no number."""

    def update(self, found: Any, true: Any) -> None:
        """Do nothing."""

    def compute(self) -> dict[str, int]:
        """Return two."""
        return {"a": 1, "b": 2}


WRONG: dict[str, tuple[Any, str]] = {
    "taken": ({"f1_1": surplus}, "metrics: f1_1 is the name of a score of task boundary; choose another name"),
    "twice": ([surplus, surplus], "several are named surplus; give them as a dict by name"),
    "no metric": ([7], "metric builtins:int: a int; give a function of found and true events, or one of torchmetrics"),
    "fails": ([lambda found, true: found.nonsense], "metric .*: scoring a read failed: AttributeError"),
    "no number": ([lambda found, true: "much"], "scoring a read failed: ValueError: could not convert string to float"),
    "not one": ([NotOne], "metric NotOne: computing it; its result must be one number failed: TypeError"),
    "unknown": (["nowhere.py:f"], r"metric nowhere\.py:f: cannot be imported: FileNotFoundError"),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_metric_is_an_error_in_a_line(name: str, squiggles: Path, tmp_path: Path) -> None:
    """It names the metric, and what is expected."""
    metrics, message = WRONG[name]
    with pytest.raises(ConfigError, match=message):
        evaluate(bundle_at(tmp_path / "m.safetensors"), squiggles, metrics=metrics, baselines=[], config=ALL)


def test_a_metric_of_numbers() -> None:
    """Of task `value`, targets and what was found are numbers at the known samples."""
    own = OwnMetrics({"mse": MeanSquaredError}, criterion_of("value"), ("value",))
    [scorer] = own.scorers().values()
    events = Events.of([0, 50], [50, 100], value=[1.0, 2.0])
    scorer.update(criterion_of("value").task.target(events, 100), Events.of([0], [100], value=[1.0]))

    assert scorer.compute() == pytest.approx(0.5)


def test_a_baseline_is_named_after_its_function() -> None:
    """By itself or by name, beside those of the table."""
    found = baselines_for("boundary", ["uniform", whole, f"{NAME}:typical"])

    assert list(found) == ["uniform", "whole", "typical"]
    assert found["whole"](read_of("r1"), recipe_for("tcn")).end.tolist() == [100]


def test_a_baseline_may_find_nothing() -> None:
    """None is no event."""
    [detect] = baselines_for("segment", [lambda read: None]).values()
    events = detect(read_of("r1"), recipe_for("tcn", **SEGMENTS))

    assert (len(events), events.classes) == (0, ("background", "beat"))


READ, RECIPE = read_of("r1"), recipe_for("tcn", **SEGMENTS)

WRONG_BASELINES: dict[str, tuple[Any, str, type[Exception]]] = {
    "unknown": ("ttst", "baseline 'ttst' is not known; did you mean ttest.*or your own, as my.py:NAME", ConfigError),
    "no function": (7, "baseline builtins:int: a int; give a function of a read that returns Events", ConfigError),
    "no events": (lambda read: 3, "returned a int; return Events, or None", ConfigError),
    "no classes": (whole, "events of classes none, and the model's are background, beat, in this order", ConfigError),
    "too long": (lambda read: Events.of([0], [999]), "event 0 is .* but the read has 100 samples", LabelError),
}


@pytest.mark.parametrize("name", WRONG_BASELINES)
def test_a_wrong_baseline_is_an_error_in_a_line(name: str) -> None:
    """It names the baseline, and what is expected."""
    own, message, kind = WRONG_BASELINES[name]
    with pytest.raises(kind, match=message):
        _ = [detect(READ, RECIPE) for detect in baselines_for("segment", [own]).values()]


def test_two_baselines_of_one_name_are_refused() -> None:
    """Each has a row of its own."""
    with pytest.raises(ConfigError, match="several have one name among uniform, whole; rename one"):
        baselines_for("boundary", ["uniform", whole, whole])
