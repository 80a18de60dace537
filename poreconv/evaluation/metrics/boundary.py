"""Metrics of predicted boundaries against the true ones."""

from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor
from torchmetrics import Metric

from poreconv.errors import ConfigError
from poreconv.evaluation.metrics.lengths import OCTAVES, FoundByLength, counted_by_length, found_by_length
from poreconv.evaluation.metrics.values import Counts, numbers, ratio, with_intervals
from poreconv.events.matching import TOLERANCES, match_counts, nearest_distance, partners

R_VALUE_TOLERANCE = 2
"""Tolerance of the R-value, in samples."""
DWELL_TOLERANCE = 1
"""Tolerance of the boundaries that are counted by dwell, in samples."""
OFFSET_LIMIT = 20
"""Samples up to which `BoundaryMetric.offsets` counts each distance separately."""
DISTANCE_LIMIT = 1000
"""Largest distance that is counted, in samples: a larger one counts as this, and so does every true boundary of a read
without a prediction (as late)."""


class BoundaryMetric(Metric):
    """Precision, recall, F1, R-value and distances of boundaries, pooled over reads.

    `update` takes one read: the positions of its true and predicted boundaries, in samples, which the caller has
    restricted to the coverage of the truth. `compute` returns a flat dict of floats:

    - ``n_reads``, ``n_true``, ``n_pred``
    - ``precision_T``, ``recall_T``, ``f1_T`` for each tolerance T of `TOLERANCES`, from maximum one-to-one matching
    - ``r_value``, and ``over_segmentation`` = n_pred / n_true - 1: 0.1 is 10 % too many
    - each of these scores also as ``NAME_low`` and ``NAME_high``: the 95 % bootstrap interval over reads
    - ``signed_median``, ``signed_p95``, ``absolute_median``, ``absolute_p95``: samples from each true boundary to the
      nearest prediction (positive: late), unmatched boundaries included, at most `DISTANCE_LIMIT`

    An undefined score is NaN: precision without a prediction; recall, R-value, over-segmentation and distances without
    a true boundary; F1 with neither. F1 is 0 if there are only predictions or only true boundaries.
    """

    is_differentiable = False
    higher_is_better = True
    full_state_update = False

    counts: list[Tensor]
    """Per read ``(1, 2 + len(TOLERANCES))``: true boundaries, predicted ones, and pairs at each tolerance."""
    distances: Tensor
    """Number of true boundaries at each signed distance, shape ``(2 * DISTANCE_LIMIT + 1,)``."""
    by_dwell: Tensor
    """Number of true boundaries, and of those found, by dwell; see `counted_by_length`."""

    def __init__(self, *, seed: int = 0, **kwargs: Any) -> None:
        """Create a metric with nothing counted.

        Args:
            seed: Seed of the bootstrap; the same seed gives the same intervals.
            **kwargs: Passed to `torchmetrics.Metric`.
        """
        super().__init__(**kwargs)
        self.seed = seed
        self.add_state("counts", default=[], dist_reduce_fx="cat")
        self.add_state(
            "distances", default=torch.zeros(2 * DISTANCE_LIMIT + 1, dtype=torch.int64), dist_reduce_fx="sum"
        )
        self.add_state("by_dwell", default=torch.zeros((2, 1, OCTAVES), dtype=torch.int64), dist_reduce_fx="sum")

    def update(
        self, true: Tensor | ArrayLike, pred: Tensor | ArrayLike, dwell: Tensor | ArrayLike | None = None
    ) -> None:
        """Count one read.

        Args:
            true: True boundaries inside the coverage, samples, ascending, shape ``(n_true,)``.
            pred: Predicted boundaries inside the same coverage, samples, ascending, shape ``(n_pred,)``.
            dwell: Length of the event that begins at each true boundary, shape ``(n_true,)``; default: not known.

        Raises:
            ConfigError: Positions are out of order.
        """
        true_n, pred_n = numbers(true), numbers(pred)
        if (np.diff(true_n) < 0).any() or (np.diff(pred_n) < 0).any():
            raise ConfigError("boundary metric: positions are out of order; sort true and predicted boundaries")
        row = [len(true_n), len(pred_n), *match_counts(true_n, pred_n)]
        self.counts.append(torch.tensor([row], dtype=torch.int64, device=self.device))
        self.distances += torch.from_numpy(_distance_counts(true_n, pred_n)).to(self.device)
        if dwell is not None:
            found = partners(true_n, pred_n, DWELL_TOLERANCE) >= 0
            counts = counted_by_length(numbers(dwell), found, np.zeros(len(true_n), np.int64), 1)
            self.by_dwell += torch.from_numpy(counts).to(self.device)

    def per_read(self) -> dict[str, Counts]:
        """Return the scores of each read, in the order of `update`; shape ``(n_reads,)`` each."""
        return _scores(stacked(self.counts, 2 + len(TOLERANCES)))

    def offsets(self) -> dict[int, int]:
        """Count the true boundaries by their distance to the nearest prediction.

        Returns:
            Distance in samples (positive: the prediction is late) -> number of true boundaries. Distances of more than
            `OFFSET_LIMIT` samples are counted there.
        """
        counts = self.distances.cpu().numpy()
        place = np.flatnonzero(counts)
        offset = np.clip(place - DISTANCE_LIMIT, -OFFSET_LIMIT, OFFSET_LIMIT)
        n_at = np.bincount(offset + OFFSET_LIMIT, counts[place], 2 * OFFSET_LIMIT + 1)
        return {at - OFFSET_LIMIT: int(n) for at, n in enumerate(n_at)}

    def found_by_length(self) -> list[FoundByLength]:
        """Count the true boundaries, and those found within `DWELL_TOLERANCE`, by the dwell that begins there."""
        return found_by_length(self.by_dwell.cpu().numpy(), [""])

    def compute(self) -> dict[str, float]:
        """Return all scores of the reads counted so far, named as the docstring of the class lists them."""
        per_read = stacked(self.counts, 2 + len(TOLERANCES))
        n_true, n_pred = per_read[:, :2].sum(axis=0)
        totals = {"n_reads": float(len(per_read)), "n_true": float(n_true), "n_pred": float(n_pred)}
        return {**totals, **with_intervals(_scores, per_read, self.seed), **_distance_scores(self.distances)}


