"""What each k-mer does in the pore: tables from which events are drawn."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from poreconv.config import SquiggleConfig
from poreconv.pore_models.model import PoreModel, random_pore_model
from poreconv.pore_models.tables import read_pore_model
from poreconv.simulate.chemistries import Usual
from poreconv.simulate.current import seen_share

SHORTEST = 1e-3
"""Least mean and shape of the samples beyond an event's first: a gamma distribution has none of 0."""
LEAST_NOISE_PA = 1e-6
"""Noise whose logarithm can still be taken; a digitiser sees none of it."""


class Steps(NamedTuple):
    """Stretches of one level each, in signal order, shape ``(n,)`` each."""

    level_pa: NDArray[np.float32]
    sd_pa: NDArray[np.float32]
    """SD of the noise."""
    dwell: NDArray[np.int64]
    """Samples, at least 1."""

    @classmethod
    def joined(cls, parts: list[Steps]) -> Steps:
        """Some steps, and then others."""
        return cls(*(np.concatenate(columns) for columns in zip(*parts, strict=True)))

    @property
    def samples(self) -> int:
        """All of them."""
        return int(self.dwell.sum())


@dataclass(frozen=True, slots=True, eq=False)
class Pore:
    """Distributions of each k-mer's events, shape ``(4 ** k,)`` each."""

    k: int
    centre: int
    """Which base of a k-mer an event stands for."""
    level_mean: NDArray[np.float32]
    level_sd: NDArray[np.float32]
    log_noise: NDArray[np.float32]
    """Mean of the logarithm of the noise's SD."""
    log_spread: NDArray[np.float32]
    """SD of that logarithm over events."""
    dwell_shape: NDArray[np.float32]
    """Of the gamma distributed samples beyond the first."""
    dwell_scale: NDArray[np.float32]
    """Of the same; shape x scale is their mean."""

    def steps(self, rng: np.random.Generator, kmers: NDArray[np.int64]) -> Steps:
        """Draw one event for each k-mer."""
        n = len(kmers)
        level_pa = self.level_mean[kmers] + self.level_sd[kmers] * rng.standard_normal(n, np.float32)
        sd_pa = np.exp(self.log_noise[kmers] + self.log_spread[kmers] * rng.standard_normal(n, np.float32))
        beyond_first = self.dwell_scale[kmers] * rng.standard_gamma(self.dwell_shape[kmers], dtype=np.float32)
        return Steps(level_pa, sd_pa, 1 + np.rint(beyond_first).astype(np.int64))


def pore_of(config: SquiggleConfig, usual: Usual) -> Pore:
    """The pore that a config asks for.

    Raises:
        FormatError: ``pore_model`` is no table of k-mer levels.
    """
    if config.pore.pore_model is None:
        model, noise_pa = _random(config, usual)
    else:
        table = read_pore_model(config.pore.pore_model)
        model, noise_pa = _in_pa(table.turned() if config.pore.turn_kmers else table, usual), np.array(config.noise_pa)
    mean, shape = _known(model, "dwell_mean", usual.dwell_mean), _known(model, "dwell_shape", usual.dwell_shape)
    beyond = np.maximum(mean - 1, SHORTEST)
    shape_beyond = (
        np.maximum(shape, SHORTEST) * (beyond / mean) ** 2
    )  # shape is squared mean over variance, and the variance stays
    arrays = (
        *(model.level_mean, _known(model, "level_sd", config.pore.level_noise_pa)),
        *(_table_noise(model, mean, config) if model.noise_mean is not None else _same_noise(model, noise_pa, config)),
        *(shape_beyond, beyond / shape_beyond),
    )
    return Pore(model.k, model.centre, *(values.astype(np.float32) for values in arrays))


def _known(model: PoreModel, name: str, otherwise: float) -> NDArray[np.float64]:
    """What a table tells of each k-mer; where it does not, one number."""
    told = getattr(model, name)
    values = np.full(len(model.level_mean), np.nan) if told is None else told
    return np.where(np.isnan(values), otherwise, values)


def _random(config: SquiggleConfig, usual: Usual) -> tuple[PoreModel, NDArray[np.float64]]:
    """The seeded random pore, of which only levels are known, and the SD of its k-mers' noise."""
    model = random_pore_model(
        config.pore.k, config.pore.pore_seed, usual.level_mean_pa, usual.level_sd_pa, config.noise_pa
    )
    return replace(model, level_sd=np.full_like(model.level_sd, np.nan)), model.level_sd


def _in_pa(model: PoreModel, usual: Usual) -> PoreModel:
    """A table as it is, or put on the chemistry's scale if it has none of its own."""
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
    """Logarithm of the noise's SD and its spread, where no table tells."""
    n = len(model.level_mean)
    return np.log(np.broadcast_to(np.maximum(noise_pa, LEAST_NOISE_PA), n)), np.full(n, config.noise_spread)


def _table_noise(
    model: PoreModel, dwell: NDArray[np.float64], config: SquiggleConfig
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The same of a table, which tells the SD as it is found in events.

    The SD that is found in ``n`` samples is smaller than the noise's, as neighbours are alike (`seen_share`), and its
    logarithm spreads by chance alone, with a variance of half one over the degrees of freedom.
    """
    seen = np.maximum(_known(model, "noise_mean", config.noise_pa), LEAST_NOISE_PA)
    c, m = config.noise_correlation, config.noise_memory
    share = seen_share(dwell, c, m)
    if model.noise_sd is None:
        spread2 = np.full(len(seen), config.noise_spread**2)
        return np.log(seen / np.sqrt(share)) - spread2 / 2, np.sqrt(spread2)
    spread2 = np.log1p((model.noise_sd / seen) ** 2)
    by_chance = 0.5 * (1 + 2 * c**2 / (1 - m**2)) / np.maximum(dwell - 1, 1)
    return np.log(seen / np.sqrt(share)) - spread2 / 2, np.sqrt(np.maximum(spread2 - by_chance, 0))
