"""Judging a model and baselines on the same reads."""

import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from importlib.metadata import version
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from poreconv.errors import StoreError
from poreconv.evaluation.baselines import Baseline
from poreconv.evaluation.criteria import criterion_of
from poreconv.evaluation.excerpt import Excerpt
from poreconv.evaluation.metrics import ReliabilityMetric
from poreconv.evaluation.result import MODEL, Evaluation, ReadScores, Scores
from poreconv.evaluation.truths import ReadKey, Truths
from poreconv.events.events import Events
from poreconv.inference.labeller import Labeller
from poreconv.models.recipe import Recipe
from poreconv.runtime.ledger import Ledger
from poreconv.runtime.progress import Progress

MOST_READS, MOST_DRAWN = 200, 3
"""Most reads whose scores a result lists, and most reads of which it keeps an excerpt."""

T = TypeVar("T")

LIBRARIES = ("poreconv", "torch", "lightning", "numpy")


class Judge:
    """Scores of one method: its events against the truth, inside the truth's coverage."""

    def __init__(self, recipe: Recipe) -> None:
        self._criterion = criterion_of(recipe.task)
        self._metric = self._criterion.metric(recipe.classes)
        self.reliability = ReliabilityMetric()
        self._has_probabilities = False

    def update(self, target: NDArray[Any], events: Events, probabilities_CT: NDArray[np.float32] | None = None) -> None:
        """Add one read.

        Probabilities are judged sample by sample, so they are left out if they are at another sample rate than the
        target; those of a whole read are the same at any rate.

        Args:
            target: The truth, shape ``(n_samples,)``.
            events: The events that the method found.
            probabilities_CT: The method's output for each class at each sample, shape ``(C, T)``; None: it has none.
        """
        comparable = self._criterion.task.whole_reads or (
            probabilities_CT is not None and probabilities_CT.shape[1] == len(target)
        )
        if probabilities_CT is not None and comparable:
            certainty = self._criterion.certainty(target, probabilities_CT)
            if certainty is not None:
                self._has_probabilities = True
                self.reliability.update(*certainty)
        self._criterion.update(self._metric, target, events, probabilities_CT)

    def compute(self) -> Scores:
        """Return all scores; ``ece``, the expected calibration error, only of a method that gave probabilities."""
        ece = {"ece": float(self.reliability.compute())} if self._has_probabilities else {}
        return Scores(self._metric.compute() | ece)

    def per_read(self, name: str) -> NDArray[np.float64]:
        """Return one score of each read, in the order of `update`.

        Args:
            name: Key of the score.

        Returns:
            Shape ``(n_reads,)``.
        """
        return np.asarray(self._metric.per_read()[name], np.float64)

    def offsets(self) -> dict[int, int]:
        """Return the distances of boundaries; empty for other tasks."""
        return self._criterion.offsets(self._metric)

    def confusion(self) -> NDArray[np.int64]:
        """Return true classes by predicted ones; empty where there are none."""
        return self._criterion.confusion(self._metric)


def judge(labeller: Labeller, truths: Truths, detectors: Mapping[str, Baseline], progress: Progress) -> Evaluation:
    """Judge a model and some baselines on the same reads.

    Args:
        labeller: The model.
        truths: The reads to judge on, with their true classes.
        detectors: The baselines, by name.
        progress: Called after each read with the share of the reads that is done.

    Raises:
        StoreError: No read is left to judge on.
    """
    recipe, ledger, judged = labeller.recipe, Ledger(), list[ReadKey]()
    judges = {name: Judge(recipe) for name in (MODEL, *detectors)}
    for read, probabilities_CT in labeller.probabilities(truths.reads(ledger), ledger):
        key = (read.source, read.read_id)
        target = truths.target(key)
        judges[MODEL].update(target, labeller.decode(read, probabilities_CT), probabilities_CT)
        for name, detect in detectors.items():
            judges[name].update(target, detect(read, recipe))
        judged.append(key)
        ledger.kept += 1
        progress(ledger.reads_in / max(len(truths), 1))
    if not judged:
        raise StoreError(f"{truths.where}: no read of split {truths.split} is left to judge on; {ledger.summary()}")
    kept = spread(_ranked(judges[MODEL].per_read(criterion_of(recipe.task).read_scores[0])), MOST_READS)
    return Evaluation(
        scores={name: judges[name].compute() for name in judges},
        recipe=recipe,
        ledger=ledger,
        data=truths.describe(),
        network=asdict(labeller.backend.size),
        versions=_versions(),
        reliability=judges[MODEL].reliability.table(),
        offsets=judges[MODEL].offsets(),
        confusion=judges[MODEL].confusion(),
        reads=_read_scores(judges, truths, {i: judged[i] for i in kept}),
        drawn=[_drawn(labeller, truths, judged[i]) for i in spread(kept, MOST_DRAWN)],
    )


def spread(ranked: Sequence[T], most: int) -> list[T]:
    """Take items at even intervals, the first and the last included.

    Args:
        ranked: The items, in order.
        most: Number to take; all, if there are no more.
    """
    chosen = np.linspace(0, len(ranked) - 1, min(most, len(ranked))).round().astype(int)
    return [ranked[i] for i in chosen]


def _ranked(score: NDArray[np.float64]) -> list[int]:
    """Rank the reads from the best to the worst, without those whose score is not defined (nothing true or found)."""
    order = np.argsort(-score, kind="stable")
    return [int(i) for i in order if not np.isnan(score[i])]


def _read_scores(judges: Mapping[str, Judge], truths: Truths, keys: Mapping[int, ReadKey]) -> list[ReadScores]:
    """Return the scores of some of the judged reads: number of a read in the order of judging -> its key."""
    names = criterion_of(truths.recipe.task).read_scores
    model = {name: judges[MODEL].per_read(name) for name in names}
    others = {name: judge.per_read(names[0]) for name, judge in judges.items() if name != MODEL}
    return [
        ReadScores(
            key[1],
            truths.n_samples(key),
            Scores({name: float(score[i]) for name, score in model.items()}),
            Scores({name: float(score[i]) for name, score in others.items()}),
        )
        for i, key in keys.items()
    ]


def _drawn(labeller: Labeller, truths: Truths, key: ReadKey) -> Excerpt:
    """Label a read again, and make its excerpt."""
    read, recipe = truths.read(key), labeller.recipe
    [(_, probabilities_CT)] = labeller.probabilities([read])
    return Excerpt.of(read, truths.target(key), labeller.decode(read, probabilities_CT), probabilities_CT, recipe)


def _versions() -> dict[str, str]:
    return {"python": platform.python_version()} | {name: version(name) for name in LIBRARIES}
