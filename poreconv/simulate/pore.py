"""The distributions of each k-mer's level, noise and dwell, from which events are drawn."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from poreconv.config import SquiggleConfig
from poreconv.pore_models.model import PoreModel, random_pore_model
from poreconv.pore_models.tables import read_pore_model
from poreconv.simulate.chemistries import UsualSettings
from poreconv.simulate.current import within_event_variance

LEAST_GAMMA = 1e-3
"""Lower limit of mean and shape of the samples after an event's first: a gamma distribution's must not be 0."""
LEAST_NOISE_PA = 1e-6
"""Lower limit of the noise, whose logarithm is taken; far below what the digitiser resolves."""


class Steps(NamedTuple):
    """Steps of one level each, in signal order; shape ``(n,)`` each."""

    level_pa: NDArray[np.float32]
    """Level of each step."""
    sd_pa: NDArray[np.float32]
    """SD of the noise in each step."""
    dwell: NDArray[np.int64]
    """Samples of each step, at least 1."""

    @classmethod
    def joined(cls, parts: list[Steps]) -> Steps:
        """Join steps one after the other.

        Args:
            parts: The steps, in signal order; at least one set.
        """
        return cls(*(np.concatenate(columns) for columns in zip(*parts, strict=True)))

    @property
    def samples(self) -> int:
        """Number of samples of all steps."""
        return int(self.dwell.sum())


@dataclass(frozen=True, slots=True, eq=False)
class Pore:
    """Distributions of the events of each k-mer; arrays have shape ``(4 ** k,)``."""

    k: int
    """Bases that determine one level."""
    centre: int
    """Which base of a k-mer an event stands for, 0 for its first."""
    level_mean: NDArray[np.float32]
    """Mean level of the events, pA."""
    level_sd: NDArray[np.float32]
    """SD of the events' levels, pA."""
    log_noise: NDArray[np.float32]
    """Mean of the logarithm of the noise's SD in pA."""
    log_spread: NDArray[np.float32]
    """SD of that logarithm over events."""
    dwell_shape: NDArray[np.float32]
    """Shape of the gamma distribution of an event's samples after the first."""
    dwell_scale: NDArray[np.float32]
    """Scale of the same distribution, samples; shape x scale is its mean."""

    def steps(self, rng: np.random.Generator, kmers: NDArray[np.int64]) -> Steps:
        """Draw one event for each k-mer of a sequence.

        Args:
            rng: Source of random numbers.
            kmers: Indices of the k-mers in signal order, shape ``(n,)``.

        Returns:
            One step per k-mer.
        """
        n = len(kmers)
        level_pa = self.level_mean[kmers] + self.level_sd[kmers] * rng.standard_normal(n, np.float32)
        sd_pa = np.exp(self.log_noise[kmers] + self.log_spread[kmers] * rng.standard_normal(n, np.float32))
        beyond_first = self.dwell_scale[kmers] * rng.standard_gamma(self.dwell_shape[kmers], dtype=np.float32)
        return Steps(level_pa, sd_pa, 1 + np.rint(beyond_first).astype(np.int64))


def pore_of(config: SquiggleConfig, usual: UsualSettings) -> Pore:
    """Build the pore that a config describes.

    Args:
        config: Settings of the squiggles.
        usual: Settings of its chemistry, for what neither the config nor its table contains.

    Raises:
        FormatError: ``pore_model`` is not a table of k-mer levels.
    """
    if config.pore.pore_model is None:
        model, noise_pa = _random(config, usual)
    else:
        table = _at_rate(read_pore_model(config.pore.pore_model), usual.sample_rate_hz)
        model, noise_pa = _in_pa(table.turned() if config.pore.turn_kmers else table, usual), np.array(config.noise_pa)
    mean, shape = _known(model, "dwell_mean", usual.dwell_mean), _known(model, "dwell_shape", usual.dwell_shape)
    beyond = np.maximum(mean - 1, LEAST_GAMMA)
    # The shape is the squared mean over the variance; leaving out the first sample doesn't change the variance.
    shape_beyond = np.maximum(shape, LEAST_GAMMA) * (beyond / mean) ** 2
    arrays = (
        *(model.level_mean, _known(model, "level_sd", config.pore.level_noise_pa)),
        *(_table_noise(model, mean, config) if model.noise_mean is not None else _same_noise(model, noise_pa, config)),
        *(shape_beyond, beyond / shape_beyond),
    )
    return Pore(model.k, model.centre, *(values.astype(np.float32) for values in arrays))


