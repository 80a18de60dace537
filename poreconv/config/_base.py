"""What all settings share."""

from typing import Any, Literal

from poreconv.errors import ConfigError

Task = Literal["boundary", "segment", "base", "read"]
Precision = Literal["auto", "32", "bf16"]
BackendName = Literal["auto", "torch", "compile", "onnx"]
DecodeMethod = Literal["peaks", "segmental", "ordered"]
Written = Literal["fast5", "pod5", "blow5", "slow5"]
Chemistry = Literal["dna_r9.4.1", "dna_r10.4.1", "rna001", "rna002", "rna004"]
"""Those whose reads can be simulated."""


IGNORE = -1
"""Target of a sample of which nothing is known."""
INSIDE, BOUNDARY = 0, 1
"""Targets of task `boundary`: inside an event, and the first sample of one."""


def require(condition: bool, message: str) -> None:
    """Raise `ConfigError` with ``message`` unless ``condition`` holds."""
    if not condition:
        raise ConfigError(message)


def require_none_below(config: Any, least: float, *names: str) -> None:
    """Raise `ConfigError` if a setting is a number smaller than ``least``; None is no number."""
    for name in names:
        value = getattr(config, name)
        require(value is None or value >= least, f"{name}: {value}; must be {least:g} or more")
