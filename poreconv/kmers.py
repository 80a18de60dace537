"""Pore models: which current each k-mer gives. Bases are codes 0..3 for A, C, G, T."""

from dataclasses import dataclass

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
    level_mean_pa: NDArray[np.float64]
    """Mean current, pA, shape ``(4 ** k,)``."""
    level_sd_pa: NDArray[np.float64]
    """SD of the samples around it, pA, shape ``(4 ** k,)``."""

    @property
    def centre(self) -> int:
        """Which base of a k-mer it stands for: the middle one, the later of two; 0 is its first."""
        return self.k // 2


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
    return PoreModel(k, mean_pa + sd_pa * standard, noise_pa * rng.uniform(*NOISE_RANGE, N_BASES**k))


def _bases_at(position: int, k: int) -> NDArray[np.int64]:
    """Code of the base at one position of every k-mer, shape ``(4 ** k,)``."""
    return np.asarray(np.arange(N_BASES**k) // N_BASES ** (k - 1 - position) % N_BASES, np.int64)
