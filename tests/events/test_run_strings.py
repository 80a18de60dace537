"""The run-string codec: its inverses, and the strings that it refuses."""

import time

import numpy as np
import pytest
from hypothesis import given, strategies as st

from poreconv.errors import FormatError
from poreconv.events.run_strings import (
    EXTRA,
    MATCH,
    SKIPPED,
    Runs,
    base_numbers,
    decode,
    encode,
    n_bases,
    places,
    runs_of,
)

RUNS = st.lists(st.tuples(st.integers(0, 10**9 - 1), st.sampled_from([MATCH, EXTRA, SKIPPED])))
EVENTS = st.lists(st.tuples(st.integers(0, 9), st.integers(1, 500)), min_size=1)


def made(pairs: list[tuple[int, int]]) -> Runs:
    """Return runs from pairs of length and kind."""
    return Runs(np.array([n for n, _ in pairs], np.int64), np.array([kind for _, kind in pairs], np.uint8))


@given(RUNS)
def test_decode_is_the_inverse_of_encode(pairs: list[tuple[int, int]]) -> None:
    """Any runs come back from their string."""
    runs = made(pairs)
    again = decode(encode(runs))

    assert again.length.tolist() == runs.length.tolist()
    assert again.kind.tolist() == runs.kind.tolist()


@given(RUNS)
def test_encode_is_the_inverse_of_decode(pairs: list[tuple[int, int]]) -> None:
    """A string comes back from its runs, as text or bytes."""
    ss = encode(made(pairs))

    assert encode(decode(ss.encode())) == ss


@given(st.integers(0, 10**6), EVENTS)
def test_runs_of_is_the_inverse_of_places(first: int, steps: list[tuple[int, int]]) -> None:
    """Events with gaps between them come back from their runs."""
    gap, length = np.array(steps, np.int64).T
    gap[0] = 0
    end = first + np.cumsum(gap + length)
    start = end - length
    again = places(runs_of(start, end), first)

    assert np.array_equal(again[0], start)
    assert np.array_equal(again[1], end)


def test_no_events_are_no_runs() -> None:
    """No events give the empty string."""
    nothing = np.zeros(0, np.int64)

    assert encode(runs_of(nothing, nothing)) == ""


def test_the_docstrings_example_is_placed_on_the_signal() -> None:
    """A skipped base takes no sample, extra samples belong to no event."""
    start, end = places(decode("8,3,1D11,4I7,"), 100)

    assert start.tolist() == [100, 108, 111, 126]
    assert end.tolist() == [108, 111, 122, 133]


def test_skipped_bases_don_t_count_as_samples() -> None:
    """The span is that of matches and extra samples."""
    assert decode("8,3,119D11,4I7,").n_samples == 33


def test_a_match_without_samples_has_no_place() -> None:
    """Some programs write a skipped base as a match of 0."""
    start, end = places(decode("5,0,5,"), 0)

    assert start.tolist() == [0, 5]
    assert end.tolist() == [5, 10]


@pytest.mark.parametrize("ss", ["5", ",", "5,,", "5X", "-5,", "5 ,", "5,\n", "5,3é", ".", "D5,"])
def test_a_broken_string_is_a_format_error(ss: str) -> None:
    """Letters outside the grammar, numbers without a letter and letters without a number are refused."""
    with pytest.raises(FormatError, match="ss string: "):
        decode(ss)


def test_a_number_too_large_for_any_read_is_a_format_error() -> None:
    """No number in a file overflows."""
    with pytest.raises(FormatError, match="over 9 digits"):
        decode("9999999999999999999999,")


def test_the_message_of_a_long_string_is_short() -> None:
    """A message shows the start of the string and its length."""
    with pytest.raises(FormatError) as caught:
        decode("5," * 50_000 + "x")

    assert len(str(caught.value)) < 150


def test_the_time_for_a_megabyte_does_not_explode() -> None:
    """A megabyte takes some 20 ms; anything quadratic takes minutes."""
    ss = "12,3,1D11,4I" * 100_000
    begin = time.perf_counter()
    decode(ss)

    assert time.perf_counter() - begin < 2


def test_skipped_bases_are_numbered_too() -> None:
    """A match after two of them is the fourth base; a match of no samples counts, and has no place."""
    runs = decode("8,2D3,4I0,7,")

    assert base_numbers(runs).tolist() == [0, 3, 5]
    assert len(places(runs, 0)[0]) == 3
    assert n_bases(runs) == 6
