"""Measurements of a live flow cell: how long samples waited for their labels, and how fast they were labelled."""

from dataclasses import dataclass, field
from typing import Any, ClassVar, Self

import numpy as np

from poreconv.runtime.ledger import Ledger

BIN_S = 0.001
LONGEST_S = 60.0
"""Width of the bins that latencies are counted in, and the last bin, which holds all longer ones; seconds of signal."""


class Waits:
    """Number of samples by how long they waited for their labels."""

    RECORD: ClassVar[Any] = tuple[list[int], list[float]]

    def __init__(self) -> None:
        self.n_samples = np.zeros(round(LONGEST_S / BIN_S))
        """Number of samples in each bin of `BIN_S`."""

    def to_record(self) -> tuple[list[int], list[float]]:
        """Return the bins that hold samples, and their numbers of samples."""
        filled = np.flatnonzero(self.n_samples)
        return filled.tolist(), self.n_samples[filled].tolist()

    @classmethod
    def from_record(cls, record: tuple[list[int], list[float]]) -> Self:
        """Return the waits that JSON contains.

        Args:
            record: What `to_record` returned.
        """
        waits = cls()
        filled, n_samples = record
        waits.n_samples[np.array(filled, np.intp)] = n_samples
        return waits


@dataclass
class Measured:
    """Measurements of the channels that one process, or several together, labelled."""

    n_samples: int = 0
    """Samples that were pushed."""
    played_s: float = 0.0
    """Seconds of signal that each channel has played."""
    wall_s: float = 0.0
    """Seconds that playing them took."""
    samples_per_busy_s: float = 0.0
    """Samples per second of work, time spent waiting for samples excluded; summed over processes."""
    behind_s: float = 0.0
    """Delay between the arrival of the last samples and the end of their labelling, in seconds of signal."""
    reads: int = 0
    """Reads that were played to their end and labelled."""
    waits: Waits = field(default_factory=Waits)
    ledger: Ledger = field(default_factory=Ledger)
    """Dropped reads; kept ones are counted in ``reads`` alone."""

    def add_wait(self, longest_s: float, n_samples: int, rate_hz: float) -> None:
        """Count samples that arrived one after the other and were labelled together.

        Args:
            longest_s: How long the first of them waited, in seconds of signal.
            n_samples: Number of samples.
            rate_hz: Sample rate at which they arrived.
        """
        bins = self.waits.n_samples
        last = min(int(longest_s / BIN_S), len(bins) - 1)
        first = min(max(int((longest_s - n_samples / rate_hz) / BIN_S), 0), last)
        bins[first : last + 1] += n_samples / (last + 1 - first)

    def latency_s(self, share: float) -> float:
        """Return a quantile of the latency, in seconds of signal; 0 without samples.

        Args:
            share: Share of the samples that were labelled within the returned time, 0 to 1.
        """
        n_within = np.cumsum(self.waits.n_samples)
        return float((np.searchsorted(n_within, share * n_within[-1]) + 1) * BIN_S) if n_within[-1] else 0.0

    def merge(self, other: Self) -> None:
        """Add the measurements of another process at the same time.

        Args:
            other: Its measurements.
        """
        self.n_samples += other.n_samples
        self.samples_per_busy_s += other.samples_per_busy_s
        self.reads += other.reads
        self.waits.n_samples += other.waits.n_samples
        self.ledger.merge(other.ledger)
        for name in ("played_s", "wall_s", "behind_s"):
            setattr(self, name, max(getattr(self, name), getattr(other, name)))
