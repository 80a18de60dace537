"""Criteria: how each task is judged. One table, ``CRITERIA``: metrics, columns, baselines, the report's words.

Adding one: a line there, beside those in `events.tasks` and `training.objectives`.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from poreconv.config import BOUNDARY
from poreconv.evaluation.baselines import BASELINES
from poreconv.evaluation.metrics import BoundaryMetric
from poreconv.evaluation.metrics.lengths import FoundByLength
from poreconv.evaluation.presentation import Presentation
from poreconv.evaluation.words import hardest_length, percent, truth_of
from poreconv.events.matching import partners
from poreconv.events.targets import boundaries, boundary_events, known_starts
from poreconv.events.tasks import task_named
from poreconv.events.tasks.task import Task
from poreconv.runtime.registry import lookup

if TYPE_CHECKING:
    from poreconv.evaluation.result import Evaluation
    from poreconv.events.events import Events

TOLERANCE = 1
"""Samples within which a boundary of an excerpt counts as right."""

ALIGNED = {"tombo", "aligned_to_ref", "sam_resquiggle", "resquiggle_paf", "eventalign"}
"""Label sources whose boundaries an aligner placed that knows the sequence: only beside these do `ALIGNERS` count."""

ALIGNERS = {"dna_r9.4.1": 0.81, "rna001": 0.58, "rna002": 0.51, "rna004": 0.52}
"""Chemistry -> F1 within one sample of two aligners that know the sequence against each other: Tombo and f5c, measured
on 38 lambda reads, 23 reads of RNA001 and 32 of RNA002; remora and uncalled4 on 357 reads of RNA004 (tRNA)."""

SLIGHT = 0.03
"""Share of superfluous or lacking boundaries up to which the page calls their number about right."""

PICTURES = "poreconv.evaluation.report._pictures"


class Criterion(Presentation):
    """How one task is judged against true labels, and how the results are presented; without state."""

    baselines: ClassVar[Mapping[str, str]] = BASELINES
    """Untrained methods that suit the task: name -> ``"module:attribute"``."""
    errors: ClassVar[str] = "wrong samples"
    """What an error is, in words."""
    probability: ClassVar[str] = "of the most probable class"
    """Of what the reliability is judged, in words."""

    def __init__(self, task: Task) -> None:
        self.task = task

    @property
    def headline(self) -> str:
        """Key of the task's headline score."""
        return self.task.headline[0]

    @abstractmethod
    def metric(self, classes: tuple[str, ...]) -> Any:
        """Make what scores one method; it has ``compute()``, and ``per_read()``: key -> score of each read.

        Args:
            classes: Names of the network's outputs.
        """

    @abstractmethod
    def update(self, metric: Any, target: NDArray[Any], events: Events, outputs_CT: NDArray[np.float32] | None) -> None:
        """Score one read.

        Args:
            metric: What `metric` made.
            target: The truth, shape ``(n_samples,)``.
            events: What the method found.
            outputs_CT: The method's output for each class at each sample; None: it has none.
        """

    def wrong(self, target: NDArray[Any], predicted: Events) -> NDArray[np.bool_]:
        """Find the samples inside the coverage where a prediction is wrong.

        Args:
            target: The truth, shape ``(n_samples,)``.
            predicted: What was found.

        Returns:
            Shape ``(n_samples,)``.
        """
        return np.asarray(self.task.known(target) & (self.task.target(predicted, len(target)) != target))

    def curves(
        self, target: NDArray[Any], outputs_CT: NDArray[np.float32], classes: tuple[str, ...]
    ) -> dict[str, NDArray[np.float32]]:
        """Return what a picture of a read draws below its events, by name, shape ``(T,)`` each.

        Args:
            target: The truth, shape ``(T,)``.
            outputs_CT: What the decoder makes of the network's outputs.
            classes: Names of the network's outputs.
        """
        return {name: outputs_CT[i] for i, name in self.task.tracks(classes).items()}

    def certainty(
        self, target: NDArray[Any], outputs_CT: NDArray[np.float32]
    ) -> tuple[NDArray[np.float32], NDArray[np.bool_]] | None:
        """Return how probable a statement is at each known place, and whether it is right; None without probabilities.

        Args:
            target: The truth, shape ``(T,)``.
            outputs_CT: What the network gives for each class at each sample.
        """
        return None

    def offsets(self, metric: Any) -> dict[int, int]:
        """Return the distances of boundaries; empty for other tasks; see `BoundaryMetric.offsets`.

        Args:
            metric: What `metric` made.
        """
        return {}

    def found_by_length(self, metric: Any) -> list[FoundByLength]:
        """Return how many true events are found, by their length; empty where a task has no events.

        Args:
            metric: What `metric` made.
        """
        return []

    def confusion(self, metric: Any) -> NDArray[np.int64]:
        """Return true classes by predicted ones; empty where there are none.

        Args:
            metric: What `metric` made.
        """
        return np.zeros((0, 0), np.int64)


