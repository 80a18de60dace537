import numpy as np
import pytest
from hypothesis import given, strategies as st
from numpy.typing import ArrayLike, NDArray

from poreconv.config import DecodeConfig
from poreconv.events.events import Events
from poreconv.events.tasks import task_named
from poreconv.inference.decoding.boundaries import FLOOR, BoundaryDecoder, peaks
from poreconv.inference.decoding.decoder import decoder_of
from poreconv.inference.decoding.dwell import LifeTable

BOUNDARY_CLASSES = task_named("boundary").classes(())

EVERY_8 = LifeTable()
EVERY_8.update(np.full(1000, 8), np.ones(1000, bool))
EVERY_8_HAZARDS = EVERY_8.hazards()

CLASSES = ("background", "beat", "noise")


def boundaries_in(boundary_T: ArrayLike, threshold: float = 0.5) -> Events:
    """Decode probabilities of a boundary."""
    probability_T = np.asarray(boundary_T, np.float32)
    both_CT = np.stack([1 - probability_T, probability_T])
    return decoder_of(task_named("boundary"), BOUNDARY_CLASSES, DecodeConfig(threshold=threshold))(both_CT)


def one_hot(target: NDArray[np.int8], n_classes: int) -> NDArray[np.float32]:
    """Return the probabilities of a network that is certain, shape ``(C, T)``."""
    return (target == np.arange(n_classes)[:, None]).astype(np.float32)


def test_events_reach_from_peak_to_peak() -> None:
    """Nothing before the first, the last to the read's end, each scored by its peak."""
    events = boundaries_in([0.1, 0.2, 0.9, 0.3, 0.1, 0.7, 0.2])

    assert events.start.tolist() == [2, 5]
    assert events.end.tolist() == [5, 7]
    assert events.score.tolist() == pytest.approx([0.9, 0.7])
    assert events.coverage.tolist() == [[0, 7]]
    assert events.classes == ()


def test_peaks_under_the_threshold_are_none() -> None:
    """At the threshold is enough."""
    probabilities = [0.0, 0.5, 0.0, 0.25, 0.0, 0.125, 0.0]

    assert boundaries_in(probabilities, 0.25).start.tolist() == [1, 3]
    assert len(boundaries_in(probabilities, 0.75)) == 0


def test_high_neighbours_of_a_peak_are_no_boundaries() -> None:
    """One boundary per peak, however wide."""
    assert boundaries_in([0.6, 0.8, 0.95, 0.9, 0.7]).start.tolist() == [2]


def test_a_plateau_is_one_boundary_at_its_first_sample() -> None:
    """A network that is certain of several samples in a row gives each a probability of 1."""
    assert peaks(np.array([0, 1, 1, 1, 0, 1, 1], np.float32)).tolist() == [1, 5]
    assert peaks(np.ones(4, np.float32)).tolist() == [0]


def test_both_ends_can_be_boundaries() -> None:
    """An event of one sample at the end of the read."""
    events = boundaries_in([0.9, 0.1, 0.8])

    assert events.start.tolist() == [0, 2]
    assert events.end.tolist() == [2, 3]


@pytest.mark.parametrize("task", ["boundary", "segment"])
def test_no_samples_no_events(task: str) -> None:
    """An empty read decodes to nothing."""
    assert len(decoder_of(task_named(task), BOUNDARY_CLASSES, DecodeConfig())(np.zeros((2, 0), np.float32))) == 0


def test_segments_are_stretches_of_the_likeliest_class() -> None:
    """Scored by its mean probability over the stretch; they cover the read."""
    probabilities_CT = np.array([[0.8, 0.6, 0.1, 0.3], [0.1, 0.3, 0.8, 0.6], [0.1, 0.1, 0.1, 0.1]], np.float32)
    events = decoder_of(task_named("segment"), CLASSES, DecodeConfig())(probabilities_CT)

    assert events.start.tolist() == [0, 2]
    assert events.end.tolist() == [2, 4]
    assert events.label.tolist() == [0, 1]
    assert events.score.tolist() == pytest.approx([0.7, 0.7])
    assert events.classes == CLASSES


