"""How large a network is, and how far it sees; no torch here."""

import json
from dataclasses import asdict, dataclass
from typing import Self

from poreconv.config import require
from poreconv.errors import ConfigError

MOST = 1 << 24
"""No network sees further: what a file claims is not believed beyond it."""


@dataclass(frozen=True, slots=True)
class NetworkSize:
    """What cutting reads, and a report, need to know of a network."""

    receptive_field: int | None
    """Samples that one output sees, at most: odd, centred on it. None if it is not bounded, or tied to places."""
    alignment: int
    """Chunks begin at multiples of this many samples."""
    n_parameters: int
    """Trained numbers."""
    macs_per_sample: float
    """Multiply-adds per sample labelled."""

    def __post_init__(self) -> None:
        """Check the numbers."""
        field = self.receptive_field
        require(field is None or (0 < field < MOST and field % 2 == 1), f"receptive field: {field}; must be odd")
        require(0 < self.alignment < MOST, f"alignment: {self.alignment}; must be positive")
        require(min(self.n_parameters, self.macs_per_sample) >= 0, "weights and multiply-adds must not be negative")

    @property
    def margin(self) -> int:
        """Samples of context that a chunk needs on each side: half the receptive field, aligned; 0 if not bounded."""
        half = (self.receptive_field or 1) // 2
        return -(-half // self.alignment) * self.alignment

    def to_json(self) -> str:
        """As JSON text."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Self:
        """The inverse of `to_json`.

        Raises:
            ConfigError: The text is none, or its numbers are impossible.
        """
        try:
            return cls(**json.loads(text))
        except (TypeError, ValueError) as exc:
            raise ConfigError(f"size of the network: {exc}") from exc
