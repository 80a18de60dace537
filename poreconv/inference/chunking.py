"""Cutting a read into overlapping chunks, and the inverse: stitching."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from poreconv.errors import ConfigError


@dataclass(frozen=True, slots=True)
class Chunking:
    """How reads are cut: into chunks of one length; a read's last chunk is only as long as necessary.

    Args:
        chunk_samples: Length of a chunk.
        margin: Samples of context on each side of a chunk; neighbouring chunks overlap by both.
        grain: The last chunk's length is a multiple of this.

    Raises:
        ConfigError: A chunk is no longer than its two margins.
    """

    chunk_samples: int
    margin: int
    grain: int

    def __post_init__(self) -> None:
        """Check the sizes."""
        if self.hop <= 0:
            raise ConfigError(
                f"chunk of {self.chunk_samples} samples: no longer than its context of 2 x {self.margin}; raise"
                " chunk_samples"
            )

    @property
    def hop(self) -> int:
        """Samples from the start of one chunk to the start of the next."""
        return self.chunk_samples - 2 * self.margin

    def cut(self, x_n: NDArray[np.float32]) -> list[NDArray[np.float32]]:
        """Cut a read, zero-padded by the margin on each side, into chunks.

        Args:
            x_n: Normalised signal, shape ``(n_samples,)``.

        Returns:
            Chunks; number ``i`` begins at sample ``i * hop - margin`` of the read. Samples outside the read are 0.
        """
        starts = range(0, len(x_n), self.hop)
        padded = np.zeros(len(x_n) + 2 * self.margin + self.grain, np.float32)
        padded[self.margin : self.margin + len(x_n)] = x_n
        return [padded[start : start + self._length(len(x_n) - start)] for start in starts]

    def _length(self, left: int) -> int:
        needed = -(-(left + 2 * self.margin) // self.grain) * self.grain
        return min(self.chunk_samples, needed)

    def stitch(self, chunks_CT: Sequence[NDArray[np.float32]], n_samples: int) -> NDArray[np.float32]:
        """Put the middles of a read's chunks back together: the inverse of `cut`.

        Args:
            chunks_CT: The network's output for each chunk, in order, shape ``(C, length of the chunk)`` each; at least
                one.
            n_samples: Length of the read.

        Returns:
            Shape ``(C, n_samples)``.
        """
        read_CT = np.empty((len(chunks_CT[0]), n_samples), np.float32)
        for i, chunk_CT in enumerate(chunks_CT):
            here = read_CT[:, i * self.hop : (i + 1) * self.hop]
            here[:] = chunk_CT[:, self.margin : self.margin + here.shape[1]]
        return read_CT
