"""How classes of whole reads are judged."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from poreconv.evaluation.baselines import BASELINES
from poreconv.evaluation.metrics import ReadMetric
from poreconv.evaluation.segment_criterion import SegmentCriterion, with_classes
from poreconv.evaluation.words import percent

if TYPE_CHECKING:
    from poreconv.evaluation.metrics.lengths import FoundByLength
    from poreconv.evaluation.result import Evaluation
    from poreconv.events.events import Events


class ReadCriterion(SegmentCriterion):
    """Classes of whole reads."""

    read_scores: ClassVar[tuple[str, ...]] = ("p_true",)
    read_columns: ClassVar[dict[str, str]] = {"p_true": "probability of its class"}
    class_columns: ClassVar[dict[str, str]] = {}
    intervals = ("macro_f1", "accuracy")
    baselines: ClassVar[Mapping[str, str]] = {"majority": BASELINES["majority"]}
    meaning = "share of the reads whose class is right"
    counted = "reads"
    note = (
        "AUROC: how often a read of a class has a higher probability for it than a read of another class, averaged over"
        " the classes."
    )

    def metric(self, classes: tuple[str, ...]) -> Any:
        """Make a `ReadMetric`."""
        return ReadMetric(classes)

    def update(self, metric: Any, target: NDArray[Any], events: Events, outputs_CT: NDArray[np.float32] | None) -> None:
        """Compare the class of one read; a method without probabilities is certain."""
        certain_CT = np.eye(len(events.classes))[:, events.label]
        metric.update(target, certain_CT if outputs_CT is None else outputs_CT)

    def columns(self, classes: tuple[str, ...]) -> dict[str, str]:
        """Return accuracy, F1 and AUROC, and F1 of each class."""
        return with_classes({"AUROC": "auroc"}, classes)

    def how_good(self, result: Evaluation) -> str:
        """Describe accuracy and ranking."""
        scores = result.model_scores
        ranked = f"ranks a read of one class and a read of another correctly in {percent(scores['auroc'])} of cases"
        return f"It assigns {percent(scores['accuracy'])} of the reads to their true class, and {ranked}."

    def worst_read(self, result: Evaluation) -> str:
        """Describe the read whose true class is least probable."""
        worst = result.reads[-1]
        probability = worst.model[result.read_headline]
        return f" The worst read, {worst.read_id}, has a probability of {probability:.2f} for its true class."

    def certainty(
        self, target: NDArray[Any], outputs_CT: NDArray[np.float32]
    ) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        """Count each read once, by its first sample: its samples are all alike."""
        return super().certainty(target[:1], outputs_CT[:, :1])

    def found_by_length(self, metric: Any) -> list[FoundByLength]:
        """Return nothing: a whole read has no events that could be missed."""
        return []
