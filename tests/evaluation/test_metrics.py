import math
import subprocess
import sys
from collections.abc import Sequence

import numpy as np
import pytest
import torch
from hypothesis import given, settings, strategies as st
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import maximum_bipartite_matching

from poreconv.errors import ConfigError
from poreconv.evaluation.metrics import BoundaryMetric, SegmentMetric, match_count, match_counts, nearest_distance
from poreconv.evaluation.metrics.boundary import DISTANCE_LIMIT, r_value
from poreconv.runtime.records import to_plain

positions = st.lists(st.integers(0, 60), max_size=25, unique=True).map(sorted)


def ints(values: Sequence[int]) -> np.ndarray:
    """Return positions as an array."""
    return np.array(values, np.int64)


@given(positions, positions, st.integers(0, 6))
@settings(max_examples=300, deadline=None)
def test_matching_is_maximum(true: list[int], pred: list[int], tolerance: int) -> None:
    """No one-to-one matching has more pairs: scipy's general algorithm finds as many."""
    near = np.abs(np.subtract.outer(ints(true), ints(pred))) <= tolerance
    pairs = (maximum_bipartite_matching(csr_matrix(near)) >= 0).sum() if near.size else 0

    assert match_count(ints(true), ints(pred), tolerance) == pairs


def test_a_prediction_is_used_once() -> None:
    """Two true boundaries near one prediction make one pair."""
    assert match_count(ints([10, 12]), ints([11]), 2) == 1


def test_nearest_pairs_are_not_always_the_most() -> None:
    """Pairing 11 with 10 would leave 9 and 12 alone."""
    assert match_count(ints([9, 11]), ints([10, 12]), 1) == 2


def test_tolerances_at_once() -> None:
    """At 0, 1, 2, 3 and 5 samples: misses of 0, 1, 3 and 5 come in one after the other."""
    assert match_counts(ints([10, 30, 50, 70]), ints([10, 31, 47, 75])).tolist() == [1, 2, 2, 3, 4]


@given(positions, positions.filter(bool))
def test_nearest_distance_is_the_least(true: list[int], pred: list[int]) -> None:
    """The distance is the smallest of all, the early one if two are."""
    gaps = np.subtract.outer(ints(pred), ints(true)).T
    expected = [min(row, key=lambda gap: (abs(gap), gap)) for row in gaps.tolist()]

    assert nearest_distance(ints(true), ints(pred)).tolist() == expected


def test_scores_by_hand() -> None:
    """Within 1: 3 pairs of 4 true and 6 predicted boundaries, pooled over two reads."""
    metric = BoundaryMetric()
    metric.update(ints([10, 20, 30]), ints([11, 15, 20, 26]))
    metric.update(ints([5]), ints([5, 9]))
    scores = metric.compute()

    assert (scores["n_reads"], scores["n_true"], scores["n_pred"]) == (2, 4, 6)
    assert [scores["precision_1"], scores["recall_1"], scores["f1_1"]] == pytest.approx([0.5, 0.75, 0.6])
    assert scores["over_segmentation"] == pytest.approx(0.5)
    assert scores["f1_0"] == pytest.approx(0.4)


def test_r_value_by_hand() -> None:
    """Ideal is 1; a recall of 0.75 at half too many is 1 - (0.559 + 0.530) / 2."""
    ideal, worse = r_value(np.array([1.0, 0.75]), np.array([0.0, 0.5]))

    assert ideal == 1
    assert worse == pytest.approx(1 - (math.hypot(0.25, 0.5) + 0.75 / math.sqrt(2)) / 2)


def test_distances_count_unmatched_boundaries() -> None:
    """Nearest predictions lie 0, +2, -3 and +40 samples off; all four count."""
    metric = BoundaryMetric()
    metric.update(ints([10, 100, 200, 300]), ints([10, 102, 197, 340]))
    scores = metric.compute()

    assert [scores["absolute_median"], scores["absolute_p95"]] == [2, 40]
    assert [scores["signed_median"], scores["signed_p95"]] == [0, 40]


