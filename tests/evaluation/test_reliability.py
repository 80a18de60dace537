import math

import numpy as np
import pytest

from poreconv.config import IGNORE
from poreconv.evaluation.metrics import ReliabilityMetric


def test_by_hand() -> None:
    """Four samples said 0.9 and three were right, two said 0.2 and none was: (4 x 0.15 + 2 x 0.2) / 6."""
    metric = ReliabilityMetric("boundary")
    said = np.array([0.9, 0.9, 0.2, 0.9, 0.9, 0.2, 0.5], np.float32)
    metric.update(np.array([1, 1, 0, 1, 0, 0, IGNORE], np.int8), np.stack([1 - said, said]))
    low, high = metric.table()

    assert metric.compute() == pytest.approx(1 / 6)
    assert (low["mean_predicted"], low["observed"], low["n_samples"]) == (pytest.approx(0.2), 0, 2)
    assert (high["mean_predicted"], high["observed"], high["n_samples"]) == (pytest.approx(0.9), 0.75, 4)
    assert (low["low"], low["high"]) == (pytest.approx(3 / 15), pytest.approx(4 / 15))


def test_other_tasks_judge_the_likeliest_class() -> None:
    """What it claims is the largest probability, and it is right if that class is the true one."""
    metric = ReliabilityMetric("segment")
    metric.update(np.array([2, 0], np.int8), np.array([[0.1, 0.2], [0.1, 0.7], [0.8, 0.1]], np.float32))

    assert metric.compute() == pytest.approx((0.2 + 0.7) / 2)


def test_honest_probabilities_have_no_error() -> None:
    """Samples drawn with the probabilities that they were given, read by read."""
    metric, rng = ReliabilityMetric("boundary"), np.random.default_rng(0)
    for _ in range(4):
        p_T = rng.random(20_000).astype(np.float32)
        metric.update((rng.random(20_000) < p_T).astype(np.int8), np.stack([1 - p_T, p_T]))

    assert metric.compute() < 0.01
    assert len(metric.table()) == 15


def test_the_ends_have_bins_and_nothing_is_nan() -> None:
    """Probabilities 0 and 1 belong to the first and the last bin; without samples there is no error to tell."""
    metric, sure_CT = ReliabilityMetric("boundary"), np.array([[1, 0], [0, 1]], np.float32)
    metric.update(np.full(2, IGNORE, np.int8), sure_CT)

    assert math.isnan(metric.compute())
    metric.update(np.array([0, 1], np.int8), sure_CT)
    assert metric.compute() == 0
    assert [row["n_samples"] for row in metric.table()] == [1, 1]
