"""How many true events are found, by their length: doubling from bin to bin, by class."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

OCTAVES = 32
"""Number of bins: lengths of 1 sample, 2 to 3, 4 to 7, ..."""


class FoundByLength(NamedTuple):
    """How many true events of one class, and of some lengths, are found."""

    name: str
    """The class; empty: any."""
    shortest: int
    """Samples."""
    longest: int
    """Samples."""
    n_true: int
    n_found: int

    @property
    def share(self) -> float:
        """Share of the true events that are found."""
        return self.n_found / self.n_true


def counted_by_length(
    length: NDArray[np.int64], found: NDArray[np.bool_], label: NDArray[np.int64], n_classes: int
) -> NDArray[np.int64]:
    """Count true events, and those found, by class and length.

    Args:
        length: Of each true event, samples, at least 1, shape ``(n,)``.
        found: Whether it is found, shape ``(n,)``.
        label: Index of its class, shape ``(n,)``.
        n_classes: Number of classes.

    Returns:
        Shape ``(2, n_classes, OCTAVES)``.
    """
    place = label * OCTAVES + np.log2(length).astype(np.int64)
    counts = [np.bincount(chosen, minlength=n_classes * OCTAVES) for chosen in (place, place[found])]
    return np.stack(counts).reshape(2, n_classes, OCTAVES)


def found_by_length(counts: NDArray[np.int64], names: Sequence[str]) -> list[FoundByLength]:
    """Return counts as rows, by class and ascending length, without empty ones.

    Args:
        counts: What `counted_by_length` counts, shape ``(2, n_classes, OCTAVES)``.
        names: Of the classes.
    """
    n_true, n_found = counts
    return [
        FoundByLength(
            names[label], 2**octave, 2 ** (octave + 1) - 1, int(n_true[label, octave]), int(n_found[label, octave])
        )
        for label, octave in np.argwhere(n_true).tolist()
    ]