@given(st.lists(st.integers(-DISTANCE_LIMIT, DISTANCE_LIMIT), min_size=1, max_size=60))
@settings(deadline=None)
def test_distance_quantiles_are_exact(gaps: list[int]) -> None:
    """The histogram loses nothing: quantiles are those of the list."""
    metric = BoundaryMetric()
    for gap in gaps:
        metric.update([DISTANCE_LIMIT], [DISTANCE_LIMIT + gap])
    scores = metric.compute()

    assert scores["signed_p95"] == np.quantile(gaps, 0.95, method="inverted_cdf")
    assert scores["absolute_median"] == np.quantile(np.abs(gaps), 0.5, method="inverted_cdf")


def test_reads_without_predictions_count_at_the_largest_distance() -> None:
    """A true boundary without any prediction counts at the largest distance, and so does one that is farther off."""
    metric = BoundaryMetric()
    metric.update([10], [])
    metric.update([10], [10 + 5 * DISTANCE_LIMIT])
    scores = metric.compute()

    assert scores["absolute_median"] == scores["signed_median"] == DISTANCE_LIMIT


@pytest.mark.parametrize(
    ("true", "pred", "precision", "recall", "f1"),
    [([], [], math.nan, math.nan, math.nan), ([5], [], math.nan, 0, 0), ([], [5], 0, math.nan, 0)],
)
def test_undefined_scores_are_nan(true: list[int], pred: list[int], precision: float, recall: float, f1: float) -> None:
    """No prediction has no precision, no truth no recall; F1 is undefined only with neither."""
    metric = BoundaryMetric()
    metric.update(true, pred)
    scores = metric.compute()

    assert [scores["precision_2"], scores["recall_2"], scores["f1_2"]] == pytest.approx(
        [precision, recall, f1], nan_ok=True
    )
    assert math.isnan(scores["r_value"]) == (not true)


def test_scores_of_undefined_go_to_json() -> None:
    """JSON knows no NaN; an undefined score is null."""
    metric = BoundaryMetric()
    metric.update([], [])

    assert to_plain(metric.compute())["f1_2"] is None


def test_intervals_hold_the_score_and_narrow_with_reads() -> None:
    """The 95 % interval lies around the score, and is about half as wide with four times the reads."""
    few, many = interval(25), interval(100)

    assert few[0] < few[1] < few[2]
    assert (many[2] - many[0]) / (few[2] - few[0]) == pytest.approx(0.5, abs=0.15)


def test_intervals_are_a_function_of_the_seed() -> None:
    """The same counts and seed give the same interval."""
    assert interval(25, seed=1) == interval(25, seed=1) != interval(25, seed=2)


def test_one_read_has_no_interval() -> None:
    """The spread over reads takes two reads."""
    metric = BoundaryMetric()
    metric.update([10], [10])
    scores = metric.compute()

    assert scores["f1_1"] == 1
    assert math.isnan(scores["f1_1_low"])


def test_boundaries_out_of_order_are_refused() -> None:
    """Matching needs ascending positions."""
    with pytest.raises(ConfigError, match="out of order"):
        BoundaryMetric().update([3, 1], [2])


def test_cutting_everywhere_gains_no_r_value() -> None:
    """A cut every 3 samples has full recall within 2, yet a far lower R-value than a detector that finds 8 of 10."""
    true = ints(range(0, 900, 9))
    everywhere, careful = BoundaryMetric(), BoundaryMetric()
    everywhere.update(true, ints(range(0, 900, 3)))
    careful.update(true, true[np.arange(100) % 10 < 8])

    assert everywhere.compute()["recall_2"] == 1
    assert everywhere.compute()["r_value"] < 0
    assert careful.compute()["r_value"] > 0.8


def test_metrics_reset() -> None:
    """After a reset nothing is left of earlier reads."""
    metric, segments = BoundaryMetric(), SegmentMetric("ab")
    for counted, first, second in ((metric, ([1], [9]), ([4], [4])), (segments, ([0], [1]), ([0], [0]))):
        counted.update(*first)
        counted.reset()
        counted.update(*second)

    assert metric.compute()["absolute_p95"] == 0
    assert segments.compute()["accuracy"] == 1


def test_metrics_pool_over_processes() -> None:
    """Two halves of the reads, counted apart and merged, score as all of them counted at once."""
    whole, half, other = BoundaryMetric(), BoundaryMetric(), BoundaryMetric()
    for read in range(6):
        for metric in (whole, half if read < 3 else other):
            metric.update(range(0, 100, 10), range(read, 100, 9))
    half.merge_state(other)

    assert half.compute() == whole.compute()


