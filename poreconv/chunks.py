"""Cutting a read into overlapping chunks, and its inverse, stitching."""

import numpy as np
from numpy.typing import NDArray

from poreconv.errors import ConfigError


def cut(x_n: NDArray[np.float32], chunk_samples: int, overlap: int) -> NDArray[np.float32]:
    """Cut a read, zero-padded by half the overlap on each side, into chunks of one length.

    Args:
        x_n: Shape ``(n_samples,)``.
        chunk_samples: Length of each chunk.
        overlap: Samples that neighbours share; even.

    Returns:
        Shape ``(n_chunks, chunk_samples)``; what lies beyond the read is 0. Chunk ``i`` begins
        ``i * (chunk_samples - overlap) - overlap / 2`` samples into the read.

    Raises:
        ConfigError: The overlap is odd, or leaves nothing of a chunk.
    """
    hop = chunk_samples - overlap
    if overlap % 2 or hop <= 0:
        raise ConfigError(
            f"chunk of {chunk_samples} samples: shorter than its overlap of {overlap}; raise chunk_samples"
        )
    n_chunks = -(-len(x_n) // hop)
    padded = np.zeros(n_chunks * hop + overlap, np.float32)
    padded[overlap // 2 : overlap // 2 + len(x_n)] = x_n
    return (
        np.lib.stride_tricks.sliding_window_view(padded, chunk_samples)[::hop]
        if n_chunks
        else padded[:0].reshape(0, chunk_samples)
    )


def stitch(chunks_NCT: NDArray[np.float32], overlap: int, n_samples: int) -> NDArray[np.float32]:
    """Put the middles of chunks back together: the inverse of `cut`.

    Args:
        chunks_NCT: Shape ``(n_chunks, C, chunk_samples)``.
        overlap: As it was cut.
        n_samples: Length of the read.

    Returns:
        Shape ``(C, n_samples)``.
    """
    margin = overlap // 2
    middle = chunks_NCT[:, :, margin : chunks_NCT.shape[2] - margin]
    return middle.transpose(1, 0, 2).reshape(chunks_NCT.shape[1], -1)[:, :n_samples]
