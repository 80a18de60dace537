"""The lecture's points 2 to 7, 11 and 12: what each says, as a fact.

Where a notebook shows the point, its own functions are what is tested.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from tests.support.notebooks import functions_of
from torch import Tensor, nn
from torch.nn import functional

import poreconv
from poreconv.config import MoleculeConfig, PoreConfig, SimulateConfig, SquiggleConfig
from poreconv.evaluation.baselines.ttest import detect
from poreconv.evaluation.metrics import BoundaryMetric
from poreconv.models.networks.network import Network
from poreconv.simulate.squiggle import simulate

madness = functions_of("03_dense_is_madness")
hand = functions_of("04_convolve_by_hand")
digits = functions_of("05_backpropagate_by_hand")

COUNTS = np.array([[0, 22, 0, 1], [12, 2, 3, 23], [3, 34, 26, 2], [0, 22, 86, 3], [4, 3, 1, 4]])
"""The lecture's matrix."""

small = st.integers(-9, 9)
traces = arrays(np.int64, st.integers(5, 30), elements=small)
tables = arrays(np.int64, st.tuples(st.integers(2, 8), st.integers(2, 8)), elements=small)


@pytest.fixture(autouse=True)
def same_numbers() -> Iterator[None]:
    """Every test starts from the same random numbers."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        yield


@pytest.fixture(scope="module")
def at_home() -> dict[str, Network]:
    """Give `heartbeat` and `dense`, trained on beats that all lie between samples 20 and 80 of 400."""
    with torch.random.fork_rng():
        networks: dict[str, Network] = madness.both()
        for network in networks.values():
            madness.fit(network, *madness.moved(0, reads=300, seed=1), steps=100)
    return networks


def score(network: nn.Module, by: int) -> tuple[float, float]:
    """Accuracy and F1 of beats, on traces whose beats are moved by so many samples from where training had them."""
    x_B1T, y_BT = madness.moved(by, reads=50, seed=5)
    found = madness.found_by(network, x_B1T)
    return madness.accuracy(found, y_BT == 1), madness.f1(found, y_BT == 1)


def as_torch(table: np.ndarray) -> Tensor:
    """A trace or a table as a batch of one, with one channel."""
    return torch.from_numpy(table.astype(np.float64))[None, None]


def test_dense_needs_a_hundred_times_the_weights(at_home: dict[str, Network]) -> None:
    """Point 2: one label per sample costs a dense network at least a hundred times what it costs a convolution."""
    assert at_home["dense"].n_parameters >= 100 * at_home["heartbeat"].n_parameters


@pytest.mark.parametrize("by", [80, 160, 300])
def test_convolution_wins_where_training_had_no_beat(at_home: dict[str, Network], by: int) -> None:
    """Point 2: on beats at places that training never had, the convolution is better by both measures."""
    convolution, dense = score(at_home["heartbeat"], by), score(at_home["dense"], by)

    assert convolution[0] > 0.97 > dense[0]
    assert convolution[1] > 0.8
    assert dense[1] < 0.1


def test_dense_is_as_good_at_home(at_home: dict[str, Network]) -> None:
    """Point 2: it is the places that dense fails at, not the beats."""
    assert score(at_home["dense"], 0)[1] > 0.8


@pytest.mark.parametrize("place", range(8))
def test_three_numbers_find_a_beat_at_any_place(place: int) -> None:
    """Point 3: a kernel (1, 1, 1) set by hand writes the label, wherever the beat stands."""
    x, y = np.zeros(10, int), np.zeros(10, int)
    x[place : place + 3], y[place : place + 3] = (4, 6, 4), 1
    found = hand.convolve(np.pad(x, 1), np.array([1, 1, 1])) > 8

    np.testing.assert_array_equal(found, y == 1)


@pytest.mark.parametrize("by", [0, 80, 300])
def test_twenty_weights_by_hand_find_beats_in_noise(by: int) -> None:
    """Point 3: the network `heartbeat` needs no training to find most of a beat, at any place."""
    network = hand.by_hand(pool=3, threshold=1.5)

    assert network.n_parameters == 20
    assert score(network, by)[1] > 0.65


@settings(deadline=None, max_examples=30)
@given(traces, arrays(np.int64, 3, elements=small))
def test_convolution_by_hand_is_the_library_s(x: np.ndarray, kernel: np.ndarray) -> None:
    """Point 3: multiply, add, move on by one; torch does the same."""
    theirs = functional.conv1d(as_torch(x), as_torch(kernel))[0, 0]

    np.testing.assert_array_equal(hand.convolve(x, kernel), theirs)


@settings(deadline=None, max_examples=30)
@given(tables, arrays(np.int64, (2, 2), elements=small))
def test_convolution_in_two_dimensions_is_the_library_s(x: np.ndarray, kernel: np.ndarray) -> None:
    """Point 4: the same with a kernel of 2 x 2, stride 1."""
    theirs = functional.conv2d(as_torch(x), as_torch(kernel))[0, 0]

    np.testing.assert_array_equal(hand.convolve(x, kernel), theirs)


def test_kernel_of_ones_sums_neighbourhoods_of_the_lecture_s_counts() -> None:
    """Point 4: 5 x 4 counts have 4 x 3 neighbourhoods."""
    sums = hand.convolve(COUNTS, np.ones((2, 2), int))

    assert sums.tolist() == [[36, 27, 27], [51, 65, 54], [59, 168, 117], [29, 112, 94]]


def test_max_pooling_of_the_lecture_s_counts() -> None:
    """Point 5: the maximum of each 2 x 2; the lecture's table has 26 for the 34 amid its second row, a slip."""
    expected = [[22, 22, 23], [34, 34, 26], [34, 86, 86], [22, 86, 86]]

    assert functional.max_pool2d(as_torch(COUNTS), 2, stride=1)[0, 0].tolist() == expected
    assert hand.pool(COUNTS, np.max).tolist() == expected