class BoundaryCriterion(Criterion):
    """One-to-one matches of boundaries."""

    read_scores: ClassVar[tuple[str, ...]] = ("f1_1", "precision_1", "recall_1", "over_segmentation")
    read_columns: ClassVar[dict[str, str]] = {
        "f1_1": "F1 ±1", "precision_1": "precision ±1", "recall_1": "recall ±1", "over_segmentation": "over-seg.",
    }  # fmt: skip
    intervals = ("f1_1",)
    meaning = "F1 of boundaries, matched one to one within one sample"
    errors = "wrong boundaries"
    probability = "of a boundary at exactly this sample"
    note = (
        "Boundaries are matched one to one within the tolerance, inside the labels' coverage. Over-seg.:"
        " over-segmentation; 0.1 is 10 % too many boundaries. |d|: distance in samples from a true boundary to the"
        " nearest prediction."
    )
    pictures = (f"{PICTURES}:by_tolerance", f"{PICTURES}:offsets", f"{PICTURES}:by_length")
    found = "boundaries found within one sample, by the dwell that begins there"

    def metric(self, classes: tuple[str, ...]) -> BoundaryMetric:
        """Make a `BoundaryMetric`."""
        return BoundaryMetric()

    def update(self, metric: Any, target: NDArray[Any], events: Events, outputs_CT: NDArray[np.float32] | None) -> None:
        """Match the boundaries of one read."""
        true = boundary_events(target)
        metric.update(true.start, known_starts(events, target), true.duration)

    def columns(self, classes: tuple[str, ...]) -> dict[str, str]:
        """Return F1 by tolerance, and the balance of errors; distances in samples."""
        return {
            "F1 exact": "f1_0", "±1": "f1_1", "±2": "f1_2", "±3": "f1_3", "±5": "f1_5", "precision ±1": "precision_1",
            "recall ±1": "recall_1", "R-value ±2": "r_value", "over-seg.": "over_segmentation",
            "|d| median": "absolute_median", "|d| p95": "absolute_p95", "ECE": "ece",
        }  # fmt: skip

    def how_good(self, result: Evaluation) -> str:
        """Describe recall and precision; beside an aligner's truth, also what two aligners have with each other."""
        scores = result.model_scores
        found = (
            f"It finds {percent(scores['recall_1'])} of the true boundaries within one sample;"
            f" {percent(scores['precision_1'])} of the boundaries that it reports are right."
        )
        known = [code for code in result.recipe.chemistries if code in ALIGNERS]
        if len(known) != 1 or not truth_of(result) or truth_of(result) - ALIGNED:
            return found
        return (
            f"{found} For comparison: two aligners that know the sequence agree with an F1 of"
            f" {ALIGNERS[known[0]]:.2f} on {known[0]} reads."
        )

    def balance(self, result: Evaluation) -> str:
        """Describe whether boundaries are too many or too few."""
        scores = result.model_scores
        missed, wrong, surplus = 1 - scores["recall_1"], 1 - scores["precision_1"], scores["over_segmentation"]
        if np.isnan(wrong):
            return "It reports no boundary at all."
        errors = (
            f"it misses {percent(missed)} of the true ones, and {percent(wrong)} of those that it reports are wrong"
        )
        number = f"{percent(abs(surplus))} too {'many' if surplus > 0 else 'few'} boundaries"
        if abs(surplus) < SLIGHT:
            number = "about as many boundaries as there are"
        hardest = hardest_length(result, "starts of events", "within one sample")
        return f"It reports {number}; {errors}.{hardest}"

    def wrong(self, target: NDArray[Any], predicted: Events) -> NDArray[np.bool_]:
        """Find boundaries of either that have no partner within `TOLERANCE`."""
        true, found = boundaries(target), known_starts(predicted, target)
        partner = partners(true, found, TOLERANCE)
        wrong_T = np.zeros(len(target), bool)
        wrong_T[np.delete(found, partner[partner >= 0])] = True
        wrong_T[true[partner < 0]] = True
        return wrong_T

    def certainty(
        self, target: NDArray[Any], outputs_CT: NDArray[np.float32]
    ) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        """Return the probability of a boundary at each known sample, and whether there is one."""
        known = self.task.known(target)
        return outputs_CT[BOUNDARY, known], target[known] == BOUNDARY

    def offsets(self, metric: Any) -> dict[int, int]:
        """Return `BoundaryMetric.offsets`."""
        found: dict[int, int] = metric.offsets()
        return found

    def found_by_length(self, metric: Any) -> list[FoundByLength]:
        """Return `BoundaryMetric.found_by_length`."""
        found: list[FoundByLength] = metric.found_by_length()
        return found


CRITERIA = {
    "boundary": "poreconv.evaluation.criteria:BoundaryCriterion",
    "segment": "poreconv.evaluation.segment_criterion:SegmentCriterion",
    "base": "poreconv.evaluation.segment_criterion:SegmentCriterion",
    "read": "poreconv.evaluation.read_criterion:ReadCriterion",
    "value": "poreconv.evaluation.value_criterion:ValueCriterion",
}
"""Task -> its criterion, ``"module:attribute"``."""


def criterion_of(task: str) -> Criterion:
    """Return the criterion of a task.

    Args:
        task: Name of the task.

    Raises:
        ConfigError: The task has none.
    """
    kind: type[Criterion] = lookup(CRITERIA, task, kind="criterion of task")
    return kind(task_named(task))
