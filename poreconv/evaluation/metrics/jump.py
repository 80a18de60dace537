"""Do labels lie where the current steps? Needs no second opinion, so it judges truth as well as predictions."""

import numpy as np
from numpy.typing import NDArray

from poreconv.events.events import Events

WINDOW = 3
"""Samples averaged on each side of a place."""


def jumps(pa: NDArray[np.float32]) -> NDArray[np.float64]:
    """How much the current changes at each place: mean of the 3 samples from it on, less that of the 3 before.

    Args:
        pa: Current in pA, shape ``(n_samples,)``.

    Returns:
        Absolute differences in pA, shape ``(n_samples - 5,)``, the first for sample 3; empty for a shorter read.
    """
    total = np.concatenate([[0], np.cumsum(pa, dtype=np.float64)])
    means = (total[WINDOW:] - total[:-WINDOW]) / WINDOW
    return np.asarray(np.abs(means[WINDOW:] - means[:-WINDOW]))


class JumpRatio:
    """Mean jump at boundaries over the mean jump anywhere between the first and the last event, pooled over reads.

    1: boundaries lie anywhere; exact boundaries of R9.4.1 DNA have about 2.5, a basecaller's moves 1.2. Each read
    weighs as many places as it has events.
    """

    def __init__(self) -> None:
        self._at, self._anywhere, self._n = 0.0, 0.0, 0

    def update(self, pa: NDArray[np.float32], events: Events) -> None:
        """Add one read: its current in pA, shape ``(n_samples,)``, and its events."""
        jump, place = jumps(pa), events.start - WINDOW
        place = place[(place >= 0) & (place < len(jump))]
        if len(place):
            span = jump[max(0, int(events.start[0]) - WINDOW) : int(events.end[-1]) - WINDOW]
            self._at += float(jump[place].sum())
            self._anywhere += float(span.mean()) * len(place)
            self._n += len(place)

    def compute(self) -> float:
        """The ratio; NaN without a boundary."""
        return self._at / self._anywhere if self._n else float("nan")