@given(st.lists(st.integers(2, 12), min_size=1, max_size=25))
def test_decoding_recovers_encoded_boundaries(durations: list[int]) -> None:
    """The probabilities of a network that is always right decode to the truth."""
    edges = np.cumsum([0, *durations])
    target = task_named("boundary").target(Events.of(edges[:-1], edges[1:]), int(edges[-1]))
    events = boundaries_in(target)

    np.testing.assert_array_equal(events.start, edges[:-1])
    np.testing.assert_array_equal(events.end, edges[1:])


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(1, 9)), min_size=1, max_size=20))
def test_decoding_recovers_encoded_segments(steps: list[tuple[int, int]]) -> None:
    """Encode, be sure, decode, encode: the same target."""
    target = np.repeat([label for label, _ in steps], [n for _, n in steps]).astype(np.int8)
    events = decoder_of(task_named("segment"), CLASSES, DecodeConfig())(one_hot(target, 3))

    np.testing.assert_array_equal(task_named("segment").target(events, len(target)), target)
    assert (events.score == 1).all()


@given(st.lists(st.floats(0, 1, width=16), max_size=40), st.sampled_from([0.25, 0.5, 0.75]))
def test_every_event_begins_at_a_local_maximum(probabilities: list[float], threshold: float) -> None:
    """Whatever the probabilities, events are valid, disjoint and reach to the end."""
    events = boundaries_in(probabilities, threshold)

    assert (events.score >= threshold).all()
    assert events.end[:-1].tolist() == events.start[1:].tolist()
    assert all(probabilities[s] == max(probabilities[max(s - 1, 0) : s + 2]) for s in events.start)


def segmental(probabilities: ArrayLike, threshold: float = 0.5, weight: float = 1.0) -> list[int]:
    """Choose boundaries of a molecule whose events last 8 samples."""
    config = DecodeConfig(threshold, "segmental", weight, EVERY_8_HAZARDS)
    return BoundaryDecoder((), config).boundaries(np.asarray(probabilities, np.float32)).tolist()


def test_a_peak_too_near_is_dropped() -> None:
    """Of three peaks the one in the middle of an event goes, though it would pass by itself."""
    probability_T = np.zeros(30)
    probability_T[[4, 8, 12, 20]] = [0.9, 0.6, 0.9, 0.9]

    assert segmental(probability_T, weight=0.0) == [4, 8, 12, 20]
    assert segmental(probability_T) == [4, 12, 20]


def test_a_low_peak_in_the_right_place_is_taken() -> None:
    """A peak that would not pass by itself is a boundary where one is due."""
    probability_T = np.zeros(30)
    probability_T[[4, 12, 20]] = [0.9, 0.3, 0.9]

    assert segmental(probability_T, weight=0.0) == [4, 20]
    assert segmental(probability_T) == [4, 12, 20]


def test_doubt_about_the_exact_place_is_no_doubt_about_the_boundary() -> None:
    """A network that is undecided between two neighbouring samples is certain that there is a boundary."""
    assert segmental([0.0, 0.1, 0.45, 0.4, 0.0, 0.0], weight=0.0) == [2]
    assert boundaries_in([0.0, 0.1, 0.45, 0.4, 0.0, 0.0]).start.tolist() == []


@given(st.lists(st.floats(0, 1, width=16), max_size=60), st.sampled_from([0.0, 0.5, 2.0]))
def test_segmental_boundaries_are_peaks(probabilities: list[float], weight: float) -> None:
    """Ascending, each a peak with some probability near it, and scored by the probability there."""
    p_T = np.array(probabilities, np.float32)
    config = DecodeConfig(0.4, "segmental", weight, EVERY_8_HAZARDS)
    events = decoder_of(task_named("boundary"), BOUNDARY_CLASSES, config)(np.stack([1 - p_T, p_T]))

    assert set(events.start.tolist()) <= set(peaks(p_T).tolist())
    assert all(p_T[max(s - 1, 0) : s + 2].sum() >= FLOOR for s in events.start)
    assert np.array_equal(events.score, p_T[events.start])
    assert events.end[:-1].tolist() == events.start[1:].tolist()
