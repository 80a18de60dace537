from typing import Any

import numpy as np
import pytest
from hypothesis import given, strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from poreconv.errors import ConfigError, PoreconvError, SignalError
from poreconv.events.events import Events
from poreconv.events.levels import event_levels
from poreconv.reads.read import Calibration, Read
from poreconv.reads.resampling import resample_read
from poreconv.reads.scaling import normalise_read, read_scale
from tests.support.signal_files import reads_made

WIDTHS = st.sampled_from([np.float16, np.float32, np.float64])


def in_pa(read: Read) -> Read:
    """The same read, whose samples are pA."""
    return Read.from_array(read.pa, read.sample_rate_hz)


def test_the_current_of_a_read_is_in_pa() -> None:
    """Counts plus offset, times scale, in single precision."""
    [read] = reads_made(1)
    expected = (read.adc + 10.0) * (1437.5 / 8192)

    assert (read.pa.dtype, read.pa.shape) == (np.float32, read.adc.shape)
    np.testing.assert_array_equal(read.pa, expected.astype(np.float32))


@given(arrays(np.int16, st.integers(1, 50)), st.sampled_from([np.int16, np.int32, np.int64, ">i2"]))
def test_whole_numbers_are_counts(adc: NDArray[np.int16], width: Any) -> None:
    """Whatever their width, if they fit."""
    calibration = Calibration(offset=3.0, scale=0.5)
    read = Read.from_array(adc.astype(width), 4000, calibration=calibration)

    assert read.adc.dtype == np.int16
    np.testing.assert_array_equal(read.adc, adc)
    np.testing.assert_array_equal(read.pa, calibration.to_pa(adc))


@given(WIDTHS, st.data())
def test_other_numbers_are_pa(width: Any, data: st.DataObject) -> None:
    """They stay as they are, in single precision."""
    values = data.draw(arrays(width, st.integers(1, 50), elements=st.floats(-500, 500, width=16)))
    read = Read.from_array(values, 4000)

    assert (read.adc.dtype, read.calibration) == (np.float32, Calibration(offset=0.0, scale=1.0))
    np.testing.assert_array_equal(read.pa, values.astype(np.float32))


def test_an_array_is_not_copied() -> None:
    """One of counts, or of pA in single precision, is that of the read."""
    counts, pa = np.arange(9, dtype=np.int16), np.arange(9, dtype=np.float32)

    assert np.shares_memory(Read.from_array(counts, 4000).adc, counts)
    assert np.shares_memory(Read.from_array(pa, 4000).adc, pa)


def test_a_read_of_an_array_has_what_was_given() -> None:
    """An id, a rate and a chemistry; lists will do."""
    read = Read.from_array([1, 2, 3], 3012, read_id="mine", chemistry="rna002")

    assert (read.read_id, read.sample_rate_hz, read.chemistry.code) == ("mine", 3012.0, "rna002")
    assert Read.from_array([1, 2, 3], 3012).chemistry.code == "unknown"


WRONG: dict[str, tuple[Any, dict[str, Any], type[PoreconvError], str]] = {
    "two rows": (np.zeros((2, 3)), {}, SignalError, r"read array: 2 x 3; a read is one row of samples"),
    "a number": (3.0, {}, SignalError, "a single number; a read is one row of samples"),
    "nothing": ([], {}, SignalError, "no samples; give at least one"),
    "a gap": ([1.0, np.nan, 2.0], {}, SignalError, "sample 1 is nan; leave it out, or fill it"),
    "beyond float32": ([1e39], {}, SignalError, r"sample 0 is 1e\+39"),
    "wide numbers": ([0, 40_000], {}, SignalError, "from 0 to 40000, and counts are int16, -32768 to 32767; give curr"),
    "truths": ([True, False], {}, SignalError, "bool; give int16 counts, or float32 pA"),
    "words": (["a"], {}, SignalError, "give int16 counts, or float32 pA"),
    "no rate": ([1, 2], {"sample_rate_hz": 0}, ConfigError, "sample_rate_hz 0; give the samples per second"),
    "an endless rate": ([1, 2], {"sample_rate_hz": np.inf}, ConfigError, "sample_rate_hz inf"),
    "calibrated pA": (
        [1.5], {"calibration": Calibration(1.0, 2.0)}, ConfigError, "need no calibration; leave it out, or give int16"
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", WRONG)
def test_an_array_that_is_no_read_is_refused_in_one_line(what: str) -> None:
    """The message names the read, and what to give."""
    values, fields, kind, message = WRONG[what]
    with pytest.raises(kind, match=message) as caught:
        Read.from_array(values, **({"sample_rate_hz": 4000} | fields))

    assert "\n" not in str(caught.value)


def test_a_read_in_pa_is_the_same_read() -> None:
    """Its scale, its normalised signal, its events' levels, and what it is at another rate are as of counts."""
    [read] = reads_made(1)
    other, events = in_pa(read), Events.of([3, 10], [10, 25])
    slow, other_slow = (resample_read(each, 3012.0) for each in (read, other))

    np.testing.assert_allclose(read_scale(other), read_scale(read), rtol=1e-6)
    np.testing.assert_allclose(normalise_read(other, clip=5.0), normalise_read(read, clip=5.0), atol=1e-5)
    np.testing.assert_allclose(event_levels(other, events), event_levels(read, events), rtol=1e-4)
    np.testing.assert_allclose(other_slow.pa, slow.pa, atol=0.51 * read.calibration.scale)


def test_a_read_in_pa_has_no_counts() -> None:
    """What can only take counts drops it by name, in place of rounding it to whole pA."""
    [read] = reads_made(1)

    assert read.counts is read.adc
    with pytest.raises(SignalError, match="memory: read array: current in pA, where counts are needed; give"):
        in_pa(read).counts  # noqa: B018 - it raises


def test_a_flat_array_has_no_scale() -> None:
    """As a flat read of a file."""
    with pytest.raises(SignalError, match=r"memory: read array: .* a flat read"):
        read_scale(Read.from_array(np.full(50, 80.0), 4000))
