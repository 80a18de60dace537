"""Base letters of sequences as class indices."""

import numpy as np
from numpy.typing import NDArray

from poreconv.events.targets import BASES
from poreconv.reads.chemistry import Chemistry

__all__ = ["BASES", "base_index", "kmer_base"]


def _table() -> NDArray[np.int16]:
    table = np.full(256, -1, np.int16)
    for index, letters in enumerate(("Aa", "Cc", "Gg", "TtUu")):
        for letter in letters:
            table[ord(letter)] = index
    return table


_INDEX = _table()


def base_index(letters: bytes) -> NDArray[np.int16]:
    """Convert base letters to indices into `BASES`.

    Args:
        letters: ASCII letters of a sequence; upper or lower case, and U counts as T.

    Returns:
        Shape ``(n_letters,)``; -1 for N and every other letter.
    """
    return _INDEX[np.frombuffer(letters, np.uint8)]


def kmer_base(k: int, chemistry: Chemistry, *, rna: bool) -> int:
    """Return which base of a k-mer its event stands for: the one that determines the current most.

    Measured on f5c's own events, as the share of the variance of their mean currents that the base at each place of
    the k-mer explains: R10.4.1 9-mers (remora set, 27 reads) 0.15, 0.58, 0.02 at places 5, 6, 7; R9.4.1 6-mers
    (E. coli, 41 reads) 0.02, 0.69, 0.08 at places 1, 2, 3. Where f5c's 9-mer and the move table of the same read have
    the same base at most samples is between 6 and 7 for the remora set's guppy (0.40 and 0.47), at 6 for the human
    set's (0.55 against 0.20 and 0.19 at 5 and 7): the former's moves come 6 samples early. For RNA the values
    come from f5c's tables of levels, without reads to measure on. For any other k it is the middle base.

    Args:
        k: Length of the k-mer, in bases.
        chemistry: Of the read; only RNA 5-mers depend on its pore family.
        rna: Whether the read is RNA.

    Returns:
        Place of the base in the k-mer, 0 for its first.
    """
    if rna and k == 5:
        return 2 if chemistry.family == "rna004" else 1
    return {9: 6, 6: 2}.get(k, k // 2) if not rna else k // 2
