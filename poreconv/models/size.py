"""The size of a network, and how far it sees; no torch here."""

from dataclasses import dataclass

from poreconv.config import require

LARGEST_SAMPLES = 1 << 24
"""Bound on receptive field and alignment: a file that claims more is refused."""


@dataclass(frozen=True, slots=True)
class NetworkSize:
    """What cutting reads into chunks, and a report, need to know of a network."""

    receptive_field: int | None
    """Samples that one output sees, at most: odd, centred on it. None if it is not bounded, or depends on the place in
    the window."""
    alignment: int
    """Chunks begin at multiples of this many samples."""
    n_parameters: int
    """Number of trained weights."""
    macs_per_sample: float
    """Multiply-adds per sample labelled."""

    def __post_init__(self) -> None:
        """Check the numbers."""
        field = self.receptive_field
        bounded = field is None or (0 < field < LARGEST_SAMPLES and field % 2 == 1)
        require(bounded, f"receptive field: {field}; must be odd, positive and below {LARGEST_SAMPLES:,}")
        aligned = 0 < self.alignment < LARGEST_SAMPLES
        require(aligned, f"alignment: {self.alignment}; must be positive and below {LARGEST_SAMPLES:,}")
        require(min(self.n_parameters, self.macs_per_sample) >= 0, "weights and multiply-adds must not be negative")

    @property
    def margin(self) -> int:
        """Samples of context that a chunk needs on each side: half the receptive field, aligned; 0 if not bounded."""
        half = (self.receptive_field or 1) // 2
        return -(-half // self.alignment) * self.alignment


@dataclass(frozen=True, slots=True)
class Measured:
    """What was measured of a network from outside, before it was trained."""

    size: NetworkSize
    stride: int
    """Samples per frame of its output."""

    def __post_init__(self) -> None:
        """Check that frames fit the alignment."""
        fits = self.stride > 0 and self.size.alignment % self.stride == 0
        require(fits, f"stride: {self.stride}; must divide the alignment, {self.size.alignment}")
