"""How segments are judged."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from poreconv.evaluation.criteria import PICTURES, Criterion
from poreconv.evaluation.metrics import SegmentMetric
from poreconv.evaluation.metrics.lengths import FoundByLength
from poreconv.evaluation.words import class_balance, hardest_length, percent

if TYPE_CHECKING:
    from poreconv.evaluation.result import Evaluation
    from poreconv.events.events import Events


class SegmentCriterion(Criterion):
    """Classes sample by sample, and segments."""

    read_scores: ClassVar[tuple[str, ...]] = ("macro_f1", "accuracy", "mean_segment_iou")
    read_columns: ClassVar[dict[str, str]] = {
        "macro_f1": "macro F1", "accuracy": "accuracy", "mean_segment_iou": "segment IoU",
    }  # fmt: skip
    class_columns: ClassVar[dict[str, str]] = {
        "F1": "f1", "true segments": "segments_true", "found": "segments_found", "over-segmented": "over_segmented",
        "under-segmented": "under_segmented", "|d| start": "absolute_start", "|d| end": "absolute_end",
    }  # fmt: skip
    intervals = ("macro_f1", "accuracy")
    meaning = "F1 over samples, averaged over the classes"
    note = (
        "Samples outside the labels' coverage are not judged. IoU: intersection over union, of the samples of each"
        " class, or of each true segment and the best predicted one. Over-segmented: share of true segments that were"
        " found in several pieces; under-segmented: share that were found as one with another. |d|: median distance in"
        " samples between a true segment's start or end and that of the best predicted one."
    )
    pictures = (f"{PICTURES}:confusion", f"{PICTURES}:by_length")
    found = "segments found, with an IoU of 0.5 or more, by their length"

    def metric(self, classes: tuple[str, ...]) -> SegmentMetric:
        """Make a `SegmentMetric`."""
        return SegmentMetric(classes)

    def update(self, metric: Any, target: NDArray[Any], events: Events, outputs_CT: NDArray[np.float32] | None) -> None:
        """Compare the classes of one read's samples."""
        metric.update(target, self.task.target(events, len(target)))

    def columns(self, classes: tuple[str, ...]) -> dict[str, str]:
        """Return accuracy, F1, IoU, number of segments, and F1 of each class."""
        of_segments = {
            "sample IoU": "mean_sample_iou", "segment IoU": "mean_segment_iou", "segments": "segments_found",
        }  # fmt: skip
        return with_classes(of_segments, classes)

    def how_good(self, result: Evaluation) -> str:
        """Describe number of segments, accuracy and overlap."""
        scores = result.model_scores
        overlap = f"a true segment and the best predicted one overlap by {percent(scores['mean_segment_iou'])} (IoU)"
        numbers = f"It finds {scores['segments_found']:,.0f} segments where {scores['segments_true']:,.0f} are true"
        accuracy = f"it assigns {percent(scores['accuracy'])} of the samples to their true class"
        return f"{numbers}; {accuracy}; on average, {overlap}."

    def balance(self, result: Evaluation) -> str:
        """Describe the hardest class, and the lengths that are hardest."""
        return class_balance(result, self.counted) + hardest_length(result, "segments", "with an IoU of 0.5 or more")

    def certainty(
        self, target: NDArray[Any], outputs_CT: NDArray[np.float32]
    ) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        """Return the probability of the most probable class at each known sample, and whether it is the true one."""
        known = self.task.known(target)
        return outputs_CT.max(0)[known], (outputs_CT.argmax(0) == target)[known]

    def found_by_length(self, metric: Any) -> list[FoundByLength]:
        """Return `SegmentMetric.found_by_length`."""
        found: list[FoundByLength] = metric.found_by_length()
        return found

    def confusion(self, metric: Any) -> NDArray[np.int64]:
        """Return the metric's confusion matrix."""
        matrix: NDArray[np.int64] = metric.confusion()
        return matrix


def with_classes(of_task: dict[str, str], classes: tuple[str, ...]) -> dict[str, str]:
    """Return the columns of a table of methods of a task that has classes: head -> key of the score.

    Args:
        of_task: Those between the scores of all classes and the ones of each.
        classes: Names of the classes.
    """
    per_class = {f"F1 {name}": f"f1_{name}" for name in classes}
    return {"accuracy": "accuracy", "macro F1": "macro_f1", **of_task, **per_class, "ECE": "ece"}
