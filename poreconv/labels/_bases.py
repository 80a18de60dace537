"""Letters of sequences as classes."""

import numpy as np
from numpy.typing import NDArray

from poreconv.targets import BASES

__all__ = ["BASES", "base_index"]


def _table() -> NDArray[np.int16]:
    table = np.full(256, -1, np.int16)
    for index, letters in enumerate(("Aa", "Cc", "Gg", "TtUu")):
        for letter in letters:
            table[ord(letter)] = index
    return table


_INDEX = _table()


def base_index(letters: bytes) -> NDArray[np.int16]:
    """Indices into `BASES`, one per letter; -1 for N, masked and any other letter."""
    return _INDEX[np.frombuffer(letters, np.uint8)]
