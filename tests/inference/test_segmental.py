from itertools import groupby, pairwise, product

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from numpy.typing import NDArray

from poreconv.config import DecodeConfig
from poreconv.errors import ConfigError
from poreconv.events.tasks import task_named
from poreconv.inference.decoding.decoder import decoder_of
from poreconv.inference.decoding.segmental import StretchRules
from poreconv.inference.decoding.stretches import LEAST
from tests.support.models import recipe_for

CLASSES = ("transcript", "polya", "adapter")
"""Not in the signal's order."""
ORDERED = DecodeConfig(method="ordered", order=("adapter", "polya", "transcript"))


def stretches_of(labels: tuple[int, ...]) -> list[tuple[int, int]]:
    """Class and length of each stretch."""
    return [(label, len(list(same))) for label, same in groupby(labels)]


@st.composite
def problems(draw: st.DrawFn) -> tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.bool_]]:
    """Whole numbers, so that sums are exact and splits are often equally good; classes in order, or in any."""
    n_classes, n_samples = draw(st.integers(1, 3)), draw(st.integers(1, 7))
    flat = draw(st.lists(st.integers(-4, 0), min_size=n_classes * n_samples, max_size=n_classes * n_samples))
    least = draw(st.lists(st.integers(1, 4), min_size=n_classes, max_size=n_classes))
    any_order = ~np.eye(n_classes, dtype=bool)
    follows = np.triu(any_order) if draw(st.booleans()) else any_order
    return np.array(flat, np.float64).reshape(n_classes, n_samples), np.array(least), follows


@settings(deadline=None)  # the first call compiles
@given(problems())
def test_the_split_is_the_best_of_all(
    problem: tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.bool_]],
) -> None:
    """As trying all of them finds; no stretch is shorter than allowed, unless the read is shorter than any."""
    gain_CT, least_C, follows_CC = problem
    n_classes, n_samples = gain_CT.shape
    possible = [
        labels
        for labels in product(range(n_classes), repeat=n_samples)
        if all(n >= least_C[label] for label, n in stretches_of(labels))
        and all(follows_CC[one, other] for (one, _), (other, _) in pairwise(stretches_of(labels)))
    ] or [(label,) * n_samples for label in range(n_classes)]
    chosen = StretchRules(least_C, follows_CC).best(gain_CT)

    assert tuple(chosen) in possible
    assert gain_CT[chosen, range(n_samples)].sum() == max(
        gain_CT[list(labels), range(n_samples)].sum() for labels in possible
    )


def test_a_sliver_belongs_to_its_neighbours() -> None:
    """A stretch shorter than its class allows is none; without a limit it is one."""
    p_CT = np.array([[0.9] * 20 + [0.2] * 3 + [0.9] * 20 + [0.1] * 9], np.float32)
    p_CT = np.concatenate([p_CT, 1 - p_CT])
    limited, free = (
        decoder_of(task_named("segment"), ("open", "capture"), DecodeConfig(method="segmental", shortest=shortest))(
            p_CT
        )
        for shortest in ((10, 5), (1, 1))
    )

    assert (limited.start.tolist(), limited.label.tolist()) == ([0, 43], [0, 1])
    assert free.start.tolist() == [0, 20, 23, 43]


def test_a_read_may_be_shorter_than_all_stretches() -> None:
    """It then is one of them."""
    config = DecodeConfig(method="segmental", shortest=(10, 10))

    assert decoder_of(task_named("segment"), ("a", "b"), config)(np.array([[0.4], [0.6]], np.float32)).label == [1]


def test_each_class_comes_once_and_in_its_order() -> None:
    """An adapter in the transcript is none, and neither is a gap in the tail; scores are means of what was chosen."""
    likely = [2, 2, 1, 2, 1, 1, 0, 2, 0, 0]
    p_CT = np.array([[0.8 if name == one else 0.1 for name in likely] for one in range(3)], np.float32)
    events = decoder_of(task_named("segment"), CLASSES, ORDERED)(p_CT)

    assert [CLASSES[i] for i in events.label] == ["adapter", "polya", "transcript"]
    assert events.start.tolist() == [0, 2, 6]
    assert events.end.tolist() == [2, 6, 10]
    assert events.score.tolist() == pytest.approx([0.8, (3 * 0.8 + 0.1) / 4, (3 * 0.8 + 0.1) / 4])


def test_a_class_can_be_missing() -> None:
    """A read without a tail has none; an empty one has nothing."""
    p_CT = np.array([[0.1, 0.1, 0.8], [0.1, 0.1, 0.1], [0.8, 0.8, 0.1]], np.float32)

    assert [CLASSES[i] for i in decoder_of(task_named("segment"), CLASSES, ORDERED)(p_CT).label] == [
        "adapter",
        "transcript",
    ]
    assert len(decoder_of(task_named("segment"), CLASSES, ORDERED)(p_CT[:, :0])) == 0


@given(st.integers(0, 2**32 - 1))
def test_what_is_ordered_already_stays(seed: int) -> None:
    """Where the likeliest classes are in order, the best split is theirs."""
    rng = np.random.default_rng(seed)
    run = np.sort(rng.integers(0, 3, 30))
    p_CT = np.full((3, 30), 0.2, np.float32)
    p_CT[run, np.arange(30)] = 0.6
    names = ("adapter", "polya", "transcript")
    events, plain = (decoder_of(task_named("segment"), names, config)(p_CT) for config in (ORDERED, DecodeConfig()))

    assert events.start.tolist() == plain.start.tolist()
    assert events.label.tolist() == plain.label.tolist()
    assert events.score.tolist() == plain.score.tolist()


def test_one_sample_forbids_nothing() -> None:
    """A class that is impossible at one sample is only very unlikely there."""
    p_CT = np.array([[1.0] * 9 + [0.0] + [1.0] * 9, [0.0] * 9 + [1.0] + [0.0] * 9], np.float32)

    assert decoder_of(task_named("segment"), ("a", "b"), DecodeConfig(method="ordered", order=("a", "b")))(
        p_CT
    ).label.tolist() == [0]
    assert 0 < LEAST < 1e-3


def test_an_order_belongs_to_its_method_and_its_classes() -> None:
    """A recipe whose decoding cannot be done is none."""
    with pytest.raises(ConfigError, match="needed by method ordered, and only by it"):
        DecodeConfig(method="ordered")
    with pytest.raises(ConfigError, match="names no classes of the model"):
        recipe_for("tcn", decoding=ORDERED)


def test_each_class_has_a_shortest_length_or_none_has() -> None:
    """A decoder cannot be made of some."""
    with pytest.raises(ConfigError, match="2 numbers for 3 classes"):
        decoder_of(task_named("segment"), CLASSES, DecodeConfig(method="segmental", shortest=(1, 2)))
    with pytest.raises(ConfigError, match="must be positive"):
        DecodeConfig(method="segmental", shortest=(0, 2))
