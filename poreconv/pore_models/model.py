"""Pore models: the current of each k-mer. Bases are codes 0 to 3 for A, C, G, T."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

N_BASES = 4
CENTRE_WIDTH = 0.2
"""SD of the Gaussian by which a base's weight falls with its distance from the k-mer's centre, in units of k."""
INTERACTION = 0.3
"""SD of a k-mer's deviation from the sum of its bases' effects; the effects have SD 1 at the centre."""
NOISE_RANGE = (0.7, 1.3)
"""Noise of the quietest and of the loudest k-mer, relative to the mean."""


@dataclass(frozen=True, slots=True, eq=False)
class PoreModel:
    """The level of each k-mer; k-mers are numbered in alphabetical order, as by `kmer_indices`."""

    k: int
    """Bases that determine one level."""
    level_mean: NDArray[np.float64]
    """Mean current, in pA if ``in_pa``, else in the table's own unit; shape ``(4 ** k,)``."""
    level_sd: NDArray[np.float64]
    """SD of the events' levels around it, same unit and shape; NaN: unknown."""
    centre: int
    """Which base of a k-mer an event stands for, 0 for its first: the one that changes the level most
    (`dominant_base`)."""
    in_pa: bool = True
    """Whether levels are in pA; some tables contain normalised levels without their scale."""
    noise_mean: NDArray[np.float64] | None = None
    """Mean SD of the current within an event, unit and shape of the levels; None: unknown, here and below."""
    noise_sd: NDArray[np.float64] | None = None
    """SD of that SD over events."""
    dwell_mean: NDArray[np.float64] | None = None
    """Mean samples per event."""
    dwell_shape: NDArray[np.float64] | None = None
    """Shape of the gamma distribution of an event's samples: squared mean over variance; 1 is the exponential
    distribution."""
    count: NDArray[np.float64] | None = None
    """Number of events from which the k-mer was estimated."""
    sample_rate_hz: float | None = None
    """Sample rate at which dwells are counted; None: unknown."""
    source: str = ""
    """Where the levels come from, one line; empty: unknown."""
    licence: str = ""
    """Of the levels; empty: unknown."""

    @property
    def occupancy(self) -> NDArray[np.float64] | None:
        """Share of the samples in which each k-mer was in the pore, among the reads used; shape ``(4 ** k,)``."""
        if self.count is None or self.dwell_mean is None:
            return None
        samples = self.count * self.dwell_mean
        share: NDArray[np.float64] = samples / samples.sum()
        return share

    def turned(self) -> PoreModel:
        """Return the same pore with each k-mer read backwards.

        RNA passes the pore 3' to 5': some of its tables name k-mers 5' to 3', others in the order of the signal.
        """
        arrays: dict[str, NDArray[np.float64] | None] = {name: getattr(self, name) for name in PER_KMER}
        turned: dict[str, Any] = {
            name: _turned(values, self.k) for name, values in arrays.items() if values is not None
        }
        return replace(self, centre=self.k - 1 - self.centre, **turned)


PER_KMER = ("level_mean", "level_sd", "noise_mean", "noise_sd", "dwell_mean", "dwell_shape", "count")
"""Fields of a `PoreModel` that contain a number per k-mer."""


def _turned(values: NDArray[np.float64], k: int) -> NDArray[np.float64]:
    return np.ascontiguousarray(values.reshape((N_BASES,) * k).T).ravel()


def dominant_base(level_mean: NDArray[np.float64], k: int) -> int:
    """Find the place in the k-mer at which the base changes the level most, by the SD of the four bases' means.

    R10.4.1 9-mers: 6 (0 is the first); R9.4 6-mers: 2; RNA002 5-mers: 1, counted 5' to 3'.

    Args:
        level_mean: Mean level of each k-mer, in any unit, shape ``(4 ** k,)``.
        k: Length of the k-mers.

    Returns:
        The place, 0 for the first base.
    """
    cube = level_mean.reshape((N_BASES,) * k)
    others = (tuple(axis for axis in range(k) if axis != place) for place in range(k))
    return int(np.argmax([cube.mean(axis=axes).std() for axes in others]))


def kmer_indices(codes: ArrayLike, k: int) -> NDArray[np.int64]:
    """Number the k-mers along a sequence.

    Args:
        codes: Base codes 0 to 3, shape ``(n,)``.
        k: Length of the k-mers.

    Returns:
        Index of the k-mer that begins at each base: its codes as the digits of a number in base 4. Shape
        ``(max(0, n - k + 1),)``.
    """
    bases = np.asarray(codes, np.int64)
    index = np.zeros(max(0, len(bases) - k + 1), np.int64)
    for position in range(k):
        index = index * N_BASES + bases[position : position + len(index)]
    return index


def random_pore_model(k: int, seed: int, mean_pa: float, sd_pa: float, noise_pa: float = 1.8) -> PoreModel:
    """Draw a random pore whose levels are mostly sums of an effect of each base, largest for the central ones.

    Args:
        k: Bases that determine one level.
        seed: Seed of the pore; each gives another pore.
        mean_pa: Mean of the levels, pA.
        sd_pa: SD of the levels, pA.
        noise_pa: Mean of the k-mers' ``level_sd``, pA; default: 1.8.
    """
    rng = np.random.default_rng([seed, k])
    weight = np.exp(-0.5 * ((np.arange(k) - k // 2) / (CENTRE_WIDTH * k)) ** 2)
    effect = rng.standard_normal((k, N_BASES)) * weight[:, None]
    level = INTERACTION * rng.standard_normal(N_BASES**k)
    for position in range(k):
        level += effect[position, _bases_at(position, k)]
    standard = (level - level.mean()) / level.std()
    level_mean_pa, level_sd_pa = mean_pa + sd_pa * standard, noise_pa * rng.uniform(*NOISE_RANGE, N_BASES**k)
    return PoreModel(k, level_mean_pa, level_sd_pa, centre=k // 2)


def _bases_at(position: int, k: int) -> NDArray[np.int64]:
    """Code of the base at one position of every k-mer, shape ``(4 ** k,)``."""
    return np.asarray(np.arange(N_BASES**k) // N_BASES ** (k - 1 - position) % N_BASES, np.int64)
