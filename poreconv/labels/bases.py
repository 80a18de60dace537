"""Letters of sequences as classes."""

import numpy as np
from numpy.typing import NDArray

from poreconv.events.targets import BASES

__all__ = ["BASES", "base_index", "kmer_base"]


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


def kmer_base(k: int, chemistry: str, *, rna: bool) -> int:
    """The base of a k-mer that its event stands for: the one that sets the current most.

    Measured on f5c's own events, as the share of the variance of their mean currents that the base at each place of
    the k-mer explains: R10.4.1 9-mers (remora set, 27 reads) 0.15, 0.58, 0.02 at places 5, 6, 7; R9.4.1 6-mers
    (E. coli, 41 reads) 0.02, 0.69, 0.08 at places 1, 2, 3. Where f5c's 9-mer and the move table of the same read have
    the same base at most samples is between 6 and 7 for the remora set's guppy (0.40 and 0.47), at 6 for the human
    set's (0.55 against 0.20 and 0.19 at 5 and 7): the former's moves come 6 samples early. RNA: as f5c's tables of
    levels tell, without reads to measure on. Else the middle.
    """
    if rna and k == 5:
        return 2 if chemistry == "rna004" else 1
    return {9: 6, 6: 2}.get(k, k // 2) if not rna else k // 2
