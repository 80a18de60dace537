from collections.abc import Iterable

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from numpy.typing import NDArray

from poreconv.config import DecodeConfig
from poreconv.errors import ConfigError
from poreconv.events.events import Events, joined
from poreconv.events.tasks import task_named
from poreconv.inference.decoding.boundaries import LAG
from poreconv.inference.decoding.decoder import decoder_of
from tests.inference.test_decode import CLASSES, EVERY_8_HAZARDS

BOUNDARY_CLASSES = task_named("boundary").classes(())

METHODS = {
    "peaks": DecodeConfig(0.25),
    "segmental": DecodeConfig(0.25, "segmental", 0.5, EVERY_8_HAZARDS),
}


def boundary_CT(boundary_T: Iterable[float]) -> NDArray[np.float32]:
    """Probabilities of both classes."""
    probability_T = np.array([*boundary_T], np.float32)
    return np.stack([1 - probability_T, probability_T])


def in_pieces(
    probabilities_CT: NDArray[np.float32],
    cuts: Iterable[int],
    task: str,
    classes: tuple[str, ...],
    config: DecodeConfig,
) -> Events:
    """Decode pieces that begin at these samples."""
    decoder = decoder_of(task_named(task), classes, config).online()
    *pieces, rest = np.split(probabilities_CT, sorted(cuts), axis=1)
    parts = [decoder.push(piece, last=False) for piece in pieces]
    return joined([*parts, decoder.push(rest, last=True)])


def assert_same(found: Events, expected: Events) -> None:
    """All but the last digit of the scores."""
    for name in ("start", "end", "label", "coverage"):
        np.testing.assert_array_equal(getattr(found, name), getattr(expected, name))
    np.testing.assert_allclose(found.score, expected.score, rtol=1e-6)


PROBABILITIES = st.lists(st.floats(0, 1, width=16), min_size=1, max_size=80)
CUTS = st.lists(st.integers(0, 80), max_size=8)


@pytest.mark.parametrize("method", METHODS)
@settings(deadline=None)  # numba compiles at the first call
@given(PROBABILITIES, CUTS)
def test_boundaries_do_not_depend_on_the_pieces(method: str, probabilities: list[float], cuts: list[int]) -> None:
    """However the probabilities come, the events are those of the whole read."""
    p_CT = boundary_CT(probabilities)
    found = in_pieces(p_CT, cuts, "boundary", BOUNDARY_CLASSES, METHODS[method])

    assert_same(found, decoder_of(task_named("boundary"), BOUNDARY_CLASSES, METHODS[method])(p_CT))


@given(st.lists(st.integers(0, 2), min_size=1, max_size=60), CUTS)
def test_runs_do_not_depend_on_the_pieces(labels: list[int], cuts: list[int]) -> None:
    """A run that is cut is given when it ends, whole."""
    p_CT = np.random.default_rng(0).dirichlet([1, 1, 1], len(labels)).T.astype(np.float32)
    p_CT[labels, np.arange(len(labels))] += 1

    assert_same(
        in_pieces(p_CT, cuts, "base", CLASSES, DecodeConfig()),
        decoder_of(task_named("base"), CLASSES, DecodeConfig())(p_CT),
    )


@settings(deadline=None)  # numba compiles at the first call
@given(
    st.lists(st.tuples(st.integers(0, 2), st.integers(1, 6)), min_size=1, max_size=12),
    st.tuples(*[st.integers(1, 6)] * 3),
    CUTS,
    st.integers(0, 2**32 - 1),
)
def test_segments_do_not_depend_on_the_pieces(
    made: list[tuple[int, int]], shortest: tuple[int, ...], cuts: list[int], seed: int
) -> None:
    """A sample is certain when its class does not depend on what follows, however short segments may be."""
    labels = np.repeat(*np.array(made).T)
    p_CT = np.random.default_rng(seed).dirichlet([1, 1, 1], len(labels)).T.astype(np.float32)
    p_CT[labels, np.arange(len(labels))] += 1
    config = DecodeConfig(method="segmental", shortest=shortest)

    assert_same(
        in_pieces(p_CT / 2, cuts, "segment", CLASSES, config),
        decoder_of(task_named("segment"), CLASSES, config)(p_CT / 2),
    )


def test_segments_are_certain_soon() -> None:
    """Where the classes are clear, no more waits than a few of the longest shortest segments."""
    labels = np.repeat([0, 1, 0, 2], 500)
    p_CT = np.full((3, 2000), 0.05, np.float32)
    p_CT[labels, np.arange(2000)] = 0.9
    decoder = decoder_of(
        task_named("segment"), CLASSES, DecodeConfig(method="segmental", shortest=(50, 100, 20))
    ).online()
    waits = []
    for start in range(0, 2000, 50):
        decoder.push(p_CT[:, start : start + 50], last=start == 1950)
        waits.append(start + 50 - decoder.certain)

    assert max(waits[4:]) <= 300


@pytest.mark.parametrize("seed", range(3))
def test_segmental_decides_long_before_it_must(seed: int) -> None:
    """On a molecule of 8 samples per event, nothing waits for `LAG` samples, and all is as in the whole read."""
    rng = np.random.default_rng(seed)
    p_CT = boundary_CT(np.where(rng.random(6000) < 1 / 8, rng.beta(6, 2, 6000), rng.beta(1, 30, 6000)))
    decoder = decoder_of(task_named("boundary"), BOUNDARY_CLASSES, METHODS["segmental"]).online()
    parts, waits = [], []
    for start in range(0, 6000, 50):
        parts.append(decoder.push(p_CT[:, start : start + 50], last=start == 5950))
        waits.append(start + 50 - decoder.certain)

    assert max(waits) < LAG / 4
    assert_same(joined(parts), decoder_of(task_named("boundary"), BOUNDARY_CLASSES, METHODS["segmental"])(p_CT))


def test_segmental_decides_in_the_end() -> None:
    """Where all choices stay equally good, the best so far is taken after `LAG` samples, in bounded memory."""
    decoder = decoder_of(task_named("boundary"), BOUNDARY_CLASSES, METHODS["segmental"]).online()
    unsure_CT = boundary_CT(np.tile([0.1, 0.05], 50))
    waits = []
    for n in range(1, 101):
        decoder.push(unsure_CT, last=False)
        waits.append(100 * n - decoder.certain)

    assert max(waits) <= LAG + 100


def test_a_peak_is_certain_one_sample_later() -> None:
    """The next sample may be higher; the one after it changes nothing."""
    decoder = decoder_of(task_named("boundary"), BOUNDARY_CLASSES, METHODS["peaks"]).online()
    decoder.push(boundary_CT([0, 0.9]), last=False)
    before = decoder.certain
    decoder.push(boundary_CT([0.1]), last=False)

    assert (before, decoder.certain) == (1, 2)


@pytest.mark.parametrize(
    ("task", "config", "message"),
    [
        ("read", DecodeConfig(), "gives a whole read one class"),
        ("segment", DecodeConfig(method="ordered", order=CLASSES), "a read's last sample may move the first cut"),
    ],
)
def test_what_needs_whole_reads_is_refused(task: str, config: DecodeConfig, message: str) -> None:
    """With the reason, and what to use instead."""
    with pytest.raises(ConfigError, match=message):
        decoder_of(task_named(task), CLASSES, config).online()
