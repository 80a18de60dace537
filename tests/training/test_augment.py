import numpy as np
import pytest
from hypothesis import given, strategies as st
from numpy.typing import NDArray

from poreconv.config import BOUNDARY, IGNORE, AugmentConfig
from poreconv.events.events import Events
from poreconv.events.tasks import TASKS, task_named
from poreconv.training.augment import augment, source_samples, stretch

DURATIONS = st.lists(st.integers(1, 12), min_size=2, max_size=15)
SPEEDS = st.integers(20, 51).map(lambda n: n / 32)
"""Exact in binary, so that a place between two samples is where the test thinks it is."""


def step_windows(durations: list[int], task: str, copies: int = 1) -> tuple[NDArray[np.float32], NDArray[np.int8]]:
    """Give windows that rise by one with every event, and their targets."""
    edges = np.cumsum([0, *durations])
    events = Events.of(edges[:-1], edges[1:], label=np.arange(len(durations)) % 2, classes=("even", "odd"))
    stairs = np.repeat(np.arange(len(durations), dtype=np.float32), durations)
    return np.tile(stairs, (copies, 1)), np.tile(task_named(task).target(events, len(stairs)), (copies, 1))


@pytest.mark.parametrize("task", TASKS)
@given(DURATIONS)
def test_a_stretch_by_one_changes_nothing(task: str, durations: list[int]) -> None:
    """Neither the signal nor the labels."""
    x_BS, y_BS = step_windows(durations, task, 2)
    x_BT, y_BT = stretch(x_BS, y_BS, np.ones(2), x_BS.shape[1], task_named(task))

    np.testing.assert_array_equal(x_BT, x_BS)
    np.testing.assert_array_equal(y_BT, y_BS)


@given(DURATIONS, SPEEDS)
def test_boundaries_stay_at_the_steps(durations: list[int], speed: float) -> None:
    """In a stretched staircase the first sample that is nearer to a stair than to the one before is its boundary."""
    x_BS, y_BS = step_windows(durations, "boundary")
    length = int((x_BS.shape[1] - 1) / speed) + 1
    x_BT, y_BT = stretch(x_BS, y_BS, np.array([speed]), length, task_named("boundary"))
    stair_T = np.floor(x_BT[0] + 0.5)
    first_of_stair = np.flatnonzero(np.diff(stair_T, prepend=-1) > 0)

    np.testing.assert_array_equal(np.flatnonzero(y_BT[0] == BOUNDARY), first_of_stair)


@given(st.lists(st.integers(4, 12), min_size=2, max_size=15), SPEEDS)
def test_no_boundary_is_lost_unless_two_collide(durations: list[int], speed: float) -> None:
    """Events longer than the speed keep one boundary each."""
    x_BS, y_BS = step_windows(durations, "boundary")
    length = int((x_BS.shape[1] - 1) / speed) + 1
    _, y_BT = stretch(x_BS, y_BS, np.array([speed]), length, task_named("boundary"))

    assert (y_BT == BOUNDARY).sum() == len(durations)


def test_boundaries_that_fall_together_become_one() -> None:
    """At double speed, events of one sample are half as many."""
    x_BS, y_BS = step_windows([1] * 8, "boundary")
    _, y_BT = stretch(x_BS, y_BS, np.array([2.0]), 4, task_named("boundary"))

    assert y_BT.tolist() == [[BOUNDARY] * 4]


@given(DURATIONS, SPEEDS)
def test_classes_move_with_the_signal(durations: list[int], speed: float) -> None:
    """A sample between two stairs belongs to the nearer one."""
    x_BS, y_BS = step_windows(durations, "segment")
    length = int((x_BS.shape[1] - 1) / speed) + 1
    x_BT, y_BT = stretch(x_BS, y_BS, np.array([speed]), length, task_named("segment"))

    np.testing.assert_array_equal(y_BT[0], np.floor(x_BT[0] + 0.5) % 2)


@pytest.mark.parametrize("task", TASKS)
@given(st.integers(0, 10), st.integers(11, 19), SPEEDS)
def test_the_unknown_stays_unknown(task: str, first: int, end: int, speed: float) -> None:
    """No label appears where there was none, none vanishes where there was one."""
    x_BS, y_BS = step_windows([4] * 6, task)
    y_BS[:, first:end] = IGNORE
    _, y_BT = stretch(x_BS, y_BS, np.array([speed]), 12, task_named(task))
    taken = (np.arange(12) * speed + 0.5).astype(int)

    np.testing.assert_array_equal(y_BT[0] == IGNORE, (taken >= first) & (taken < end))


def test_each_window_has_its_own_speed() -> None:
    """Slow and fast in one batch are as each alone."""
    x_BS, y_BS = step_windows([5] * 8, "boundary", 2)
    speeds = np.array([0.8, 1.2])
    x_BT, y_BT = stretch(x_BS, y_BS, speeds, 30, task_named("boundary"))
    alone = [stretch(x_BS[i : i + 1], y_BS[i : i + 1], speeds[i : i + 1], 30, task_named("boundary")) for i in range(2)]

    np.testing.assert_array_equal(x_BT, np.concatenate([x for x, _ in alone]))
    np.testing.assert_array_equal(y_BT, np.concatenate([y for _, y in alone]))


@given(st.integers(1, 3000), st.floats(0, 0.5))
def test_the_source_suffices_at_the_highest_speed(length: int, largest: float) -> None:
    """The last sample of a window never lies beyond what was read."""
    read = source_samples(length, AugmentConfig(stretch=largest))

    assert (length - 1) * (1 + largest) <= read - 1 + 1e-6
    assert read == length or largest > 0


@pytest.mark.parametrize("task", TASKS)
def test_without_settings_nothing_changes(task: str) -> None:
    """Augmentation is off unless asked for."""
    x_BS, y_BS = step_windows([5] * 8, task)
    x_BT, y_BT = augment(x_BS, y_BS, 40, task_named(task), AugmentConfig(), np.random.default_rng(0))

    np.testing.assert_array_equal(x_BT, x_BS)
    np.testing.assert_array_equal(y_BT, y_BS)


def test_noise_scale_and_shift_leave_labels_and_source_alone() -> None:
    """They change the signal within what was asked for, in its own type."""
    x_BS, y_BS = step_windows([5] * 8, "boundary", 64)
    before, config = x_BS.copy(), AugmentConfig(scale=0.1, shift=0.5)
    x_BT, y_BT = augment(x_BS, y_BS, 40, task_named("boundary"), config, np.random.default_rng(0))
    noisy, _ = augment(x_BS, y_BS, 40, task_named("boundary"), AugmentConfig(noise=0.2), np.random.default_rng(0))

    np.testing.assert_array_equal(y_BT, y_BS)
    np.testing.assert_array_equal(x_BS, before)
    assert (np.abs(x_BT - before) <= 0.1 * before + 0.5 + 1e-5).all()
    assert 0 < (noisy - before).std(axis=1).max() < 0.3
    assert x_BT.dtype == noisy.dtype == np.float32


def test_the_same_seed_gives_the_same_windows() -> None:
    """Chance comes from the generator alone."""
    config = AugmentConfig(noise=0.2, scale=0.1, shift=0.1, stretch=0.1)
    x_BS, y_BS = step_windows([11] * 4, "boundary", 3)
    one, other = (augment(x_BS, y_BS, 40, task_named("boundary"), config, np.random.default_rng(5)) for _ in range(2))

    assert one[0].shape == (3, 40)
    np.testing.assert_array_equal(one[0], other[0])
    np.testing.assert_array_equal(one[1], other[1])
