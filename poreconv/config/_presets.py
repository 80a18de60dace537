"""Presets: settings that go together, by name."""

from dataclasses import dataclass
from typing import Literal

Ordered = Literal["auto", "yes", "no"]


@dataclass(frozen=True)
class Preset:
    """What one kind of question needs; a setting that is given takes the place of the preset's."""

    task: str
    """Name of the task."""
    network: str = "unet"
    """Name of the network."""
    max_steps: int = 4000
    batch_size: int = 32
    chunk_samples: int = 2000
    learning_rate: float = 4e-3
    by_length: bool = False
    """Whether the network's reach, the windows and their number are those that fit the lengths of the labels' events,
    in place of the numbers here."""
    ordered: Ordered = "auto"


PRESETS = {
    "boundaries": Preset(task="boundary"),
    "regions": Preset(task="segment", network="strided", max_steps=1000, learning_rate=2e-3, by_length=True),
    "trace": Preset(
        task="segment", network="strided", max_steps=1000, learning_rate=2e-3, by_length=True, ordered="no"
    ),
}
"""Name -> settings. The first is the default, or the first for the task of the stores that are trained on."""
