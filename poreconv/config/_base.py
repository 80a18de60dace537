"""What all settings share."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Literal, TypeVar

from poreconv.errors import ConfigError

T = TypeVar("T")

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


FLAT = "flat"
"""Mark, in a field's metadata, of a group whose settings are named on the command line without the group's name."""


def group(kind: type[Any], **defaults: Any) -> Any:
    """Make the field of a config dataclass that holds a group of settings which several commands share.

    Args:
        kind: The group's dataclass.
        defaults: Settings whose default differs here from the group's own.

    Example:
        >>> @dataclass(frozen=True)
        ... class DropConfig:
        ...     work: WorkConfig = group(WorkConfig, workers=1)
    """
    return field(default_factory=lambda: kind(**defaults), metadata={FLAT: True})


def from_flat(kind: type[T], settings: Mapping[str, Any]) -> T:
    """Make a config dataclass, its groups included, of settings by their names on the command line.

    Args:
        kind: The dataclass.
        settings: Name -> value; those left out keep their defaults, and names that it does not have are passed over.

    Raises:
        ConfigError: A value is out of range.
    """
    values: dict[str, Any] = {}
    for each in fields(kind):  # type: ignore[arg-type]  # a dataclass
        if FLAT in each.metadata:
            default = each.default_factory()  # type: ignore[operator]  # `group` gives one
            values[each.name] = from_flat(type(default), asdict_flat(default) | dict(settings))
        elif each.name in settings:
            values[each.name] = settings[each.name]
    return kind(**values)


def asdict_flat(config: Any) -> dict[str, Any]:
    """Give the settings of a config dataclass by their names on the command line: the inverse of `from_flat`."""
    flat: dict[str, Any] = {}
    for each in fields(config):
        value = getattr(config, each.name)
        flat |= asdict_flat(value) if FLAT in each.metadata else {each.name: value}
    return flat


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
