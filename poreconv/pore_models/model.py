"""Pore models: which current each k-mer gives. Bases are codes 0..3 for A, C, G, T."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

N_BASES = 4
CENTRE_WIDTH = 0.2
"""How fast a base's weight falls with its distance from the k-mer's centre: SD of a Gaussian, in units of k."""
INTERACTION = 0.3
"""SD of what a k-mer adds to the sum of its bases' effects; those have SD 1 at the centre."""
NOISE_RANGE = (0.7, 1.3)
"""Noise of the quietest and of the loudest k-mer, relative to the mean."""


@dataclass(frozen=True, slots=True, eq=False)
class PoreModel:
    """The level of each k-mer; k-mer i is `kmer_indices`' i: the i-th in alphabetical order."""

    k: int
    """Bases that set one level."""
    level_mean: NDArray[np.float64]
    """Mean current, pA if ``in_pa``, else in units of the table's own; shape ``(4 ** k,)``."""
    level_sd: NDArray[np.float64]
    """SD around it, same unit and shape; NaN where the table doesn't tell."""
    centre: int
    """Which base of a k-mer it stands for, 0: its first; the one that sets the level most (`dominant_base`)."""
    in_pa: bool = True
    """Whether levels are in pA; some tables are normalised and tell no scale."""
    noise_mean: NDArray[np.float64] | None = None
    """Mean SD of the current within an event, unit and shape of the levels; None where nothing tells, as below."""
    noise_sd: NDArray[np.float64] | None = None
    """SD of that SD over events."""
    dwell_mean: NDArray[np.float64] | None = None
    """Mean samples per event."""
    dwell_shape: NDArray[np.float64] | None = None
    """Shape of the events' gamma distributed samples: squared mean over variance; 1 is as irregular as chance."""
    count: NDArray[np.float64] | None = None
    """Events that the k-mer was estimated from."""

    @property
    def occupancy(self) -> NDArray[np.float64] | None:
        """Share of the samples of the reads estimated from in which each k-mer is in the pore, shape ``(4 ** k,)``."""
        if self.count is None or self.dwell_mean is None:
            return None
        samples = self.count * self.dwell_mean
        share: NDArray[np.float64] = samples / samples.sum()
        return share

    def turned(self) -> PoreModel:
        """The same pore with each k-mer read backwards.

        RNA goes through the pore 3' to 5': of its tables some name k-mers 5' to 3', others in the signal's order.
        """
        arrays: dict[str, NDArray[np.float64] | None] = {name: getattr(self, name) for name in PER_KMER}
        turned: dict[str, Any] = {
            name: _turned(values, self.k) for name, values in arrays.items() if values is not None
        }
        return replace(self, centre=self.k - 1 - self.centre, **turned)


PER_KMER = ("level_mean", "level_sd", "noise_mean", "noise_sd", "dwell_mean", "dwell_shape", "count")
"""Fields of a `PoreModel` that hold a number per k-mer."""


def _turned(values: NDArray[np.float64], k: int) -> NDArray[np.float64]:
    return np.ascontiguousarray(values.reshape((N_BASES,) * k).T).ravel()


def dominant_base(level_mean: NDArray[np.float64], k: int) -> int:
    """Find the place in the k-mer at which another base changes the level most: by SD of the four bases' means.

    R10.4.1 9-mers: 6 (0 is the first); R9.4 6-mers: 2; RNA002 5-mers: 1, counted 5' to 3'.
    """
    cube = level_mean.reshape((N_BASES,) * k)
    others = (tuple(axis for axis in range(k) if axis != kept) for kept in range(k))
    return int(np.argmax([cube.mean(axis=axes).std() for axes in others]))


def kmer_indices(codes: ArrayLike, k: int) -> NDArray[np.int64]:
    """Number the k-mers along a sequence.

    Args:
        codes: Base codes 0..3, shape ``(n,)``.
        k: Length of the k-mers.

    Returns:
        Index of the k-mer that begins at each base: its codes read as a number to base 4. Shape
        ``(max(0, n - k + 1),)``.
    """
    bases = np.asarray(codes, np.int64)
    index = np.zeros(max(0, len(bases) - k + 1), np.int64)
    for position in range(k):
        index = index * N_BASES + bases[position : position + len(index)]
    return index


def random_pore_model(k: int, seed: int, mean_pa: float, sd_pa: float, noise_pa: float = 1.8) -> PoreModel:
    """Invent a pore whose levels are mostly sums of what each base does at its place, the central ones most.

    Args:
        k: Bases that set one level.
        seed: Another seed, another pore.
        mean_pa: Mean of the levels.
        sd_pa: SD of the levels.
        noise_pa: Mean of the k-mers' noise.
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
