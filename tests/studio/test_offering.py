"""Which reads are offered for marking, and in which order."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, strategies as st
from numpy.typing import NDArray

from poreconv.studio.offering import doubt, offered

DOUBTS = st.dictionaries(st.text(max_size=5), st.floats(0, 2), max_size=60)


def probabilities(seed: int, sharpness: float, n_samples: int = 500) -> NDArray[np.float64]:
    """Probabilities of three classes, the surer the larger the sharpness."""
    scores = np.random.default_rng(seed).normal(0, sharpness, (3, n_samples))
    powers = np.exp(scores)
    found: NDArray[np.float64] = powers / powers.sum(axis=0)
    return found


@given(sharpness=st.floats(0, 5), seed=st.integers(0, 9))
def test_who_is_surer_has_less_doubt(sharpness: float, seed: int) -> None:
    """None where all is certain, most where every class is as likely."""
    certain, even = np.eye(3)[:, [0, 1, 1, 2]], np.full((3, 4), 1 / 3)

    assert doubt(certain) == 0
    assert doubt(probabilities(seed, sharpness + 1)) < doubt(probabilities(seed, sharpness)) <= doubt(even) + 1e-12


@given(sharpness=st.floats(0.1, 5), seed=st.integers(0, 9))
def test_two_networks_that_agree_add_nothing(sharpness: float, seed: int) -> None:
    """And those that differ add doubt, whichever was the last."""
    one, other = probabilities(seed, sharpness), probabilities(seed + 10, sharpness)

    assert doubt(one, one) == pytest.approx(doubt(one))
    assert doubt(one, other) > doubt(one)
    assert doubt(one, other) - doubt(one) == pytest.approx(doubt(other, one) - doubt(other))


def test_a_read_without_samples_has_no_doubt() -> None:
    """Nothing can be learnt from it."""
    assert doubt(np.zeros((3, 0)), np.zeros((3, 0))) == 0


@given(doubts=DOUBTS, seed=st.integers(0, 99), data=st.data())
def test_each_unmarked_read_is_offered_once(doubts: dict[str, float], seed: int, data: Any) -> None:
    """In an order that the seed alone decides, whatever order the reads were given in."""
    marked = data.draw(st.sets(st.sampled_from([*doubts, "elsewhere"])))
    order = offered(doubts, marked, seed)

    assert sorted(order) == sorted(doubts.keys() - marked)
    assert order == offered(dict(reversed(doubts.items())), sorted(marked), seed)


@given(doubts=DOUBTS, n_marked=st.integers(0, 30), seed=st.integers(0, 99))
def test_nine_of_ten_are_the_most_doubtful_left(doubts: dict[str, float], n_marked: int, seed: int) -> None:
    """The others are drawn at random; reads that were marked before count among the ten."""
    order = offered(doubts, [f"marked {number}" for number in range(n_marked)], seed)
    chosen = [doubts[read] for at, read in enumerate(order) if (n_marked + at + 1) % 10]

    assert chosen == sorted(chosen, reverse=True)


def test_every_tenth_is_drawn_from_all() -> None:
    """Over many seeds the tenth is of any doubt, the first nine are not."""
    doubts = {f"{number:03}": number / 100 for number in range(100)}
    orders = [offered(doubts, (), seed) for seed in range(200)]

    assert {order[0] for order in orders} == {"099"}
    assert 0.35 < np.mean([doubts[order[9]] for order in orders]) < 0.55


@given(doubts=DOUBTS, n_marked=st.integers(0, 30), data=st.data())
def test_reads_for_the_score_are_drawn_at_random(doubts: dict[str, float], n_marked: int, data: Any) -> None:
    """Every tenth is one of them, and they are offered nowhere else while there are others."""
    aside = data.draw(st.sets(st.sampled_from([*doubts, "elsewhere"])))
    order = offered(doubts, [f"marked {number}" for number in range(n_marked)], 0, aside)
    drawn = [read for at, read in enumerate(order) if not (n_marked + at + 1) % 10]
    n_aside, n_others = len(doubts.keys() & aside), len(doubts.keys() - aside)

    assert sorted(order) == sorted(doubts)
    assert all(read in aside for read in drawn[:n_aside])
    assert sum(read in aside for read in order[:n_others]) <= (n_others + n_marked) // 10 + 1
