"""The judge that needs no true labels: the judged part, equal numbers, the ratios, and the fit to known levels."""

from collections.abc import Callable
from functools import cache
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from numpy.typing import NDArray

from poreconv.config import MoleculeConfig, PoreConfig, SimulateConfig, SquiggleConfig
from poreconv.errors import ConfigError, SignalError
from poreconv.evaluation.baselines.graded import GRADED, numbered_baselines
from poreconv.evaluation.judged_part import JudgedPart
from poreconv.evaluation.known_levels import KnownLevels, best_kmers
from poreconv.evaluation.metrics.levels import LevelsMetric, variance_of
from poreconv.events.events import Events
from poreconv.events.levels import event_levels
from poreconv.pore_models.model import random_pore_model
from poreconv.reads.read import Read
from poreconv.simulate import squiggle
from tests.support.models import recipe_for

RECIPE = recipe_for("tcn")
SQUIGGLE = SquiggleConfig(
    noise_pa=1.0, drift_pa=1.0, pore=PoreConfig(k=3), molecule=MoleculeConfig(bases_mean=600, bases_min=400)
)
PORE = random_pore_model(SQUIGGLE.pore.k, SQUIGGLE.pore.pore_seed, 90, 14)


@cache
def simulated() -> list[tuple[Read, Events]]:
    """Three reads and their true events."""
    return [(made.read, made.events) for made in squiggle.simulate(SimulateConfig(reads=3, seed=7), SQUIGGLE)]


def scores_of(boundaries: Callable[[Read, Events], NDArray[np.int64]]) -> dict[str, float]:
    """Scores of boundaries, in the parts that are judged where the truth is the model's."""
    metric = LevelsMetric(with_levels=True)
    for read, true in simulated():
        levels = KnownLevels.of(read, true, PORE)
        part = JudgedPart.of(read, true, RECIPE, levels.intervals)
        cut = part.cut(boundaries(read, true))
        variance = variance_of(part.current, cut, part.n_inside(true.start), read.sample_rate_hz)
        metric.update(variance, levels.fit(event_levels(read, cut)[0], cut))
    return metric.compute()


@pytest.fixture(scope="module")
def truth() -> dict[str, float]:
    """Scores of the true boundaries."""
    return scores_of(lambda _, true: true.start)


def test_true_boundaries_fit_the_levels(truth: dict[str, float]) -> None:
    """Each k-mer has one event, and its mean is the level."""
    assert truth["correlation"] > 0.97
    assert truth["distance"] < 0.25
    assert truth["one_event"] > 0.98
    assert truth["events_per_kmer"] == pytest.approx(1, abs=0.01)


def test_shifted_boundaries_score_less(truth: dict[str, float]) -> None:
    """In both ratios and in the fit, though as many."""
    shifted = scores_of(lambda _, true: true.start + 3)

    assert shifted["number"] == pytest.approx(truth["number"], abs=0.01) == 1
    assert shifted["within_between"] > 2 * truth["within_between"]
    assert shifted["explained"] == pytest.approx(1 / (1 + shifted["within_between"]))
    assert shifted["jump_ratio"] < 0.7 * truth["jump_ratio"]
    assert shifted["correlation"] < truth["correlation"] - 0.02


