import math

import numpy as np
import pytest

from poreconv.config import IGNORE
from poreconv.evaluation.criteria import BoundaryCriterion, criterion_of
from poreconv.evaluation.metrics import ReliabilityMetric
from poreconv.events.tasks import task_named

BOUNDARY = BoundaryCriterion(task_named("boundary"))


def test_by_hand() -> None:
    """Of four samples at 0.9 three are right, of two at 0.2 none is: (4 x 0.15 + 2 x 0.2) / 6."""
    metric = ReliabilityMetric()
    p_T = np.array([0.9, 0.9, 0.2, 0.9, 0.9, 0.2, 0.5], np.float32)
    metric.update(*BOUNDARY.certainty(np.array([1, 1, 0, 1, 0, 0, IGNORE], np.int8), np.stack([1 - p_T, p_T])))
    low, high = metric.table()

    assert metric.compute() == pytest.approx(1 / 6)
    assert (low["mean_predicted"], low["observed"], low["n_samples"]) == (pytest.approx(0.2), 0, 2)
    assert (high["mean_predicted"], high["observed"], high["n_samples"]) == (pytest.approx(0.9), 0.75, 4)
    assert (low["low"], low["high"]) == (pytest.approx(3 / 15), pytest.approx(4 / 15))


def test_other_tasks_judge_the_likeliest_class() -> None:
    """The largest probability counts, and it is right if its class is the true one."""
    metric = ReliabilityMetric()
    p_CT = np.array([[0.1, 0.2], [0.1, 0.7], [0.8, 0.1]], np.float32)
    metric.update(*criterion_of("segment").certainty(np.array([2, 0], np.int8), p_CT))

    assert metric.compute() == pytest.approx((0.2 + 0.7) / 2)


def test_honest_probabilities_have_no_error() -> None:
    """Samples drawn with the probabilities that they were given, read by read."""
    metric, rng = ReliabilityMetric(), np.random.default_rng(0)
    for _ in range(4):
        p_T = rng.random(20_000).astype(np.float32)
        target = (rng.random(20_000) < p_T).astype(np.int8)
        metric.update(*BOUNDARY.certainty(target, np.stack([1 - p_T, p_T])))

    assert metric.compute() < 0.01
    assert len(metric.table()) == 15


def test_the_ends_have_bins_and_nothing_is_nan() -> None:
    """Probabilities 0 and 1 belong to the first and the last bin; without samples the error is not defined."""
    metric, sure_CT = ReliabilityMetric(), np.array([[1, 0], [0, 1]], np.float32)
    metric.update(*BOUNDARY.certainty(np.full(2, IGNORE, np.int8), sure_CT))

    assert math.isnan(metric.compute())
    metric.update(*BOUNDARY.certainty(np.array([0, 1], np.int8), sure_CT))
    assert metric.compute() == 0
    assert [row["n_samples"] for row in metric.table()] == [1, 1]
