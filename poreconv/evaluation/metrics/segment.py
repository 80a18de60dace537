"""Metrics of predicted classes against the true ones, sample by sample and segment by segment."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor
from torchmetrics import Metric

from poreconv.config import IGNORE
from poreconv.errors import ConfigError
from poreconv.evaluation.metrics.boundary import stacked
from poreconv.evaluation.metrics.lengths import OCTAVES, FoundByLength, counted_by_length, found_by_length
from poreconv.evaluation.metrics.overlaps import END, START, Overlaps
from poreconv.evaluation.metrics.values import Counts, numbers, ratio, with_intervals

FOUND_IOU = 0.5
"""IoU with the best predicted segment of its class from which a true segment counts as found, by length."""


class SegmentMetric(Metric):
    """Per-class scores of samples and overlap of segments, pooled over reads.

    `update` takes one read: the class of each sample. `compute` returns a flat dict of floats:

    - ``n_reads``, ``n_samples`` (judged ones)
    - ``support_CLASS`` (true samples), ``precision_CLASS``, ``recall_CLASS``, ``f1_CLASS``
    - ``sample_iou_CLASS``: samples that are CLASS in both / in either, pooled; ``mean_sample_iou`` over the classes
      with support
    - ``mean_segment_iou``: mean over true segments (stretches of one class) of the IoU with the best-overlapping
      predicted segment of the same class; 0 for a segment that no such segment overlaps
    - ``segments_true``, ``segments_found``: numbers of true segments, and of predicted ones inside the coverage; also
      ``segments_true_CLASS`` and ``segments_found_CLASS``
    - ``over_segmented_CLASS``: share of true segments that several predicted ones of the class overlap;
      ``under_segmented_CLASS``: share of true segments whose best predicted one overlaps several true ones
    - ``absolute_start_CLASS``, ``absolute_end_CLASS``: median distance of a true segment's start or end from that of
      the best predicted one, samples; without edges at which the coverage or the read begins or ends
    - ``accuracy``; ``macro_f1``: mean F1 over the classes with support; both also as ``NAME_low`` and ``NAME_high``:
      the 95 % bootstrap interval over reads, as are the IoU means

    An undefined score is NaN: precision of a class that was never predicted, recall of one that is never true, F1 and
    IoU of one that is neither, and every score without samples. A sample may be predicted as no class (-1): this is a
    miss of its true class, and no class's false positive.
    """

    is_differentiable = False
    higher_is_better = True
    full_state_update = False

    confusions: list[Tensor]
    """Per read ``(1, C * (C + 1))``: samples by true class (row) and predicted class (column; last: none)."""
    overlaps: list[Tensor]
    """Per read ``(1, 2)``: sum of the IoUs of its true segments, and their number."""
    segments: list[Tensor]
    """Per read ``(1, 4 * C)``: see `Overlaps.counts`."""
    distances: list[Tensor]
    """Per read ``(n, 3)``: see `Overlaps.distances`."""
    by_length: Tensor
    """Number of true segments, and of those found, by class and length; see `counted_by_length`."""

    def __init__(self, classes: Sequence[str], *, seed: int = 0, **kwargs: Any) -> None:
        """Create a metric with nothing counted.

        Args:
            classes: Names of the classes that targets index.
            seed: Seed of the bootstrap; the same seed gives the same intervals.
            **kwargs: Passed to `torchmetrics.Metric`.
        """
        super().__init__(**kwargs)
        self.classes, self.seed = tuple(classes), seed
        self.add_state("confusions", default=[], dist_reduce_fx="cat")
        for name in ("overlaps", "segments", "distances"):
            self.add_state(name, default=[], dist_reduce_fx="cat")
        empty = torch.zeros((2, len(self.classes), OCTAVES), dtype=torch.int64)
        self.add_state("by_length", default=empty, dist_reduce_fx="sum")

    def update(self, true: Tensor | ArrayLike, pred: Tensor | ArrayLike) -> None:
        """Count one read.

        Args:
            true: True class of each sample, -1 where it is not judged, shape ``(T,)``.
            pred: Predicted class of each sample, -1 for none, shape ``(T,)``.

        Raises:
            ConfigError: Shapes differ, or a class index is out of range.
        """
        true_T, pred_T = numbers(true), numbers(pred)
        _check(true_T, pred_T, len(self.classes))
        judged_T = np.where(true_T == IGNORE, IGNORE, pred_T)
        overlaps, n_classes = Overlaps.of(true_T, judged_T), len(self.classes)
        self.confusions.append(torch.from_numpy(_confusion(true_T, judged_T, n_classes)).to(self.device))
        overlap = [float(overlaps.iou.sum()), len(overlaps.true)]
        self.overlaps.append(torch.tensor([overlap], dtype=torch.float32, device=self.device))
        self.segments.append(torch.from_numpy(overlaps.counts(n_classes).reshape(1, -1)).to(self.device))
        self.distances.append(torch.from_numpy(overlaps.distances(true_T)).to(self.device))
        start, end, label = overlaps.true.T
        by_length = counted_by_length(end - start, overlaps.iou >= FOUND_IOU, label, n_classes)
        self.by_length += torch.from_numpy(by_length).to(self.device)

    def confusion(self) -> NDArray[np.int64]:
        """Count the samples by true class (row) and predicted class (column; last: none), shape ``(C, C + 1)``."""
        n = len(self.classes)
        pooled = stacked(self.confusions, n * (n + 1)).sum(axis=0)
        return np.asarray(pooled.reshape(n, n + 1), np.int64)

    def found_by_length(self) -> list[FoundByLength]:
        """Count the true segments, and those found with an IoU of `FOUND_IOU` or more, by class and length."""
        return found_by_length(self.by_length.cpu().numpy(), self.classes)

    def per_read(self) -> dict[str, Counts]:
        """Return the mean scores of each read, in the order of `update`; shape ``(n_reads,)`` each."""
        return _means(self._counts(), len(self.classes))

    def _counts(self) -> Counts:
        n = len(self.classes)
        return np.hstack([stacked(self.confusions, n * (n + 1)), stacked(self.overlaps, 2)])

    def compute(self) -> dict[str, float]:
        """Return all scores of the reads counted so far, named as the docstring of the class lists them."""
        n, per_read = len(self.classes), self._counts()
        totals = {"n_reads": float(len(per_read)), "n_samples": float(per_read[:, :-2].sum())}
        means = with_intervals(lambda counts: _means(counts, n), per_read, self.seed)
        of_segments = self._of_segments()
        pooled = {name: float(of_segments[name].sum()) for name in ("segments_true", "segments_found")}
        table = class_scores(self.confusion().astype(np.float64)) | of_segments
        return {**totals, **means, **pooled, **self._per_class(table)}

    def _of_segments(self) -> dict[str, Counts]:
        n = len(self.classes)
        true, found, in_pieces, joined = stacked(self.segments, 4 * n).sum(axis=0).reshape(4, n)
        paired = stacked(self.distances, 3)
        start, end = (_medians(paired[paired[:, 1] == side], n) for side in (START, END))
        return {
            "segments_true": true,
            "segments_found": found,
            "over_segmented": ratio(in_pieces, true),
            "under_segmented": ratio(joined, true),
            "absolute_start": start,
            "absolute_end": end,
        }

    def _per_class(self, table: dict[str, Counts]) -> dict[str, float]:
        return {f"{name}_{c}": float(x) for name, row in table.items() for c, x in zip(self.classes, row, strict=True)}


def _medians(distances: Counts, n_classes: int) -> Counts:
    """Median distance of each class from rows ``(class, side, samples)``; NaN without any."""
    of_class = [distances[distances[:, 0] == label, 2] for label in range(n_classes)]
    return np.array([np.median(each) if len(each) else np.nan for each in of_class])


def _check(true_T: NDArray[np.int64], pred_T: NDArray[np.int64], n_classes: int) -> None:
    if len(true_T) != len(pred_T):
        raise ConfigError(
            f"segment metric: {len(true_T)} true and {len(pred_T)} predicted samples; give as many of each"
        )
    for name, y_T in (("true", true_T), ("predicted", pred_T)):
        if len(y_T) and not (y_T.min() >= IGNORE and y_T.max() < n_classes):
            found, allowed = f"{y_T.min()}..{y_T.max()}", f"-1..{n_classes - 1}"
            raise ConfigError(f"segment metric: {name} class {found} is outside {allowed}; give indices of the classes")


def _confusion(true_T: NDArray[np.int64], pred_T: NDArray[np.int64], n_classes: int) -> NDArray[np.int64]:
    judged = true_T != IGNORE
    column = np.where(pred_T == IGNORE, n_classes, pred_T)
    cell = true_T[judged] * (n_classes + 1) + column[judged]
    return np.bincount(cell, minlength=n_classes * (n_classes + 1))[None]


def class_scores(confusion: Counts) -> dict[str, Counts]:
    """Score each class by its row and column of a confusion matrix.

    Args:
        confusion: Counts by true class (row) and predicted class (column), shape ``(..., C, C)``, or
            ``(..., C, C + 1)`` where the last column counts what was predicted as no class.

    Returns:
        ``support``, ``precision``, ``recall``, ``f1`` and ``sample_iou``, shape ``(..., C)`` each.
    """
    hits = np.diagonal(confusion, axis1=-2, axis2=-1)
    support, predicted = confusion.sum(axis=-1), confusion[..., : confusion.shape[-2]].sum(axis=-2)
    return {
        "support": support,
        "precision": ratio(hits, predicted),
        "recall": ratio(hits, support),
        "f1": ratio(2 * hits, support + predicted),
        "sample_iou": ratio(hits, support + predicted - hits),
    }


def _means(counts: Counts, n_classes: int) -> dict[str, Counts]:
    confusion = counts[..., :-2].reshape(*counts.shape[:-1], n_classes, n_classes + 1)
    table = class_scores(confusion)
    support = table["support"]
    hits = np.diagonal(confusion, axis1=-2, axis2=-1).sum(axis=-1)
    return {
        "accuracy": ratio(hits, support.sum(axis=-1)),
        "macro_f1": mean_of_supported(table["f1"], support),
        "mean_sample_iou": mean_of_supported(table["sample_iou"], support),
        "mean_segment_iou": ratio(counts[..., -2], counts[..., -1]),
    }


def mean_of_supported(scores: Counts, support: Counts) -> Counts:
    """Average the scores of the classes that have support.

    Args:
        scores: Score of each class, shape ``(..., C)``.
        support: True samples or reads of each class, same shape.

    Returns:
        Shape ``(...)``; NaN where no class has support.
    """
    known = support > 0
    return ratio(np.where(known, scores, 0).sum(axis=-1), known.sum(axis=-1))
