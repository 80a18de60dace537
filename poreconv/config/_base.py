"""What all settings share."""

from dataclasses import dataclass, replace
from typing import Any, Literal, Self

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


@dataclass(frozen=True)
class WorkConfig:
    """Where jobs are done; the result is the same anywhere."""

    workers: int = 0
    """Processes; 0: one per core; but one alone that runs a model on an NVIDIA GPU, since several would share its
    memory."""
    scheduler: str | None = None
    """Dask scheduler, such as tcp://host:8786, whose workers do the jobs instead of processes here; one job at a time
    on each worker, so start them with --nthreads 1, one per core. All machines must see the same files under the same
    paths (those in TMPDIR too, for `evaluate`), and have this version of poreconv[cluster]. A scheduler lets whoever
    reaches it run any code on its workers: use one only in a network that you trust."""

    def __post_init__(self) -> None:
        """Check the number of processes."""
        require(self.workers >= 0, f"workers: {self.workers}; must be 0 (one per core) or more")

    def anywhere(self) -> Self:
        """All that decides the result: these settings, wherever the jobs are done."""
        return replace(self, workers=0, scheduler=None)
