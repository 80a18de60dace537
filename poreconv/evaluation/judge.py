"""A model and detectors that learnt nothing, judged on the same reads."""

import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from importlib.metadata import version
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from poreconv.config import Task
from poreconv.errors import StoreError
from poreconv.evaluation.baselines import Baseline
from poreconv.evaluation.excerpt import Excerpt
from poreconv.evaluation.metrics import BoundaryMetric, ReadMetric, ReliabilityMetric, SegmentMetric
from poreconv.evaluation.result import MODEL, Evaluation, ReadScores, Scores
from poreconv.evaluation.truths import Place, Truths
from poreconv.events.events import Events
from poreconv.events.targets import boundaries, encode, known_starts
from poreconv.inference.labeller import Labeller
from poreconv.models.recipe import Recipe
from poreconv.runtime.ledger import Ledger
from poreconv.runtime.progress import Report

OF_READS: dict[Task, tuple[str, ...]] = {
    "boundary": ("f1_1", "precision_1", "recall_1", "over_segmentation"),
    "segment": ("macro_f1", "accuracy", "mean_segment_iou"),
    "base": ("macro_f1", "accuracy", "mean_segment_iou"),
    "read": ("p_true",),
}
"""Task -> the model's scores that are told of single reads."""

MOST_READS, MOST_DRAWN = 200, 3
"""Reads told of by name; reads of which an excerpt is kept."""

T = TypeVar("T")

LIBRARIES = ("poreconv", "torch", "lightning", "numpy")


class Judge:
    """Compares one method's events with the truth, inside the coverage alone."""

    def __init__(self, recipe: Recipe) -> None:
        self._task, self._n_classes = recipe.task, len(recipe.classes)
        self._metric = _metric_for(recipe)
        self.reliability = ReliabilityMetric(recipe.task)
        self._has_probabilities = False

    def update(
        self, target: NDArray[np.int8], events: Events, probabilities_CT: NDArray[np.float32] | None = None
    ) -> None:
        """Add one read: true class of each sample, what was found, and how probable the method takes each class to be.

        Probabilities are judged sample by sample, so not those at another sample rate than the truth's; those of a
        whole read are the same at any rate.
        """
        if probabilities_CT is not None and (self._task == "read" or probabilities_CT.shape[1] == len(target)):
            self._has_probabilities = True
            self.reliability.update(target, probabilities_CT)
        if self._task == "boundary":
            self._metric.update(boundaries(target), known_starts(events, target))
        elif self._task == "read":
            certain_CT = np.eye(self._n_classes)[:, events.label]
            self._metric.update(target, certain_CT if probabilities_CT is None else probabilities_CT)
        else:
            self._metric.update(target, encode(events, len(target), self._task))

    def compute(self) -> Scores:
        """All scores; ``ece``, the expected calibration error, only of a method that told probabilities."""
        scores: Scores = self._metric.compute()
        return scores | ({"ece": float(self.reliability.compute())} if self._has_probabilities else {})

    def per_read(self, name: str) -> NDArray[np.float64]:
        """A score of each read by itself, in the order of `update`, shape ``(n_reads,)``."""
        return np.asarray(self._metric.per_read()[name], np.float64)

    def offsets(self) -> dict[int, int]:
        """See `BoundaryMetric.offsets`; empty for other tasks."""
        return self._metric.offsets() if isinstance(self._metric, BoundaryMetric) else {}

    def confusion(self) -> list[list[int]]:
        """See `SegmentMetric.confusion` and `ReadMetric.confusion`; empty for task `boundary`."""
        return [] if isinstance(self._metric, BoundaryMetric) else self._metric.confusion().tolist()


def _metric_for(recipe: Recipe) -> BoundaryMetric | ReadMetric | SegmentMetric:
    if recipe.task == "boundary":
        return BoundaryMetric()
    return ReadMetric(recipe.classes) if recipe.task == "read" else SegmentMetric(recipe.classes)


def judge(labeller: Labeller, truths: Truths, detectors: Mapping[str, Baseline], report: Report) -> Evaluation:
    """Judge a model and some baselines.

    Args:
        labeller: The model.
        truths: What it is judged on.
        detectors: The baselines, by name.
        report: Told how far it is.

    Raises:
        StoreError: No read is left to judge on.
    """
    recipe, ledger, judged = labeller.recipe, Ledger(), list[Place]()
    judges = {name: Judge(recipe) for name in (MODEL, *detectors)}
    for read, probabilities_CT in labeller.probabilities(truths.reads(ledger), ledger):
        place = (read.source, read.read_id)
        target = truths.target(place)
        judges[MODEL].update(target, labeller.decode(read, probabilities_CT), probabilities_CT)
        for name, detect in detectors.items():
            judges[name].update(target, detect(read, recipe))
        judged.append(place)
        ledger.kept += 1
        report(ledger.reads_in / max(len(truths), 1))
    if not judged:
        raise StoreError(f"{truths.where} is left to judge on; {ledger.summary()}")
    kept = spread(_ranked(judges[MODEL].per_read(OF_READS[recipe.task][0])), MOST_READS)
    return Evaluation(
        scores={name: one.compute() for name, one in judges.items()},
        recipe=recipe,
        ledger=ledger,
        data=truths.described(),
        network=asdict(labeller.backend.size),
        versions=_versions(),
        reliability=judges[MODEL].reliability.table(),
        offsets=judges[MODEL].offsets(),
        confusion=judges[MODEL].confusion(),
        reads=_read_scores(judges, truths, {i: judged[i] for i in kept}),
        drawn=[_drawn(labeller, truths, judged[i]) for i in spread(kept, MOST_DRAWN)],
    )


def spread(ranked: Sequence[T], most: int) -> list[T]:
    """Take at most so many, evenly, the first and the last among them."""
    places = np.linspace(0, len(ranked) - 1, min(most, len(ranked))).round().astype(int)
    return [ranked[i] for i in places]


def _ranked(score: NDArray[np.float64]) -> list[int]:
    """Reads from the best to the worst; those without a score (nothing true, nothing found) are left out."""
    order = np.argsort(-score, kind="stable")
    return [int(i) for i in order if not np.isnan(score[i])]


def _read_scores(judges: Mapping[str, Judge], truths: Truths, places: Mapping[int, Place]) -> list[ReadScores]:
    """Scores of some of the judged reads, each given by its number."""
    names = OF_READS[truths.recipe.task]
    model = {name: judges[MODEL].per_read(name) for name in names}
    others = {name: judge.per_read(names[0]) for name, judge in judges.items() if name != MODEL}
    return [
        ReadScores(
            place[1],
            truths.n_samples(place),
            {name: float(score[i]) for name, score in model.items()},
            {name: float(score[i]) for name, score in others.items()},
        )
        for i, place in places.items()
    ]


def _drawn(labeller: Labeller, truths: Truths, place: Place) -> Excerpt:
    """Label a read again, to look at it."""
    read, recipe = truths.read(place), labeller.recipe
    [(_, probabilities_CT)] = labeller.probabilities([read])
    return Excerpt.of(read, truths.target(place), labeller.decode(read, probabilities_CT), probabilities_CT, recipe)


def _versions() -> dict[str, str]:
    return {"python": platform.python_version()} | {name: version(name) for name in LIBRARIES}
