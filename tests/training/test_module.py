import math
from itertools import pairwise

import numpy as np
import pytest
import torch
from torch.nn import functional

from poreconv.config import IGNORE, TrainConfig
from poreconv.evaluation.metrics import match_count
from poreconv.runtime.registry import lookup
from poreconv.training.module import SampleModule, one_cycle
from poreconv.training.objectives import OBJECTIVES, balanced_weights
from poreconv.training.validation import THRESHOLDS, ThresholdSweep
from tests.support.models import tiny_network


def labeller_with(weights: list[float], task: str = "boundary") -> SampleModule:
    """A labeller of a tiny network."""
    return SampleModule(
        tiny_network("tcn", len(weights)), lookup(OBJECTIVES, task, kind="task")(torch.tensor(weights)), TrainConfig()
    )


def test_loss_is_the_weighted_cross_entropy_of_known_samples() -> None:
    """The loss is the mean of -log p over the known samples, each weighted by its class."""
    torch.manual_seed(0)
    logits_BCT = torch.randn(2, 2, 3)
    y_BT = torch.tensor([[0, 1, IGNORE], [IGNORE, 1, 0]])
    log_p = torch.log_softmax(logits_BCT, 1)
    known = [(0, 0, 0), (0, 1, 1), (1, 1, 1), (1, 0, 2)]  # window, class, sample
    weight = [1.0, 3.0]
    by_hand = -sum(weight[c] * float(log_p[b, c, t]) for b, c, t in known) / 8

    assert float(labeller_with(weight).objective.loss(logits_BCT, y_BT)) == pytest.approx(by_hand, rel=1e-5)
    torch.testing.assert_close(
        labeller_with(weight).objective.loss(logits_BCT, y_BT),
        functional.cross_entropy(logits_BCT, y_BT, torch.tensor(weight), ignore_index=IGNORE),
    )


def test_what_stands_at_ignored_samples_does_not_matter() -> None:
    """Logits of ignored samples neither change the loss nor get a gradient."""
    logits_BCT = torch.randn(1, 2, 4, requires_grad=True)
    labeller_with([1.0, 1.0]).objective.loss(logits_BCT, torch.tensor([[0, IGNORE, 1, IGNORE]])).backward()
    assert logits_BCT.grad is not None

    assert logits_BCT.grad[0, :, [1, 3]].eq(0).all()
    assert logits_BCT.grad[0, :, [0, 2]].ne(0).all()


def test_a_batch_of_which_nothing_is_known_costs_nothing() -> None:
    """With every sample ignored, the loss is 0 and its gradient is finite."""
    logits_BCT = torch.randn(2, 2, 5, requires_grad=True)
    loss = labeller_with([1.0, 2.0]).objective.loss(logits_BCT, torch.full((2, 5), IGNORE))
    loss.backward()
    assert logits_BCT.grad is not None

    assert float(loss.detach()) == 0
    assert logits_BCT.grad.eq(0).all()


def test_loss_in_low_precision_is_computed_in_full() -> None:
    """Half-precision logits give a single-precision loss."""
    loss = labeller_with([1.0, 1.0]).objective.loss(
        torch.randn(1, 2, 9).bfloat16(), torch.zeros(1, 9, dtype=torch.int64)
    )

    assert loss.dtype == torch.float32


def test_one_cycle_rises_and_falls() -> None:
    """The rate starts at a 25th, reaches its peak after the warm-up, and ends at a thousandth; both ways steadily."""
    rates = [one_cycle(step / 1000, 0.1) for step in range(1001)]

    assert (rates[0], max(rates), rates[-1]) == (pytest.approx(1 / 25), pytest.approx(1.0), pytest.approx(1e-3))
    assert rates.index(max(rates)) == 100
    assert all(one < two for one, two in pairwise(rates[:101]))
    assert all(one > two for one, two in pairwise(rates[100:]))
    assert max(abs(two - one) for one, two in pairwise(rates)) < 0.02


def test_weights_without_balance_are_alike() -> None:
    """Balance 0 weighs all samples alike."""
    assert balanced_weights((900, 100), 0.0).tolist() == [1, 1]


def test_full_balance_gives_every_class_the_same_say() -> None:
    """Balance 1 makes weight times count the same for all classes; the mean weight of a sample is 1."""
    weight = balanced_weights((900, 100), 1.0)

    assert (weight * torch.tensor([900, 100])).tolist() == pytest.approx([500, 500])


@pytest.mark.parametrize("balance", [0.0, 0.5, 1.0])
def test_a_class_never_seen_weighs_nothing(balance: float) -> None:
    """Classes without samples weigh 0, the others have a mean of 1 over the samples."""
    weight = balanced_weights((30, 0, 70), balance)

    assert weight[1] == 0
    assert float((weight * torch.tensor([30, 0, 70])).sum()) == pytest.approx(100)


def test_the_threshold_is_the_best_of_all() -> None:
    """F1 at every threshold is that of cutting the peaks there and matching anew, pooled over tiles."""
    rng = np.random.default_rng(0)
    tiles = []
    for _ in range(4):
        true = np.unique(rng.integers(0, 200, 20))
        peak = np.unique(np.concatenate([true[::2] + rng.integers(-1, 2, len(true[::2])), rng.integers(0, 200, 15)]))
        tiles.append((true, peak, rng.random(len(peak)).astype(np.float32)))
    sweep = ThresholdSweep()
    for tile in tiles:
        sweep.update(*tile)
    f1 = {}
    for threshold in THRESHOLDS:
        chosen = [(true, peak[probability >= threshold]) for true, peak, probability in tiles]
        pairs = sum(match_count(true, found, 1) for true, found in chosen)
        f1[float(threshold)] = 2 * pairs / sum(len(true) + len(found) for true, found in chosen)
    score, threshold = sweep.compute()

    assert score == pytest.approx(max(f1.values()))
    assert f1[threshold] == pytest.approx(max(f1.values()))


def test_the_middle_one_of_equal_thresholds_is_taken() -> None:
    """Where all thresholds between noise and peaks are as good, the one in the middle is safest."""
    sweep = ThresholdSweep()
    sweep.update(np.array([10, 50]), np.array([10, 30, 50]), np.array([0.9, 0.2, 0.9], np.float32))

    assert sweep.compute() == (1.0, pytest.approx(0.56, abs=0.03))


def test_a_sweep_that_saw_nothing_right_is_finite() -> None:
    """Without a boundary, or without a peak, F1 is 0."""
    sweep = ThresholdSweep()
    sweep.update(np.array([], np.int64), np.array([], np.int64), np.array([], np.float32))
    score, threshold = sweep.compute()

    assert score == 0
    assert not math.isnan(threshold)
