"""Whether labels lie where the current steps: a score without reference labels, for truth as well as predictions."""

import numpy as np
from numpy.typing import NDArray

from poreconv.events.events import Events

WINDOW = 3
"""Samples averaged on each side of a position."""


def jumps(pa: NDArray[np.float32]) -> NDArray[np.float64]:
    """Measure how much the current changes at each sample: mean of 3 samples from it on, minus mean of 3 before it.

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

    Boundaries placed at random score 1; exact boundaries of R9.4.1 DNA score about 2.5, a basecaller's moves 1.2. Each
    read is weighted by its number of boundaries.
    """

    def __init__(self) -> None:
        self._at, self._anywhere, self._n = 0.0, 0.0, 0

    def update(self, pa: NDArray[np.float32], events: Events) -> None:
        """Add one read.

        Args:
            pa: Current in pA, shape ``(n_samples,)``.
            events: Its labels; a boundary is an event's first sample.
        """
        jump, place = jumps(pa), events.start - WINDOW
        place = place[(place >= 0) & (place < len(jump))]
        if len(place):
            span = jump[max(0, int(events.start[0]) - WINDOW) : int(events.end[-1]) - WINDOW]
            self._at += float(jump[place].sum())
            self._anywhere += float(span.mean()) * len(place)
            self._n += len(place)

    def compute(self) -> float:
        """Return the ratio of the reads added so far; NaN without a boundary."""
        return self._at / self._anywhere if self._n else float("nan")