def test_segment_metrics_pool_over_processes() -> None:
    """Per-read rows of two processes are joined."""
    whole, half, other = SegmentMetric("ab"), SegmentMetric("ab"), SegmentMetric("ab")
    for read in range(6):
        for metric in (whole, half if read < 3 else other):
            metric.update([0, 1] * 6, [0] * read + [1] * (12 - read))
    half.merge_state(other)

    assert half.compute() == whole.compute()


def test_classes_by_hand() -> None:
    """Of 4 judged a and 4 b: 3 a and 2 b are right, 1 a is predicted b, 1 b is predicted a, 1 b has no class."""
    scores = classes([0, 0, 0, 0, 1, 1, 1, 1, -1], [0, 0, 0, 1, 1, 1, 0, -1, 0])

    assert [scores["support_a"], scores["support_b"], scores["n_samples"]] == [4, 4, 8]
    assert [scores["precision_a"], scores["recall_a"], scores["f1_a"]] == pytest.approx([3 / 4, 3 / 4, 3 / 4])
    assert [scores["precision_b"], scores["recall_b"], scores["f1_b"]] == pytest.approx([2 / 3, 2 / 4, 4 / 7])
    assert [scores["accuracy"], scores["macro_f1"]] == pytest.approx([5 / 8, (3 / 4 + 4 / 7) / 2])
    assert [scores["sample_iou_a"], scores["sample_iou_b"]] == pytest.approx([3 / 5, 2 / 5])
    assert scores["mean_sample_iou"] == pytest.approx(1 / 2)


def test_confusion_has_true_rows_and_a_column_for_none() -> None:
    """Rows are true classes, columns predicted ones, the last none."""
    metric = SegmentMetric(("a", "b"))
    metric.update([0, 0, 1, -1], [1, 0, -1, 1])

    assert metric.confusion().tolist() == [[1, 1, 0], [0, 0, 1]]


def test_segments_by_hand() -> None:
    """Of true a [0, 4), b [4, 8), a [8, 10): best IoUs 3/4, 4/7 and 0."""
    scores = classes([0, 0, 0, 0, 1, 1, 1, 1, 0, 0], [0, 0, 0, 1, 1, 1, 1, 1, 1, 1])

    assert scores["mean_segment_iou"] == pytest.approx((3 / 4 + 4 / 7 + 0) / 3)


def test_a_segment_takes_its_best_partner() -> None:
    """A true segment cut in two by the prediction has the larger piece's IoU."""
    scores = classes([0] * 10, [0] * 6 + [1] + [0] * 3)

    assert scores["mean_segment_iou"] == pytest.approx(0.6)


def test_segments_are_counted_by_class() -> None:
    """One true a is found in two pieces, and two true b are found as one; only inside the coverage."""
    scores = classes([0] * 10 + [1, 1, -1, 1, 1, 0, 1, 1], [0] * 4 + [1] + [0] * 4 + [1] * 9)
    counts = [scores[f"segments_{which}{name}"] for which in ("true", "found") for name in ("", "_a", "_b")]

    assert counts == [5, 2, 3, 5, 2, 3]
    assert [scores[f"over_segmented_{name}"] for name in "ab"] == [0.5, 0]
    assert [scores[f"under_segmented_{name}"] for name in "ab"] == [0, pytest.approx(2 / 3)]


def test_edges_are_measured_where_there_is_something_to_find() -> None:
    """A segment's start or end counts, unless the labels or the read begin or end there."""
    scores = classes([-1, 0, 0, 0, 0, 1, 1, 1, 1, 0], [0, 0, 0, 1, 1, 1, 1, 1, 0, 0])

    assert [scores[f"absolute_{side}_{name}"] for side in ("start", "end") for name in "ab"] == [1, 2, 2, 1]


def test_predictions_outside_the_truth_do_not_count() -> None:
    """A predicted segment is judged only inside the coverage of the truth."""
    scores = classes([-1, -1, 0, 0, -1], [0, 0, 0, 0, 0])

    assert scores["mean_segment_iou"] == scores["sample_iou_a"] == scores["accuracy"] == 1


