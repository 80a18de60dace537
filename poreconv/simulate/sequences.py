"""Draw the bases of simulated reads at random or from a FASTA file."""

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pysam
from numpy.typing import NDArray

from poreconv.errors import ConfigError, FormatError
from poreconv.pore_models.model import N_BASES

Draw = Callable[[np.random.Generator, int], NDArray[np.int8]]
"""Draws at most the given number of base codes, 0 to 3, 5' to 3'."""

NO_BASE = -1
"""Code of a letter that is not a base."""


def _codes() -> NDArray[np.int8]:
    code = np.full(256, NO_BASE, np.int8)
    for index, letters in enumerate(("Aa", "Cc", "Gg", "TtUu")):
        code[np.frombuffer(letters.encode(), np.uint8)] = index
    return code


_CODE = _codes()


def random_bases(rng: np.random.Generator, n: int) -> NDArray[np.int8]:
    """Draw independent bases, all four equally likely.

    Args:
        rng: Source of random numbers.
        n: Number of bases.

    Returns:
        Base codes, 0 to 3, shape ``(n,)``.
    """
    return rng.integers(0, N_BASES, n, np.int8)


class Fasta:
    """Bases drawn from the sequences in a file, which are held in memory at one byte per base.

    A sequence is cut into stretches at letters that are not bases, such as N. A read lies within one stretch; it starts
    with equal probability at every place that is followed by enough bases, and ends at the end of the stretch at the
    latest.

    Args:
        path: FASTA (or FASTQ), plain or gzip.
        least: Fewest bases of a read; shorter stretches are not used.
        both_strands: Whether reads are drawn from both strands.
    """

    def __init__(self, path: Path, least: int, *, both_strands: bool) -> None:
        """Read the file.

        Raises:
            FormatError: The file cannot be read.
            ConfigError: No stretch is long enough.
        """
        stretches = [stretch for codes in _records(path) for stretch in _known(codes) if len(stretch) >= least]
        if not stretches:
            raise ConfigError(
                f"{path}: no sequence has {least} bases without an N; lower bases_min, or give another FASTA"
            )
        self._stretches = stretches
        self._places = np.cumsum([len(stretch) - least + 1 for stretch in stretches])
        self._both = both_strands

    def __call__(self, rng: np.random.Generator, n: int) -> NDArray[np.int8]:
        """Draw a read of ``n`` bases, or fewer if its stretch ends before."""
        place = int(rng.integers(self._places[-1]))
        number = int(np.searchsorted(self._places, place, side="right"))
        start = place - int(self._places[number - 1] if number else 0)
        turned = self._both and rng.random() < 0.5
        stretch = self._stretches[number]
        strand = N_BASES - 1 - stretch[::-1] if turned else stretch
        return strand[start : start + n]


def _records(path: Path) -> Iterator[NDArray[np.int8]]:
    """Codes of each sequence, `NO_BASE` for letters that are not bases."""
    try:
        with pysam.FastxFile(str(path)) as file:
            for record in file:
                yield _CODE[np.frombuffer((record.sequence or "").encode("latin-1", "replace"), np.uint8)]
    except (OSError, ValueError) as exc:
        raise FormatError(f"{path}: not a readable FASTA ({exc}); give a FASTA, plain or gzip") from exc


def _known(codes: NDArray[np.int8]) -> Iterator[NDArray[np.int8]]:
    """The stretches of a sequence between letters that are not bases."""
    edges = np.flatnonzero(np.diff(np.pad(codes >= 0, 1).astype(np.int8)))
    for start, end in edges.reshape(-1, 2):
        yield codes[start:end]