@settings(deadline=None, max_examples=30)
@given(tables)
def test_average_pooling_is_a_convolution_that_nobody_trains(x: np.ndarray) -> None:
    """Point 6: the mean of each 2 x 2, by hand, by torch, and as a kernel of quarters."""
    theirs = functional.avg_pool2d(as_torch(x), 2, stride=1)[0, 0]

    np.testing.assert_allclose(hand.pool(x, np.mean), theirs)
    np.testing.assert_allclose(hand.convolve(x, np.full((2, 2), 0.25)), theirs)


def test_kernels_of_a_layer_respond_to_different_features(at_home: dict[str, Network]) -> None:
    """Point 7: of eight trained kernels, some answer most to a rise, others to a fall."""
    rise, fall = torch.tensor([-1.0, 0.0, 1.0]), torch.tensor([1.0, 0.0, -1.0])
    kernels_C3 = at_home["heartbeat"].features[0].weight[:, 0]
    prefers_rise = kernels_C3 @ rise > kernels_C3 @ fall

    assert 0 < prefers_rise.sum() < len(prefers_rise)


@pytest.mark.parametrize("seed", range(3))
def test_backpropagation_by_hand_is_autograd_s(seed: int) -> None:
    """Point 11: four lines of numpy give the gradients of all weights of a dense network."""
    rng = np.random.default_rng(seed)
    x, label = rng.normal(size=(20, 64)), rng.integers(0, 10, 20)
    weights = digits.make_weights(seed=seed)
    w1, b1, w2, b2 = theirs = [torch.tensor(array, requires_grad=True) for array in weights]
    scores = torch.relu(torch.tensor(x) @ w1 + b1) @ w2 + b2
    functional.cross_entropy(scores, torch.tensor(label)).backward()

    for mine, tensor in zip(digits.backward(x, label, weights), theirs, strict=True):
        np.testing.assert_allclose(mine, tensor.grad, atol=1e-14)


def test_convolutional_network_reads_digits() -> None:
    """Point 11: a few lines from data to a fitted model, which reads digits that it has not seen."""
    images, labels = digits.load_digits(return_X_y=True)
    x, y = torch.tensor(images, dtype=torch.float32).reshape(-1, 1, 8, 8) / 16, torch.tensor(labels)
    network = digits.convolutional()
    digits.fit(network, x[360:], y[360:], steps=200)
    right = network(x[:360]).argmax(1) == y[:360]

    assert right.float().mean() > 0.9


def test_squiggle_becomes_labels() -> None:
    """Point 12: a network that comes with poreconv finds where bases begin, better than a test for steps does."""
    pore = SquiggleConfig(pore=PoreConfig(pore_model=Path("dna_r9.4.1")), molecule=MoleculeConfig(bases_mean=400))
    labeller = poreconv.load("dna_r9.4.1_boundary")
    network, steps = BoundaryMetric(), BoundaryMetric()
    for read, events, _ in simulate(SimulateConfig(reads=2, seed=1), pore):
        network.update(events.start, labeller(read).start)
        steps.update(events.start, detect(read, labeller.recipe).start)

    assert network.compute()["f1_1"] > 0.65 > steps.compute()["f1_1"]
