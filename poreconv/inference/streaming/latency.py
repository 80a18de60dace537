"""How long samples of a live flow cell waited for their labels, and what the labelling cost."""

from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from poreconv.runtime.ledger import Ledger

BIN_S = 0.001
LONGEST_S = 60.0
"""Latencies are counted in bins of so many seconds; what took longer counts in the last."""


@dataclass
class Measured:
    """What one process, or several together, did of a live flow cell."""

    n_samples: int = 0
    """Samples that were pushed."""
    played_s: float = 0.0
    """Seconds of signal that each channel has played."""
    wall_s: float = 0.0
    """Seconds that it took."""
    samples_per_busy_s: float = 0.0
    """Samples over the time that was not spent waiting for more; summed over processes."""
    behind_s: float = 0.0
    """How much later than it came the last signal was labelled, as seconds of signal."""
    reads: int = 0
    """Reads that were played to their end and labelled."""
    waits: NDArray[np.float64] = field(default_factory=lambda: np.zeros(round(LONGEST_S / BIN_S)))
    """Samples by how long they waited for their labels."""
    ledger: Ledger = field(default_factory=Ledger)
    """Reads that were dropped; those that were kept are counted in ``reads``."""

    def wait(self, longest_s: float, n_samples: int, rate_hz: float) -> None:
        """Count samples that came one after the other and were labelled together: the first waited longest."""
        last = min(int(longest_s / BIN_S), len(self.waits) - 1)
        first = min(max(int((longest_s - n_samples / rate_hz) / BIN_S), 0), last)
        self.waits[first : last + 1] += n_samples / (last + 1 - first)

    def latency_s(self, share: float) -> float:
        """Seconds of signal within which this share of the samples had their labels; 0 of none."""
        n_within = np.cumsum(self.waits)
        return float((np.searchsorted(n_within, share * n_within[-1]) + 1) * BIN_S) if n_within[-1] else 0.0

    def merge(self, other: Self) -> None:
        """Add what another process did at the same time."""
        self.n_samples += other.n_samples
        self.samples_per_busy_s += other.samples_per_busy_s
        self.reads += other.reads
        self.waits += other.waits
        self.ledger.merge(other.ledger)
        for name in ("played_s", "wall_s", "behind_s"):
            setattr(self, name, max(getattr(self, name), getattr(other, name)))

    def to_dict(self) -> dict[str, Any]:
        """As plain JSON types."""
        taken = np.flatnonzero(self.waits)
        waits = [taken.tolist(), self.waits[taken].tolist()]
        return vars(self) | {"waits": waits, "ledger": self.ledger.to_dict()}

    @classmethod
    def from_dict(cls, plain: dict[str, Any]) -> Self:
        """The inverse of `to_dict`."""
        made = cls(**plain | {"ledger": Ledger.from_dict(plain["ledger"]), "waits": cls().waits})
        taken, counts = plain["waits"]
        made.waits[np.array(taken, np.intp)] = counts
        return made
