"""Judging a model and baselines on the same reads."""

import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from importlib.metadata import version
from types import MappingProxyType
from typing import Any, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from poreconv.errors import MismatchError, StoreError
from poreconv.evaluation.baselines import Baseline
from poreconv.evaluation.criteria import criterion_of
from poreconv.evaluation.excerpt import Excerpt
from poreconv.evaluation.metrics import ReliabilityMetric
from poreconv.evaluation.metrics.lengths import FoundByLength
from poreconv.evaluation.metrics.own import OwnMetrics, Scorer
from poreconv.evaluation.result import MODEL, Evaluation, ReadScores, Scores
from poreconv.evaluation.truths import ReadKey, Truths
from poreconv.events.events import Events
from poreconv.inference.labeller import Labeller
from poreconv.models.recipe import Recipe
from poreconv.runtime.explaining import see
from poreconv.runtime.ledger import Ledger
from poreconv.runtime.progress import Progress

MOST_READS, MOST_DRAWN = 200, 3
"""Most reads whose scores a result lists, and most reads of which it keeps an excerpt."""

T = TypeVar("T")

LIBRARIES = ("poreconv", "torch", "lightning", "numpy")


class Judge:
    """Scores of one method: its events against the truth, inside the truth's coverage.

    Args:
        recipe: Recipe of the model.
        own: Scorers of the user's own, by the names of their scores; default: none.
    """

    def __init__(self, recipe: Recipe, own: Mapping[str, Scorer] = MappingProxyType({})) -> None:
        self._own = own
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
        for scorer in self._own.values():
            scorer.update(target, events)

    def compute(self) -> Scores:
        """Return all scores; ``ece``, the expected calibration error, only of a method that gave probabilities."""
        ece = {"ece": float(self.reliability.compute())} if self._has_probabilities else {}
        return Scores(self._metric.compute() | ece | {name: scorer.compute() for name, scorer in self._own.items()})

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

    def found_by_length(self) -> list[FoundByLength]:
        """Return how many true events are found, by their length; empty where a task has no events."""
        return self._criterion.found_by_length(self._metric)

    def confusion(self) -> NDArray[np.int64]:
        """Return true classes by predicted ones; empty where there are none."""
        return self._criterion.confusion(self._metric)


class Trial(NamedTuple):
    """A model, and the reads to judge it on."""

    labeller: Labeller
    truths: Truths


JudgedRead = tuple[Trial, ReadKey]
"""A read, and the trial that it was judged in."""


def judge(
    labeller: Labeller,
    truths: Truths,
    detectors: Mapping[str, Baseline],
    progress: Progress,
    metrics: OwnMetrics | None = None,
) -> Evaluation:
    """Judge a model and some baselines on the same reads.

    Args:
        labeller: The model.
        truths: The reads to judge on, with their true classes.
        detectors: The baselines, by name.
        progress: Called after each read with the share of the reads that is done.
        metrics: The user's own; default: none.

    Raises:
        StoreError: No read is left to judge on.
    """
    return judge_together([Trial(labeller, truths)], labeller.recipe, detectors, progress, metrics)


