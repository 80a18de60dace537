"""The reads that were looked at last, with their pyramids, in bounded memory."""

import threading
from collections import OrderedDict
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from poreconv.reads.pieces import LastFile
from poreconv.reads.read import Read
from poreconv.reads.steps import t_statistic
from poreconv.studio.catalogue import Catalogue
from poreconv.studio.pyramid import Pyramid

MOST_BYTES = 256 << 20
"""Memory of the reads that are kept; the one that is looked at is kept whatever its length."""

SAMPLED = 100_000
"""Samples by which the usual range of a read is estimated."""

SHORTEST_WINDOW, LONGEST_WINDOW = 3, 500
"""Samples on each side that are compared when a step is looked for."""


@dataclass(frozen=True, slots=True)
class Shelved:
    """A read and its pyramid."""

    read: Read
    pyramid: Pyramid

    def tile(self, level: int, index: int) -> NDArray[np.float32]:
        """Return a tile in pA: the smallest values of its bins, then the largest.

        Args:
            level: See `Pyramid.tile`.
            index: See `Pyramid.tile`.

        Returns:
            Shape ``(2, n_bins)``.
        """
        return np.sort(self.read.calibration.to_pa(np.stack(self.pyramid.tile(level, index))), axis=0)

    def usual_range(self) -> tuple[float, float]:
        """Return the range in pA that contains all but the rarest samples."""
        some = self.read.adc[:: len(self.read.adc) // SAMPLED + 1]
        low, high = np.percentile(self.read.calibration.to_pa(some), [0.05, 99.95])
        return float(low - 5), float(high + 5)

    def steepest_step(self, sample: int, within: int) -> int:
        """Return where the current steps most clearly.

        Args:
            sample: Around which sample.
            within: Largest distance from it.

        Returns:
            The first sample after the step; ``sample`` itself where there is none.
        """
        window = int(np.clip(within // 2, SHORTEST_WINDOW, LONGEST_WINDOW))
        first = max(sample - within - window, 0)
        some = self.read.calibration.to_pa(self.read.adc[first : sample + within + window + 1])
        t_n = t_statistic(some, window)
        t_n[: max(sample - within - first, 0)] = 0
        t_n[sample + within - first + 1 :] = 0
        return first + int(np.argmax(t_n)) if len(t_n) and t_n.max() > 0 else sample


class Shelf:
    """Reads by id, read from their files when they are asked for; several threads may ask.

    Args:
        catalogue: Knows the file of each read.
        most_bytes: Memory of the reads that are kept.
    """

    def __init__(self, catalogue: Catalogue, most_bytes: int = MOST_BYTES) -> None:
        self._catalogue, self._most_bytes = catalogue, most_bytes
        self._kept: OrderedDict[str, Shelved] = OrderedDict()
        self._file, self._lock = LastFile(), threading.Lock()

    def __getitem__(self, read_id: str) -> Shelved:
        """Return a read.

        Raises:
            KeyError: There is no such read.
            ReadDropped: The read is unusable.
            FormatError: Its file cannot be read.
        """
        with self._lock:
            if read_id not in self._kept:
                read = self._file.open(self._catalogue[read_id].source)[read_id]
                self._kept[read_id] = Shelved(read, Pyramid(read.adc))
            self._kept.move_to_end(read_id)
            while len(self._kept) > 1 and self._bytes() > self._most_bytes:
                self._kept.popitem(last=False)
            return self._kept[read_id]

    def _bytes(self) -> int:
        return sum(each.pyramid.n_bytes for each in self._kept.values())

    def close(self) -> None:
        """Close the file that is open."""
        with self._lock:
            self._file.close()