def stacked(rows: list[Tensor] | Tensor, width: int) -> Counts:
    """Join the rows of a metric's state into one array.

    Args:
        rows: One row per read; torchmetrics keeps them as a list or, once synchronised, as one tensor.
        width: Number of columns, for the empty array if there are no rows.

    Returns:
        Shape ``(n_reads, width)``.
    """
    joined = torch.cat(rows) if isinstance(rows, list) and rows else rows
    return joined.cpu().numpy().astype(np.float64) if isinstance(joined, Tensor) else np.zeros((0, width))


def r_value(recall: Counts, over_segmentation: Counts) -> Counts:
    """Score a segmentation by its distance from the ideal: all boundaries found, none too many.

    Args:
        recall: Share of true boundaries found, any shape.
        over_segmentation: ``n_pred / n_true - 1``, same shape.

    Returns:
        The R-value, same shape; 1 is ideal. Unlike F1, it falls when superfluous predictions raise the recall.

    Source:
        Räsänen, Laine & Altosaar 2009, An improved speech segmentation quality measure: the R-value, Interspeech.
    """
    from_ideal = np.hypot(1 - recall, over_segmentation)
    from_line = np.abs(recall - 1 - over_segmentation) / np.sqrt(2)
    return np.asarray(1 - (from_ideal + from_line) / 2)


def _scores(counts: Counts) -> dict[str, Counts]:
    n_true, n_pred = counts[..., 0], counts[..., 1]
    scores: dict[str, Counts] = {}
    for column, tolerance in enumerate(TOLERANCES, start=2):
        pairs = counts[..., column]
        scores[f"precision_{tolerance}"] = ratio(pairs, n_pred)
        scores[f"recall_{tolerance}"] = ratio(pairs, n_true)
        scores[f"f1_{tolerance}"] = ratio(2 * pairs, n_true + n_pred)
    scores["over_segmentation"] = ratio(n_pred, n_true) - 1
    scores["r_value"] = r_value(scores[f"recall_{R_VALUE_TOLERANCE}"], scores["over_segmentation"])
    return scores


def _distance_counts(true: NDArray[np.int64], pred: NDArray[np.int64]) -> NDArray[np.int64]:
    distance = nearest_distance(true, pred) if len(pred) else np.full(len(true), DISTANCE_LIMIT)
    return np.bincount(
        np.clip(distance, -DISTANCE_LIMIT, DISTANCE_LIMIT) + DISTANCE_LIMIT, minlength=2 * DISTANCE_LIMIT + 1
    )


def _distance_scores(distances: Tensor) -> dict[str, float]:
    signed = distances.cpu().numpy()
    absolute = signed[DISTANCE_LIMIT:].copy()
    absolute[1:] += signed[:DISTANCE_LIMIT][::-1]
    return {
        "signed_median": _quantile(signed, 0.5) - DISTANCE_LIMIT,
        "signed_p95": _quantile(signed, 0.95) - DISTANCE_LIMIT,
        "absolute_median": _quantile(absolute, 0.5),
        "absolute_p95": _quantile(absolute, 0.95),
    }


def _quantile(counts: NDArray[np.int64], share: float) -> float:
    """Find the first bin at which at least ``share`` of the counts is reached; NaN if nothing was counted."""
    reached = np.cumsum(counts)
    return float(np.searchsorted(reached, share * reached[-1])) if reached[-1] else np.nan