def judge_together(
    trials: Sequence[Trial],
    recipe: Recipe,
    detectors: Mapping[str, Baseline],
    progress: Progress,
    metrics: OwnMetrics | None = None,
) -> Evaluation:
    """Judge models of one kind, each on reads of its own, as one method; baselines have the recipe of each.

    Args:
        trials: The models and their reads.
        recipe: Recipe of the model that they stand for.
        detectors: The baselines, by name.
        progress: Called after each read with the share of the reads that is done.
        metrics: The user's own; default: none.

    Raises:
        StoreError: No read is left to judge on.
    """
    ledger, judged, n_reads = Ledger(), list[JudgedRead](), sum(len(truths) for _, truths in trials)
    criterion = criterion_of(recipe.task)
    own = metrics or OwnMetrics((), criterion, recipe.classes)
    judges = {name: Judge(recipe, own.scorers()) for name in (MODEL, *detectors)}
    for trial in trials:
        labeller, truths = trial
        for read, probabilities_CT in labeller.with_probabilities(truths.reads(ledger), ledger):
            key = (read.source, read.read_id)
            target = truths.target(key)
            judges[MODEL].update(target, labeller.decode(read, probabilities_CT), probabilities_CT)
            for name, detect in detectors.items():
                judges[name].update(target, detect(read, labeller.recipe))
            judged.append((trial, key))
            ledger.kept += 1
            progress(ledger.reads_in / max(n_reads, 1), f"{ledger.reads_in:,} of {n_reads:,} reads")
    if not judged:
        raise _none_left(trials[0].truths, ledger)
    kept = spread(ranked(judges[MODEL].per_read(criterion.read_scores[0])), MOST_READS)
    return Evaluation(
        scores={name: judges[name].compute() for name in judges},
        recipe=recipe,
        ledger=ledger,
        data=_described(trials),
        network=asdict(trials[0].labeller.backend.size),
        versions=versions(),
        reliability=judges[MODEL].reliability.table(),
        offsets=judges[MODEL].offsets(),
        found_by_length=judges[MODEL].found_by_length(),
        confusion=judges[MODEL].confusion(),
        reads=_read_scores(judges, recipe, {i: judged[i] for i in kept}),
        drawn=[_drawn(*judged[i]) for i in spread(kept, MOST_DRAWN)],
        metrics=own.names,
    )


def _none_left(truths: Truths, ledger: Ledger) -> StoreError:
    cause = next((f"; {drop.detail}" for drop in ledger.named if drop.reason in MismatchError.REASONS), "")
    more = f"{ledger.summary()}{cause}{see(ledger.main_reason)}"
    return StoreError(f"{truths.where}: no read of split {truths.split} is left to judge on; {more}")


def _described(trials: Sequence[Trial]) -> dict[str, Any]:
    """Describe the reads of all trials, which are of the same stores and split."""
    each = [truths.describe() for _, truths in trials]
    return each[0] | {name: sum(one[name] for one in each) for name in ("reads_in_split", "reads_taken")}


def spread(ranked: Sequence[T], most: int) -> list[T]:
    """Take items at even intervals, the first and the last included.

    Args:
        ranked: The items, in order.
        most: Number to take; all, if there are no more.
    """
    chosen = np.linspace(0, len(ranked) - 1, min(most, len(ranked))).round().astype(int)
    return [ranked[i] for i in chosen]


def ranked(score: NDArray[np.float64]) -> list[int]:
    """Rank the reads from the best to the worst, without those whose score is not defined (nothing true or found).

    Args:
        score: Of each read, shape ``(n_reads,)``.

    Returns:
        Numbers of the reads.
    """
    order = np.argsort(-score, kind="stable")
    return [int(i) for i in order if not np.isnan(score[i])]


def _read_scores(judges: Mapping[str, Judge], recipe: Recipe, reads: Mapping[int, JudgedRead]) -> list[ReadScores]:
    """Return the scores of some of the judged reads: number of a read in the order of judging -> the read."""
    names = criterion_of(recipe.task).read_scores
    model = {name: judges[MODEL].per_read(name) for name in names}
    others = {name: judge.per_read(names[0]) for name, judge in judges.items() if name != MODEL}
    return [
        ReadScores(
            key[1],
            truths.n_samples(key),
            Scores({name: float(score[i]) for name, score in model.items()}),
            Scores({name: float(score[i]) for name, score in others.items()}),
        )
        for i, ((_, truths), key) in reads.items()
    ]


def _drawn(trial: Trial, key: ReadKey) -> Excerpt:
    """Label a read again, and make its excerpt."""
    labeller, truths = trial
    read = truths.read(key)
    probabilities_CT = labeller.probabilities(read)
    events = labeller.decode(read, probabilities_CT)
    return Excerpt.of(read, truths.target(key), events, probabilities_CT, labeller.recipe)


def versions() -> dict[str, str]:
    """Return the software that computes a result -> its version."""
    return {"python": platform.python_version()} | {name: version(name) for name in LIBRARIES}
