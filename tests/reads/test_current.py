from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from poreconv.errors import SignalError
from poreconv.reads.current import BLOCKED_PA, Current, adapter_end
from poreconv.reads.read import Read

RATE = 4000.0


def read_of(pa: NDArray[np.floating], chemistry: str = "rna004") -> Read:
    """A read of some current."""
    return Read.from_array(pa.astype(np.float32), RATE, chemistry=chemistry)


def steps(n_events: int, dwell: int, noise: float, seed: int = 0) -> NDArray[np.float64]:
    """Current of events of one length, with white noise."""
    rng = np.random.default_rng(seed)
    levels = rng.normal(90, 15, n_events).repeat(dwell)
    return levels + rng.normal(0, noise, len(levels))


@pytest.mark.parametrize("noise", [1.0, 2.5])
def test_noise_is_that_of_samples_not_of_levels(noise: float) -> None:
    """One difference in ten is a step, and hardly counts."""
    current = Current.of(read_of(steps(400, 10, noise), "dna_r10.4.1"))

    assert current.noise == pytest.approx(noise, rel=0.08)
    assert current.level == pytest.approx(90, abs=3)


def test_a_blocked_pore_conducts_next_to_nothing() -> None:
    """Samples near 0 count, and those of a reversed voltage."""
    pa = np.concatenate([steps(60, 10, 1.0), np.full(100, BLOCKED_PA - 1), np.full(100, -30.0)])

    assert Current.of(read_of(pa)).blocked == 0.25


def test_the_open_pore_is_what_the_file_contains() -> None:
    """NaN where it contains nothing."""
    read = read_of(steps(60, 10, 1.0))

    assert Current.of(replace(read, median_before=203.5)).open_pore == 203.5
    assert np.isnan(Current.of(read).open_pore)


def test_a_flat_read_is_a_signal_error() -> None:
    """It has no level and no noise."""
    with pytest.raises(SignalError, match="flat read"):
        Current.of(read_of(np.full(500, 80.0)))


def rna(adapter: int, seed: int = 0) -> NDArray[np.float64]:
    """Current of an adapter, then of RNA."""
    rng = np.random.default_rng(seed)
    return np.concatenate([rng.normal(62, 4, adapter), rng.normal(92, 10, 4000)])


@pytest.mark.parametrize("adapter", [1800, 4000, 9000])
def test_an_adapter_ends_where_the_median_rises(adapter: int) -> None:
    """Within one of the windows whose medians are compared."""
    assert adapter_end(read_of(rna(adapter))) == pytest.approx(adapter, abs=250)


def test_dna_has_no_adapter_to_find() -> None:
    """Nor has a read that is too short, or one without a rise."""
    for read in (read_of(rna(4000), "dna_r10.4.1"), read_of(rna(4000)[:1100]), read_of(rna(4000)[:4000])):
        assert adapter_end(read) == 0
