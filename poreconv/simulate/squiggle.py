"""Squiggles of random DNA through a random pore."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from poreconv.config import SimulateConfig, SquiggleConfig
from poreconv.events import Events
from poreconv.kmers import N_BASES, PoreModel, kmer_indices, random_pore_model
from poreconv.read import Read
from poreconv.simulate import device

NAME = "squiggle"
CLASSES = ("A", "C", "G", "T")
LENGTH_SHAPE = 3.0
"""Shape of the read lengths' gamma distribution."""
ADAPTER_DWELL = 40
"""Samples of each level of the adapter, which passes slowly."""
NOISE_MEMORY = 16
"""Samples over which noise is correlated at all."""
OPEN_PORE_PA = 220.0
"""Current before a read."""


def simulate(common: SimulateConfig, config: SquiggleConfig) -> Iterator[tuple[Read, Events]]:
    """Yield squiggles and their bases.

    Args:
        common: How many, and the seed; read i depends on the seed, i and ``config`` only.
        config: Of the pore and the reads.

    Yields:
        A read, and one event per base. Its class is the central base of the k-mer that sets its level
        (`PoreModel.centre`). Coverage: first to last base; the adapter before them is outside.
    """
    pore = random_pore_model(config.k, config.pore_seed, config.level_mean_pa, config.level_sd_pa, config.noise_pa)
    for index in range(common.reads):
        rng = np.random.default_rng([common.seed, index])
        adapter_pa = _adapter_pa(rng, config)
        bases_pa, events = _bases(rng, pore, len(adapter_pa), config)
        squiggle_pa = _through_device(rng, np.concatenate([adapter_pa, bases_pa]), config)
        yield _read(rng, common.seed, index, squiggle_pa, config), events


def _bases(
    rng: np.random.Generator, pore: PoreModel, start: int, config: SquiggleConfig
) -> tuple[NDArray[np.float32], Events]:
    """Draw a sequence, and the current and events of its bases, the first at sample ``start``."""
    extra = rng.gamma(LENGTH_SHAPE, (config.bases_mean - config.bases_min) / LENGTH_SHAPE)
    codes = rng.integers(0, N_BASES, config.bases_min + round(extra) + pore.k - 1)
    kmers = kmer_indices(codes, pore.k)
    dwell = _dwells(rng, len(kmers), config)
    end = start + np.cumsum(dwell)
    label = codes[pore.centre : pore.centre + len(kmers)]
    events = Events.of(end - dwell, end, label=label, classes=CLASSES)
    loudness = np.exp(config.noise_spread * rng.standard_normal(len(kmers)))
    level_pa, sd_pa = (
        np.repeat(of_event.astype(np.float32), dwell)
        for of_event in (pore.level_mean[kmers], pore.level_sd[kmers] * loudness)
    )
    return _spilt(level_pa, config.spill) + sd_pa * _noise(rng, len(level_pa), config.noise_correlation), events


def _noise(rng: np.random.Generator, n: int, correlation: float) -> NDArray[np.float32]:
    """Draw noise of SD 1 whose correlation falls by this factor from sample to sample, shape ``(n,)``."""
    weight = correlation ** np.arange(NOISE_MEMORY)
    weight /= np.sqrt((weight**2).sum())
    white = rng.standard_normal(n + NOISE_MEMORY - 1, np.float32)
    return np.convolve(white, weight.astype(np.float32), "valid")


def _spilt(level_pa: NDArray[np.float32], share: float) -> NDArray[np.float32]:
    """Let each sample's level stand in both its neighbours too, same shape."""
    weight = np.array([share, 1 - 2 * share, share], np.float32)
    return np.convolve(np.pad(level_pa, 1, "edge"), weight, "valid")


def _dwells(rng: np.random.Generator, n: int, config: SquiggleConfig) -> NDArray[np.int64]:
    """Draw dwells of at least 1 sample with mean ``dwell_mean``, shape ``(n,)``."""
    beyond_first = rng.gamma(config.dwell_shape, (config.dwell_mean - 1) / config.dwell_shape, n)
    return 1 + np.rint(beyond_first).astype(np.int64)


def _adapter_pa(rng: np.random.Generator, config: SquiggleConfig) -> NDArray[np.float32]:
    """Draw the adapter's current: slow steps, lower than most of the bases' levels."""
    n = round(config.adapter_samples * rng.uniform(0.5, 1.5))
    low_pa = config.level_mean_pa - config.level_sd_pa
    levels_pa = rng.normal(low_pa, config.level_sd_pa / 2, n // ADAPTER_DWELL + 1)
    noise_pa = config.noise_pa * rng.standard_normal(n, np.float32)
    return np.repeat(levels_pa.astype(np.float32), ADAPTER_DWELL)[:n] + noise_pa


def _through_device(
    rng: np.random.Generator, squiggle_pa: NDArray[np.float32], config: SquiggleConfig
) -> NDArray[np.float32]:
    """Shift and stretch a read's current as pores differ, and let it drift."""
    factor, shift_pa = rng.normal(1, config.scale_sd), rng.normal(0, config.shift_pa)
    return (
        squiggle_pa * np.float32(factor) + np.float32(shift_pa) + device.drift(rng, len(squiggle_pa), config.drift_pa)
    )


def _read(
    rng: np.random.Generator, seed: int, index: int, squiggle_pa: NDArray[np.float32], config: SquiggleConfig
) -> Read:
    return Read(
        read_id=device.read_id(NAME, seed, index),
        adc=device.to_counts(squiggle_pa),
        calibration=device.CALIBRATION,
        sample_rate_hz=config.sample_rate_hz,
        channel=int(rng.integers(1, device.CHANNELS + 1)),
        mux=int(rng.integers(1, device.MUXES + 1)),
        read_number=index,
        start_sample=int(rng.integers(0, 2**32)),
        end_reason="signal_positive",
        median_before=OPEN_PORE_PA,
        run_id=device.run_id(NAME, seed),
        pore="FLO-MIN106",
        kit="SQK-LSK109",
        experiment="genomic_dna",
    )