def test_missed_and_superfluous_boundaries_are_counted() -> None:
    """Without every fourth boundary a fourth of the k-mers have no event; with long events halved, many have two."""
    fewer = scores_of(lambda _, true: np.delete(true.start, np.s_[2::4]))
    more = scores_of(lambda _, true: np.unique([true.start, (true.start + true.end) // 2]))

    assert fewer["skipped"] == pytest.approx(1 / 4, abs=0.02)
    assert more["one_event"] < 0.3
    assert more["skipped"] < 0.01
    assert more["number"] == pytest.approx(more["events_per_kmer"], abs=0.02)
    assert more["number"] > 1.9


@pytest.mark.parametrize("name", GRADED)
def test_baselines_find_the_number_asked_for(name: str) -> None:
    """Within one in a hundred, be it half or twice as many as there are bases."""
    find = numbered_baselines([name], RECIPE)[name]
    for read, true in simulated():
        part = JudgedPart.of(read, true, RECIPE)
        for share in (0.5, 1.0, 1.5):
            n = round(share * part.n_inside(true.start))
            found = find(read, part.spans, n)

            assert part.n_inside(found) == len(found) == pytest.approx(n, rel=0.01)


def test_a_baseline_of_ones_own_finds_what_it_finds() -> None:
    """It is not set to a number; one that cannot be set is refused by name."""
    [(read, true), *_] = simulated()
    own = numbered_baselines([lambda read: Events.of([5, 100], [100, len(read.adc)])], RECIPE)
    [find] = own.values()

    assert find(read, JudgedPart.of(read, true, RECIPE).spans, 50).tolist() == [5, 100]
    with pytest.raises(ConfigError, match="baseline of the judge levels 'majority' is not known"):
        numbered_baselines(["majority"], RECIPE)


@given(st.sets(st.integers(1, 4000), max_size=40))
@settings(max_examples=50, deadline=None)
def test_every_cut_covers_the_judged_part(places: set[int]) -> None:
    """The same samples, whatever the boundaries are; those outside do not count."""
    [(read, true), *_] = simulated()
    part = JudgedPart.of(read, true, RECIPE)
    cut = part.cut(np.array(sorted(places), np.int64))

    assert cut.duration.sum() == part.n_samples
    assert len(cut) == len(part.spans) + part.n_inside(np.array(sorted(places), np.int64))
    assert set(cut.start) - set(part.spans[:, 0]) <= places


def test_what_does_not_step_is_not_judged() -> None:
    """Open pore before, after and in the middle of a read is left out, however many boundaries a model finds there."""
    [(read, true), *_] = simulated()
    rng = np.random.default_rng(0)
    middle = int(true.start[len(true) // 2])
    open_pore = rng.normal(read.adc.max(), 3, 4000).astype(np.int16)
    adc = np.concatenate([open_pore, read.adc[:middle], open_pore, read.adc[middle:], open_pore])
    spliced = Read("r", adc, read.calibration, read.sample_rate_hz, chemistry_code="dna_r9.4.1")
    edges = np.arange(0, len(adc), 9)
    part = JudgedPart.of(spliced, Events.of(edges[:-1], edges[1:]), RECIPE)
    lost = 4000 - 2 * 356  # a window, 40 dwells, may lie half in it

    for start in (0, 4000 + middle, len(adc) - 4000):
        inside = np.clip(part.spans - start, 0, 4000)
        assert np.diff(inside).sum() < 4000 - lost
    assert part.n_samples > 0.8 * len(read.adc) - 4 * 356


def test_long_events_of_the_model_are_left_out() -> None:
    """For every method: the samples are the same."""
    [(read, true), *_] = simulated()
    gap = np.delete(true.start, np.s_[200:260])
    missed = Events.of(gap, np.append(gap[1:], true.end[-1]))
    [long] = np.flatnonzero(missed.duration > 300)
    part = JudgedPart.of(read, missed, RECIPE)

    assert not ((part.spans[:, 0] < missed.end[long]) & (part.spans[:, 1] > missed.start[long])).any()


def test_a_model_that_finds_nothing_has_nothing_to_judge() -> None:
    """The read is dropped, by a reason of its own."""
    [(read, true), *_] = simulated()
    for found in (Events.of([], []), Events.of(true.start[:5], true.end[:5])):
        with pytest.raises(SignalError, match="fewer than 10 boundaries where a molecule") as raised:
            JudgedPart.of(read, found, RECIPE)
        assert raised.value.reason == "few_events"


def test_the_variance_of_steps() -> None:
    """At the steps nothing is left within events; one boundary fewer leaves the variance of the two that it joins."""
    current = np.repeat([0, 2, 0, 2], 10).astype(np.float32)
    whole = [[0, 40]]
    at_steps = variance_of(current, Events.of([0, 10, 20, 30], [10, 20, 30, 40], coverage=whole), 3, 1.0)
    one_less = variance_of(current, Events.of([0, 10, 20], [10, 20, 40], coverage=whole), 3, 1.0)

    assert (at_steps.within, at_steps.between, at_steps.boundaries) == (0, 40, 3)
    assert (one_less.within, one_less.between, one_less.boundaries) == (20, 20, 2)
    assert at_steps.jump_at == 6


@given(st.data())
@settings(max_examples=100, deadline=None)
def test_the_best_path_is_the_best_of_all(data: st.DataObject) -> None:
    """No other assignment of events to k-mers within the bands costs less."""
    n_kmers = data.draw(st.integers(1, 5))
    numbers = st.integers(-3, 3).map(float)
    z = np.array(data.draw(st.lists(numbers, min_size=1, max_size=5)))
    level = np.array(data.draw(st.lists(numbers, min_size=n_kmers, max_size=n_kmers)))
    first = st.lists(st.integers(0, n_kmers - 1), min_size=len(z), max_size=len(z))
    low, high = (np.sort(data.draw(first)) for _ in range(2))
    low, high = np.minimum(low, high), np.maximum(low, high) + 1

    def cost(path: NDArray[np.int64]) -> float:
        step = np.diff(path)
        moves = 2.0 * (step == 0).sum() + 3.0 * np.maximum(step - 1, 0).sum()
        return float(0.5 * ((z - level[path]) ** 2).sum() + moves)

    paths = [np.array(path) for path in product(*map(range, low, high)) if (np.diff(path) >= 0).all()]
    found = best_kmers(z, level, low, high, 0.5, 2.0, 3.0)

    assert ((low <= found) & (found < high)).all()
    assert cost(found) == pytest.approx(min(map(cost, paths)))
