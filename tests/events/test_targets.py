import numpy as np
import pytest
from hypothesis import given, strategies as st
from numpy.typing import NDArray

from poreconv.config import IGNORE
from poreconv.errors import ConfigError
from poreconv.events.events import Events
from poreconv.events.targets import BASES, boundaries, stretch_events
from poreconv.events.tasks import task_named
from poreconv.events.tasks.classes import MOST_CLASSES

TARGETS = st.lists(st.tuples(st.integers(IGNORE, 3), st.integers(1, 6)), max_size=15).map(
    lambda steps: np.repeat([label for label, _ in steps], [n for _, n in steps]).astype(np.int8)
)
"""Targets of stretches of four classes, with unknown gaps between them."""


def test_a_heartbeat_is_a_segment() -> None:
    """The lecture's label: y = [0 0 0 1 1 1 0 0 0 0]."""
    events = Events.of([0, 3, 6], [3, 6, 10], label=[0, 1, 0], classes=["background", "beat"])

    assert task_named("segment").target(events, 10).tolist() == [0, 0, 0, 1, 1, 1, 0, 0, 0, 0]


def test_a_beat_without_an_outside_leaves_the_rest_unknown() -> None:
    """A label of the beat alone does not cover the samples around it."""
    beat = Events.of([3], [6], classes=["beat"])

    assert task_named("segment").target(beat, 10).tolist() == [-1, -1, -1, 0, 0, 0, -1, -1, -1, -1]
    assert task_named("boundary").target(beat, 10).tolist() == [-1, -1, -1, 1, 0, 0, -1, -1, -1, -1]


def test_boundaries_are_first_samples_also_the_first_covered_one() -> None:
    """Also for events of one sample; the end of the last event is no boundary."""
    events = Events.of([2, 4, 5], [4, 5, 8])

    assert task_named("boundary").target(events, 9).tolist() == [-1, -1, 1, 0, 1, 1, 0, 0, -1]


def test_covered_samples_between_events_are_no_boundaries() -> None:
    """A source may cover more than its events."""
    events = Events.of([2], [4], coverage=[[0, 6]])

    assert task_named("boundary").target(events, 8).tolist() == [0, 0, 1, 0, 0, 0, -1, -1]


@pytest.mark.parametrize("task", ["boundary", "segment", "base"])
def test_nothing_is_known_outside_the_coverage(task: str) -> None:
    """Not even where an event lies."""
    events = Events.of([0, 4], [4, 8], label=[0, 1], classes=BASES, coverage=[[0, 6]])

    assert task_named(task).target(events, 8)[6:].tolist() == [IGNORE, IGNORE]
    assert (task_named(task).target(events, 8)[:6] != IGNORE).all()


def test_a_base_without_a_name_is_unknown_and_still_has_a_boundary() -> None:
    """N has a place and no class."""
    events = Events.of([0, 2, 4], [2, 4, 6], label=[0, -1, 3], classes=BASES)

    assert task_named("base").target(events, 6).tolist() == [0, 0, -1, -1, 3, 3]
    assert task_named("boundary").target(events, 6).tolist() == [1, 0, 1, 0, 1, 0]


@pytest.mark.parametrize("task", ["boundary", "base"])
def test_stuck_events_are_ignored_their_first_sample_included(task: str) -> None:
    """Longer than allowed: all of it; just as long: none."""
    events = Events.of([0, 2, 7], [2, 7, 11], label=[0, 1, 2], classes=BASES)
    target = task_named(task).target(events, 11, longest=4)

    assert target[2:7].tolist() == [IGNORE] * 5
    assert (np.delete(target, range(2, 7)) != IGNORE).all()


def test_only_tasks_on_bases_have_stuck_events() -> None:
    """A region may have any length; 25 median dwells are 200 samples in R9.4 DNA."""
    assert task_named("boundary").longest_event(8.0) == task_named("base").longest_event(8.0) == 200
    assert task_named("segment").longest_event(8.0) == np.inf


@pytest.mark.parametrize("task", ["boundary", "segment", "base"])
def test_without_events_nothing_is_known(task: str) -> None:
    """A read without events, and a read without samples."""
    assert task_named(task).target(Events.of([], []), 3).tolist() == [IGNORE] * 3
    assert task_named(task).target(Events.of([], []), 0).tolist() == []


@given(TARGETS)
def test_stretches_are_the_inverse_of_encode(target: NDArray[np.int8]) -> None:
    """Events read from a target encode to the same target."""
    events = stretch_events(target, tuple("abcd"))

    np.testing.assert_array_equal(task_named("segment").target(events, len(target)), target)


@given(st.lists(st.integers(1, 9), min_size=1, max_size=20), st.integers(0, 5))
def test_boundaries_are_the_inverse_of_encode(durations: list[int], first: int) -> None:
    """Every start comes back, and nothing else."""
    edges = first + np.cumsum([0, *durations])
    target = task_named("boundary").target(Events.of(edges[:-1], edges[1:]), edges[-1] + 3)

    np.testing.assert_array_equal(boundaries(target), edges[:-1])


def test_neighbours_of_one_class_merge_in_stretches() -> None:
    """The bases of a homopolymer cannot be separated by class."""
    events = Events.of([0, 2, 4], [2, 4, 6], label=[0, 0, 1], classes=BASES)

    assert stretch_events(task_named("base").target(events, 6), BASES).end.tolist() == [4, 6]


def test_each_task_has_its_classes() -> None:
    """Task boundary has its own, the others have those of the source."""
    assert task_named("boundary").classes(()) == ("inside", "boundary")
    assert task_named("base").classes(BASES) == BASES
    assert task_named("segment").classes(("background", "beat")) == ("background", "beat")


@pytest.mark.parametrize(
    ("task", "classes", "message"),
    [
        ("base", (), "contain no bases; use a source with a sequence"),
        ("base", ("tail", "body"), "contain no bases"),
        ("segment", ("beat",), "two are needed; try --outside background"),
        ("segment", tuple(map(str, range(MOST_CLASSES + 1))), "128 classes, at most 127 are possible"),
        ("segment", ("background", "samples"), "'samples'"),
    ],
)
def test_a_source_that_cannot_serve_a_task_is_refused(task: str, classes: tuple[str, ...], message: str) -> None:
    """The message names a remedy."""
    with pytest.raises(ConfigError, match=message):
        task_named(task).classes(classes)