def _at_rate(model: PoreModel, sample_rate_hz: float) -> PoreModel:
    """Return a table whose dwells are counted at another sample rate, if it has dwells and a rate."""
    if model.dwell_mean is None or model.sample_rate_hz is None:
        return model
    return replace(model, dwell_mean=model.dwell_mean * (sample_rate_hz / model.sample_rate_hz))


def _known(model: PoreModel, name: str, default: float) -> NDArray[np.float64]:
    """Values of a field of the table for each k-mer, with a default where they are unknown."""
    known = getattr(model, name)
    values = np.full(len(model.level_mean), np.nan) if known is None else known
    return np.where(np.isnan(values), default, values)


def _random(config: SquiggleConfig, usual: UsualSettings) -> tuple[PoreModel, NDArray[np.float64]]:
    """A random pore with levels only, drawn with the config's seed, and the SD of its k-mers' noise."""
    model = random_pore_model(
        config.pore.k, config.pore.pore_seed, usual.level_mean_pa, usual.level_sd_pa, config.noise_pa
    )
    return replace(model, level_sd=np.full_like(model.level_sd, np.nan)), model.level_sd


def _in_pa(model: PoreModel, usual: UsualSettings) -> PoreModel:
    """Return a table in pA: as it is, or scaled to the chemistry's levels if it is normalised."""
    if model.in_pa:
        return model
    factor = usual.level_sd_pa / model.level_mean.std()
    level_mean = usual.level_mean_pa + factor * (model.level_mean - model.level_mean.mean())
    noise = {name: getattr(model, name) for name in ("level_sd", "noise_mean", "noise_sd")}
    scaled = {name: factor * values for name, values in noise.items() if values is not None}
    return replace(model, level_mean=level_mean, in_pa=True, **scaled)


def _same_noise(
    model: PoreModel, noise_pa: NDArray[np.float64], config: SquiggleConfig
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mean and SD of the logarithm of the noise's SD, for a pore without a table of noise."""
    n = len(model.level_mean)
    return np.log(np.broadcast_to(np.maximum(noise_pa, LEAST_NOISE_PA), n)), np.full(n, config.noise_spread)


def _table_noise(
    model: PoreModel, dwell: NDArray[np.float64], config: SquiggleConfig
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mean and SD of the logarithm of the noise's SD, from a table of SDs measured within events.

    The SD measured in an event is smaller than that of the noise, because neighbouring samples are correlated
    (`within_event_variance`). Its logarithm varies by chance alone, with a variance of half one over the degrees of
    freedom, which is subtracted.
    """
    measured = np.maximum(_known(model, "noise_mean", config.noise_pa), LEAST_NOISE_PA)
    c, m = config.noise_correlation, config.noise_memory
    share = within_event_variance(dwell, c, m)
    if model.noise_sd is None:
        spread2 = np.full(len(measured), config.noise_spread**2)
        return np.log(measured / np.sqrt(share)) - spread2 / 2, np.sqrt(spread2)
    spread2 = np.log1p((model.noise_sd / measured) ** 2)
    by_chance = 0.5 * (1 + 2 * c**2 / (1 - m**2)) / np.maximum(dwell - 1, 1)
    return np.log(measured / np.sqrt(share)) - spread2 / 2, np.sqrt(np.maximum(spread2 - by_chance, 0))
