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
    winsorised,
)
from tests.support.signal_files import reads_made

COUNTS = hnp.arrays(np.int16, st.integers(2, 60))


def test_counts_become_picoamperes() -> None:
    """PA = (adc + offset) * scale, beyond what int16 holds too."""
    pa = Calibration(offset=100.0, scale=0.5).to_pa(np.array([-32768, 0, 32767], np.int16))

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
    expected, found = outcome(lambda: winsorised(read.calibration.to_pa(adc))), outcome(lambda: read_scale(read))

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


DWELL = 9.0


def squiggle(rng: np.random.Generator, n_samples: int, dwell: float = DWELL) -> NDArray[np.int16]:
    """Counts that step to another level every few samples, with noise."""
    jumps = rng.random(n_samples) < 1 / dwell
    level = rng.normal(450, 80, n_samples)[np.maximum.accumulate(np.where(jumps, np.arange(n_samples), 0))]
    return (level + rng.normal(0, 9, n_samples)).astype(np.int16)


def known(adc: NDArray[np.int16]) -> Read:
    """A read whose usual speed is known: 450 bases per second at 4050 Hz."""
    fields = {"sample_rate_hz": DWELL * 450, "chemistry_code": "dna_r9.4.1", "calibration": Calibration(10.0, 0.18)}
    return reads_made(1, adc=adc, **fields)[0]


OTHERS: dict[str, Callable[[np.random.Generator, int], NDArray[np.float64]]] = {
    "open pore": lambda rng, n: rng.normal(1200, 8, n),
    "noisy open pore": lambda rng, n: rng.normal(1200, 70, n),
    "blockade": lambda rng, n: rng.normal(100, 110, n),
    "bursts": lambda rng, n: np.where(np.arange(n) // 500 % 2, 1200, 200) + rng.normal(0, 8, n),
    "jumps": lambda rng, n: np.repeat(rng.uniform(100, 1300, n // 100 + 1), 100)[:n] + rng.normal(0, 8, n),
    "spikes": lambda rng, n: np.where(rng.random(n) < 0.01, 3000, rng.normal(450, 8, n)),
    "drift": lambda rng, n: np.linspace(900, 1400, n) + rng.normal(0, 20, n),
}
"""What may stand in a read besides the molecule, counts."""


@pytest.mark.parametrize("place", ["start", "middle", "behind"])
@pytest.mark.parametrize("name", OTHERS)
def test_what_is_not_the_molecule_does_not_scale_it(name: str, place: str) -> None:
    """As long as the read itself, wherever it stands, it moves shift and scale by little more than a hundredth."""
    rng = np.random.default_rng(0)
    adc = squiggle(rng, 40_000)
    other = OTHERS[name](rng, len(adc)).astype(np.int16)
    at = {"start": 0, "middle": len(adc) // 2, "behind": len(adc)}[place]
    (shift, scale), found = read_scale(known(adc)), read_scale(known(np.insert(adc, at, other)))

    assert (found[0] - shift) / scale == pytest.approx(0, abs=0.012)
    assert found[1] / scale == pytest.approx(1, abs=0.012)


def test_without_a_usual_speed_all_samples_count() -> None:
    """So for a read of unknown chemistry, and for one in which too little steps."""
    rng = np.random.default_rng(1)
    adc = np.concatenate([squiggle(rng, 10_000), rng.normal(1200, 70, 10_000).astype(np.int16)])
    unknown = replace(known(adc), chemistry_code="unknown")
    short = known(adc[9000:])

    assert read_scale(unknown) == pytest.approx(winsorised(unknown.pa), rel=1e-6)
    assert read_scale(known(adc)) != pytest.approx(winsorised(unknown.pa), rel=0.1)
    assert read_scale(short) == pytest.approx(winsorised(short.pa), rel=1e-6)


@given(st.lists(st.integers(0, 3000), max_size=6))
def test_a_running_scale_does_not_depend_on_the_pieces(cuts: list[int]) -> None:
    """Windows are counted from the read's first sample on."""
    read = known(squiggle(np.random.default_rng(2), 3000))
    running = RunningScale(read.dwell_samples)
    for piece in np.split(read.adc, sorted(cuts)):
        running.add(piece)

    assert running.n_used < len(read.adc)
    assert running.estimate(read.calibration) == read_scale(read)


def test_a_read_in_pa_is_scaled_like_its_counts() -> None:
    """Current in pA has windows that step too."""
    rng = np.random.default_rng(3)
    read = known(np.concatenate([squiggle(rng, 10_000), rng.normal(1200, 70, 10_000).astype(np.int16)]))
    in_pa = replace(read, adc=read.pa, calibration=Calibration(0.0, 1.0))

    assert read_scale(in_pa) == pytest.approx(read_scale(read), rel=1e-3)
