"""Presets: settings that go together, by name."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Preset:
    """What one kind of question needs."""

    task: str
    """Name of the task."""


PRESETS = {"boundaries": Preset(task="boundary")}
"""Name -> settings; the first is the default."""
