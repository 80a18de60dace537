from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray

from poreconv.errors import SignalError
from poreconv.reads.read import Calibration, Read
from poreconv.reads.scaling import (
    SD_PER_MAD,
    RunningScale,
    med_mad,
    normalise,
    normalise_read,
    read_scale,
    to_pa,
    winsorised,
)
from tests.support.signal_files import reads_made

COUNTS = hnp.arrays(np.int16, st.integers(2, 60))


def test_counts_become_picoamperes() -> None:
    """PA = (adc + offset) * scale, beyond what int16 holds too."""
    pa = to_pa(np.array([-32768, 0, 32767], np.int16), Calibration(offset=100.0, scale=0.5))

    assert pa.dtype == np.float32
    assert pa.tolist() == [-16334.0, 50.0, 16433.5]


def test_flat_read_is_a_signal_error() -> None:
    """A read without variation has no scale."""
    flat = np.full(50, 80.0, dtype=np.float32)

    with pytest.raises(SignalError, match="MAD is 0 pA over 50 samples") as caught:
        med_mad(flat)
    assert caught.value.reason == "flat"


def test_empty_read_is_a_signal_error() -> None:
    """Nothing has no median."""
    with pytest.raises(SignalError, match="no samples") as caught:
        med_mad(np.zeros(0, np.float32))

    assert caught.value.reason == "empty"


@given(hnp.arrays(np.float32, st.integers(2, 60), elements=st.floats(-200, 200, width=32)))
def test_shift_and_scale_are_median_and_mad(pa: NDArray[np.float32]) -> None:
    """As numpy finds them."""
    median = np.float32(np.median(pa.astype(np.float64)))
    mad = float(np.median(np.abs(pa - median).astype(np.float64)))
    if mad == 0:
        return
    shift, scale = med_mad(pa)

    assert shift == pytest.approx(float(median), abs=1e-4)
    assert scale == pytest.approx(SD_PER_MAD * mad, abs=1e-4)


@given(hnp.arrays(np.float32, st.integers(1, 60), elements=st.floats(-200, 200, width=32)))
def test_tails_are_pulled_in_before_mean_and_sd_are_taken(pa: NDArray[np.float32]) -> None:
    """As a loop over the sorted samples finds it: a twentieth of them at either end counts as the next one inwards."""
    ordered, n = sorted(pa.astype(np.float64)), len(pa)
    low, high = ordered[int(0.05 * n)], ordered[n - 1 - int(0.05 * n)]
    if low == high:
        return
    inner = [min(max(value, low), high) for value in ordered]
    shift, scale = winsorised(pa)

    assert shift == pytest.approx(np.mean(inner), rel=1e-6, abs=1e-6)
    assert scale == pytest.approx(np.std(inner), rel=1e-6, abs=1e-6)


def test_spikes_move_neither_shift_nor_scale() -> None:
    """A few samples may have any value beyond the others."""
    levels = np.tile(np.arange(60, 120, dtype=np.float32), 10)
    spiked = levels.copy()
    spiked[::60] = 5000

    assert winsorised(spiked) == pytest.approx(winsorised(levels), rel=0.03)


def test_a_squiggle_of_one_value_is_flat() -> None:
    """Nine tenths of one value leave no scale, whatever the rest is."""
    flat = np.full(100, 80.0, np.float32)
    flat[:5] = 200

    with pytest.raises(SignalError, match=r"nine tenths of 100 samples are 80\.0 pA") as caught:
        winsorised(flat)
    assert caught.value.reason == "flat"


@given(COUNTS, st.floats(-300, 300), st.floats(0.05, 1))
def test_a_read_is_scaled_as_its_samples_are(adc: NDArray[np.int16], offset: float, scale: float) -> None:
    """Counting the counts first gives what sorting all samples gives."""
    read = reads_made(1, adc=adc, calibration=Calibration(offset, scale))[0]
    expected, found = outcome(lambda: winsorised(to_pa(adc, read.calibration))), outcome(lambda: read_scale(read))

    assert found == (expected if isinstance(expected, str) else pytest.approx(expected, rel=1e-6, abs=1e-6))


def outcome(estimate: Callable[[], tuple[float, float]]) -> tuple[float, float] | str:
    """Give shift and scale, or why there are none."""
    try:
        return estimate()
    except SignalError as exc:
        return exc.reason


def test_an_empty_read_is_named() -> None:
    """The message contains file and read."""
    read = reads_made(1, adc=np.zeros(0, np.int16))[0]

    with pytest.raises(SignalError, match=f"read {read.read_id}: no samples"):
        read_scale(read)


@given(COUNTS, st.floats(-300, 300), st.floats(0.05, 1), st.floats(-200, 200), st.floats(0.5, 100))
def test_normalising_is_centring_and_scaling(
    adc: NDArray[np.int16], offset: float, scale: float, shift_pa: float, scale_pa: float
) -> None:
    """(pA - shift) / scale, cut at the limit."""
    normalised = normalise(adc, offset=offset, scale=scale, shift_pa=shift_pa, scale_pa=scale_pa, clip=5.0)
    exact = ((adc.astype(np.float64) + offset) * scale - shift_pa) / scale_pa

    assert normalised.dtype == np.float32
    np.testing.assert_allclose(normalised, np.clip(exact, -5, 5), atol=1e-3)


def test_a_batch_is_normalised_read_by_read() -> None:
    """One number per read, shape (B, 1), gives what each read alone gives."""
    reads = [read for read in reads_made(3) if len(read.adc) >= 100]
    scales = np.array([read_scale(read) for read in reads])
    batch = normalise(
        np.stack([read.adc[:100] for read in reads]),
        offset=np.array([[read.calibration.offset] for read in reads]),
        scale=np.array([[read.calibration.scale] for read in reads]),
        shift_pa=scales[:, :1],
        scale_pa=scales[:, 1:],
        clip=5.0,
    )

    for row, read in zip(batch, reads, strict=True):
        np.testing.assert_array_equal(row, normalise_read(read, clip=5.0)[:100])


def test_a_normalised_read_has_mean_0_and_sd_1_once_its_tails_are_pulled_in() -> None:
    """In units of its own scale."""
    read = reads_made(1)[0]

    assert winsorised(normalise_read(read, clip=100.0)) == pytest.approx((0, 1), abs=1e-4)


def test_a_running_scale_is_that_of_all_samples_so_far(make_reads: Callable[..., list[Read]]) -> None:
    """Exact after every piece, and no larger after many."""
    [read] = make_reads(1)
    seen, before = RunningScale(), RunningScale().nbytes
    for end in range(100, len(read.adc), 100):
        seen.add(read.adc[end - 100 : end])

        assert seen.estimate(read.calibration) == read_scale(replace(read, adc=read.adc[:end]))
    assert seen.nbytes == before
