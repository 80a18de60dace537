"""Smallest and largest values of a long line at every zoom, in tiles as maps have them."""

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.int16 | np.uint8 | np.float32]

TILE_BINS = 1024
"""Bins of a tile; a bin of level ``l`` contains ``2 ** l`` samples."""

STEP = 4
"""Levels from one that is stored to the next: 16 bins become one, so that all levels together take 2/15 of the line's
own memory."""

HIGHEST = 40
"""Of the levels that can be asked for: more samples than any read has."""


class Pyramid:
    """A line, and its smallest and largest values in bins of 16, 256 and so on samples.

    Args:
        values: Of the line, no NaN, shape ``(n,)``, at least one.
    """

    def __init__(self, values: Values) -> None:
        self._levels = [(values, values)]
        while len(self._levels[-1][0]) > TILE_BINS:
            low, high = self._levels[-1]
            self._levels.append(_binned(low, high, 1 << STEP))

    @property
    def n_bytes(self) -> int:
        """Memory of the line and its levels."""
        return sum(low.nbytes + high.nbytes for low, high in self._levels[1:]) + self._levels[0][0].nbytes

    def tile(self, level: int, index: int) -> tuple[Values, Values]:
        """Return the smallest and the largest value of each bin of a tile.

        Args:
            level: Bins have ``2 ** level`` samples, the line's last bin perhaps fewer.
            index: Number of the tile: its first bin is ``index * TILE_BINS``.

        Returns:
            Each of shape ``(n_bins,)``: ``TILE_BINS``, fewer at the end of the line, none after it.
        """
        stored = min(level // STEP, len(self._levels) - 1)
        width = 1 << (level - stored * STEP)
        part = slice(index * TILE_BINS * width, (index + 1) * TILE_BINS * width)
        low, high = self._levels[stored]
        return _binned(low[part], high[part], width)


def _binned(low: NDArray[np.generic], high: NDArray[np.generic], width: int) -> tuple[NDArray, NDArray]:  # type: ignore[type-arg]
    first = np.arange(0, len(low), width)
    if width == 1 or not len(first):
        return low, high
    return np.minimum.reduceat(low, first), np.maximum.reduceat(high, first)