def test_classes_without_truth_stay_out_of_the_means() -> None:
    """Macro F1 and mean IoU are over the classes that occur; recall of one that doesn't is undefined."""
    scores = classes([0, 0, 0, 0], [0, 0, 0, 1])

    assert scores["macro_f1"] == pytest.approx(6 / 7)
    assert scores["mean_sample_iou"] == pytest.approx(3 / 4)
    assert [scores["f1_b"], scores["precision_b"]] == [0, 0]
    assert math.isnan(scores["recall_b"])


def test_all_ignored_is_undefined() -> None:
    """Without a judged sample every score is NaN, and nothing warns."""
    scores = classes([-1, -1], [0, 1])

    assert scores["n_samples"] == 0
    assert all(math.isnan(scores[name]) for name in ("accuracy", "macro_f1", "mean_segment_iou", "sample_iou_a"))


def test_empty_read_is_counted() -> None:
    """A read without samples is a read without scores."""
    assert classes([], [])["n_reads"] == 1


def test_macro_f1_is_bootstrapped_over_reads() -> None:
    """Good and bad reads give macro F1 an interval around it."""
    metric = SegmentMetric("ab")
    for right in range(10):
        metric.update([0, 1] * 10, [0, 1] * right + [1, 0] * (10 - right))
    scores = metric.compute()

    assert scores["macro_f1_low"] < scores["macro_f1"] < scores["macro_f1_high"]


@pytest.mark.parametrize(
    ("true", "pred", "message"),
    [
        ([0, 1], [0], "2 true and 1 predicted"),
        ([0, 2], [0, 0], r"true class 0\.\.2"),
        ([0], [-2], "predicted class -2"),
    ],
)
def test_targets_that_cannot_be_compared_are_refused(true: list[int], pred: list[int], message: str) -> None:
    """Lengths must agree and classes exist."""
    with pytest.raises(ConfigError, match=message):
        SegmentMetric("ab").update(true, pred)


def test_tensors_and_arrays_are_taken_alike() -> None:
    """A model gives tensors, a file arrays."""
    of_tensors, of_arrays = SegmentMetric("ab"), SegmentMetric("ab")
    of_tensors.update(torch.tensor([0, 1, 1], dtype=torch.int8), torch.tensor([0, 0, 1]))
    of_arrays.update(np.array([0, 1, 1], np.int8), np.array([0, 0, 1]))

    assert of_tensors.compute() == pytest.approx(of_arrays.compute(), nan_ok=True)


def test_metrics_do_without_lightning() -> None:
    """Importing the metrics does not import lightning."""
    code = "import poreconv.evaluation.metrics, sys; sys.exit('lightning' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def classes(true: Sequence[int], pred: Sequence[int]) -> dict[str, float]:
    """Score one read with the classes a and b."""
    metric = SegmentMetric(("a", "b"))
    metric.update(true, pred)
    return metric.compute()


def interval(n_reads: int, seed: int = 0) -> tuple[float, float, float]:
    """Low, value and high of F1 over reads of varying quality."""
    metric = BoundaryMetric(seed=seed)
    for read in range(n_reads):
        metric.update(range(0, 100, 10), range(0, 10 * (1 + read % 10), 10))
    scores = metric.compute()
    return scores["f1_1_low"], scores["f1_1"], scores["f1_1_high"]


def test_boundaries_are_counted_by_dwell() -> None:
    """Of the events of 3, 4 and 7 samples, the boundary of the first is missed; a metric without dwells has no rows."""
    metric, without = BoundaryMetric(), BoundaryMetric()
    metric.update([10, 13, 17], [14, 17, 40], [3, 4, 7])
    without.update([10, 13, 17], [14, 17, 40])

    assert metric.found_by_length() == [("", 2, 3, 1, 0), ("", 4, 7, 2, 2)]
    assert without.found_by_length() == []


def test_segments_are_counted_by_class_and_length() -> None:
    """A segment is found if the best predicted one of its class shares half of both."""
    true = np.repeat([0, 1, 0], [4, 8, 1])
    metric = SegmentMetric(["a", "b"])
    metric.update(true, np.repeat([0, 1, 0], [9, 3, 1]))

    assert metric.found_by_length() == [("a", 1, 1, 1, 1), ("a", 4, 7, 1, 0), ("b", 8, 15, 1, 0)]
