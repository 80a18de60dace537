from itertools import combinations, pairwise

import numpy as np
import pytest
from hypothesis import given, strategies as st
from numpy.typing import NDArray

from poreconv.errors import ConfigError
from poreconv.inference.decoding.dwell import EDGES, LONGEST, LifeTable, best_boundaries, log_likelihood_ratios

halves = st.integers(-8, 8).map(lambda n: n / 2)
"""Numbers whose sums are exact, so that ties are ties."""


def hazards_of(*dwells: int, ended: bool = True) -> tuple[float, ...]:
    """Hazards by a table of these dwells."""
    table = LifeTable()
    table.update(np.array(dwells, np.int64), np.full(len(dwells), ended))
    return table.hazards()


def worth(chosen: tuple[int, ...], position: list[int], gain: list[float], table: list[float], beyond: float) -> float:
    """What a choice of boundaries adds up to."""
    dwells = [position[j] - position[i] for i, j in pairwise(chosen)]
    longest = len(table) - 1
    by_dwell = [table[min(dwell, longest)] + beyond * max(dwell - longest, 0) for dwell in dwells]
    return sum(gain[i] for i in chosen) + sum(by_dwell)


@given(st.data())
def test_no_choice_is_better(data: st.DataObject) -> None:
    """Of all subsets, also where dwells exceed the table, none adds up to more; none at all adds 0."""
    steps = data.draw(st.lists(st.integers(1, 5), max_size=8))
    position = np.cumsum(np.array(steps, np.int64)).tolist()
    gain = data.draw(st.lists(halves, min_size=len(steps), max_size=len(steps)))
    table, beyond = [0.0, *data.draw(st.lists(halves, min_size=1, max_size=6))], data.draw(halves)
    subsets = [chosen for n in range(len(steps) + 1) for chosen in combinations(range(len(steps)), n)]
    found = best_boundaries(np.array(position, np.int64), np.array(gain, np.float64), np.array(table), beyond)
    most = max(worth(chosen, position, gain, table, beyond) for chosen in subsets)

    assert worth(tuple(found.tolist()), position, gain, table, beyond) == most


def test_ties_are_settled() -> None:
    """Of equally good choices the one that ends first, and steps back to the nearest; 0 is not enough."""
    flat = np.zeros(9)

    assert best_boundaries(np.array([1, 3]), np.array([0.0, 0.0]), flat, 0.0).tolist() == []
    assert best_boundaries(np.array([1, 3]), np.array([1.0, 0.0]), flat, 0.0).tolist() == [0]
    assert best_boundaries(np.array([1, 3, 5]), np.array([1.0, 0.0, 1.0]), flat, 0.0).tolist() == [0, 1, 2]


def test_the_prior_is_a_distribution() -> None:
    """Probabilities of all dwells add up to 1, in the table and beyond it, and so do those it is compared with."""
    by_dwell, beyond = log_likelihood_ratios(hazards_of(*np.random.default_rng(0).geometric(0.1, 5000).tolist()))
    mean = 10.0
    geometric = np.log(1 / mean) + np.arange(LONGEST) * np.log1p(-1 / mean)

    assert np.exp(geometric + by_dwell[1:]).sum() == pytest.approx(1, abs=0.03)
    assert abs(beyond) < 0.1


def test_dwells_of_chance_tell_nothing() -> None:
    """Where each sample may end an event with the same chance, no dwell is likelier than by chance."""
    rate = tuple(0.1 for _ in EDGES)
    by_dwell, beyond = log_likelihood_ratios(rate)

    np.testing.assert_allclose(by_dwell, 0, atol=1e-9)
    assert beyond == pytest.approx(0)


def test_likelier_dwells_gain_more() -> None:
    """Where most events last 8 samples, 8 gains, 4 and 12 cost, and what was never seen costs most."""
    by_dwell, _ = log_likelihood_ratios(hazards_of(*[8] * 960, *[4] * 20, *[12] * 20))

    assert by_dwell[8] > 0 > max(by_dwell[4], by_dwell[12])
    assert min(by_dwell[4], by_dwell[12]) > max(by_dwell[2], by_dwell[6], by_dwell[10])


def test_events_without_an_end_count_as_long_as_they_were_seen() -> None:
    """Censored events lower the chance to end, and nothing else."""
    table = LifeTable()
    table.update(np.array([3, 3, 5]), np.array([True, True, False]))
    both = table.hazards()
    only = hazards_of(3, 3)

    assert both[0] < only[0]
    assert both[2] == pytest.approx(only[2], rel=0.5)
    assert all(0 < hazard < 1 for hazard in both)


def test_a_table_without_events_is_usable() -> None:
    """With nothing to learn from, all bins are alike."""
    assert len(set(LifeTable().hazards())) == 1
    assert len(LifeTable().hazards()) == len(EDGES)


def test_hazards_of_other_bins_are_refused() -> None:
    """A recipe with other bins than this version's ends in an error."""
    with pytest.raises(ConfigError, match=r"dwell_hazards: 2 bins, not"):
        log_likelihood_ratios((0.1, 0.2))


def test_long_gaps_are_possible() -> None:
    """Far beyond the table, dwells have a price, which is finite."""
    by_dwell, beyond = log_likelihood_ratios(hazards_of(*[9] * 100))
    far: NDArray[np.int64] = np.array([10, 10 + 50 * LONGEST])

    assert best_boundaries(far, np.array([1e6, 1e6]), by_dwell, beyond).tolist() == [0, 1]
