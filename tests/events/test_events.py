import sys

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, strategies as st
from numpy.typing import NDArray

from poreconv.errors import ConfigError
from poreconv.events.events import Events, union

INTERVALS = st.lists(st.tuples(st.integers(0, 60), st.integers(0, 12)).map(lambda p: (p[0], p[0] + p[1])), max_size=12)


def covered(intervals: NDArray[np.int64]) -> set[int]:
    """Return the samples that intervals contain."""
    return {sample for start, end in intervals for sample in range(start, end)}


@given(INTERVALS)
def test_union_holds_the_same_samples(intervals: list[tuple[int, int]]) -> None:
    """Merging neither gains nor loses a sample; the result is ascending, disjoint and not touching."""
    given_ = np.array(intervals, np.int64).reshape(-1, 2)
    merged = union(given_)

    assert covered(merged) == covered(given_)
    assert (merged[:, 1] > merged[:, 0]).all()
    assert (merged[1:, 0] > merged[:-1, 1]).all()


@given(INTERVALS)
def test_union_twice_is_union_once(intervals: list[tuple[int, int]]) -> None:
    """Merged intervals stay as they are, in whatever order they come."""
    merged = union(np.array(intervals, np.int64).reshape(-1, 2))

    np.testing.assert_array_equal(union(merged[::-1]), merged)


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(1, 9)), max_size=20))
def test_coverage_is_the_union_of_the_events(steps: list[tuple[int, int]]) -> None:
    """Without a coverage of its own, a source covers only the samples of its events."""
    edges = np.cumsum(np.array(steps, np.int64).reshape(-1, 2).ravel()).reshape(-1, 2)
    events = Events.of(edges[:, 0], edges[:, 1])

    assert len(events) == len(steps)
    assert covered(events.coverage) == covered(edges)
    assert events.duration.sum() == len(covered(edges))


@pytest.mark.parametrize(
    ("start", "end"),
    [([5], [5]), ([5], [4]), ([-1], [4]), ([5, 0], [9, 3]), ([0, 4], [5, 9]), ([0, 5], [5])],
)
def test_invalid_intervals_are_refused(start: list[int], end: list[int]) -> None:
    """Empty, reversed, negative, unordered and overlapping intervals, and arrays of unequal length, are no events."""
    with pytest.raises(ConfigError):
        Events.of(start, end)


def test_a_class_out_of_range_is_refused() -> None:
    """A class index must have a name; -1 means that the class is not known."""
    assert Events.of([0], [5], label=[-1], classes=("a",)).label.tolist() == [-1]
    with pytest.raises(ConfigError, match="class index"):
        Events.of([0], [5], label=[1], classes=("a",))


def test_the_only_class_needs_no_label() -> None:
    """With one class, every event has it; with none, only the places are known."""
    assert Events.of([0, 5], [5, 9], classes=("beat",)).label.tolist() == [0, 0]
    assert Events.of([0, 5], [5, 9]).label.tolist() == [-1, -1]


def test_no_events_is_a_label_too() -> None:
    """A read that is known to contain nothing has a coverage and no events."""
    events = Events.of([], [], classes=("beat",), coverage=[[0, 100]])

    assert len(events) == 0
    assert events.coverage.tolist() == [[0, 100]]


def test_events_become_a_table() -> None:
    """One row per event, with the name of its class, as an Arrow table and as a data frame."""
    events = Events.of([0, 5, 9], [5, 9, 20], label=[1, -1, 0], classes=("tail", "adapter"), score=[0.5, 1, 0.25])
    table = events.to_arrow()
    expected = {
        "start": [0, 5, 9], "end": [5, 9, 20], "label": ["adapter", "event", "tail"], "score": [0.5, 1.0, 0.25],
    }  # fmt: skip

    assert table.to_pydict() == expected
    pd.testing.assert_frame_equal(events.to_pandas(), pd.DataFrame(expected), check_dtype=False)


def test_values_of_events_are_in_the_table() -> None:
    """Where one is not known it is null; events without values have no such column."""
    events = Events.of([0, 5], [5, 9], value=[0.5, np.nan])

    assert events.to_arrow()["value"].to_pylist() == [0.5, None]
    assert list(Events.of([], []).to_pandas().columns) == ["start", "end", "label", "score"]


def test_a_data_frame_needs_pandas(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without it, one line names what to install."""
    monkeypatch.setitem(sys.modules, "pandas", None)

    with pytest.raises(ConfigError, match=r"^to_pandas: pandas is not installed; pip install 'poreconv\[pandas\]'$"):
        Events.of([0], [5]).to_pandas()
