"""Names and functions that all settings share."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import timedelta
from typing import Any, Literal, TypeVar

from poreconv.errors import ConfigError

T = TypeVar("T")

Precision = Literal["auto", "32", "bf16"]
BackendName = Literal["auto", "torch", "compile", "onnx"]
DecodeMethod = Literal["peaks", "segmental", "ordered"]
SignalFormat = Literal["fast5", "pod5", "blow5", "slow5"]
SimulatedChemistry = Literal["dna_r9.4.1", "dna_r10.4.1", "rna001", "rna002", "rna004"]
"""Chemistries whose reads can be simulated."""


IGNORE = -1
"""Target of a sample without a label."""
INSIDE, BOUNDARY = 0, 1
"""Targets of task `boundary`: a sample inside an event, and the first sample of one."""


def require(condition: bool, message: str) -> None:
    """Check a condition.

    Args:
        condition: What must be true of the settings.
        message: The error's message: setting, value, and what it must be.

    Raises:
        ConfigError: The condition is false.
    """
    if not condition:
        raise ConfigError(message)


def require_none_below(config: Any, least: float, *names: str) -> None:
    """Check that settings are not below a limit.

    Args:
        config: A config dataclass.
        least: The limit.
        *names: Names of fields that are numbers; a field that is None is not checked.

    Raises:
        ConfigError: A field is smaller than ``least``.
    """
    for name in names:
        value = getattr(config, name)
        require(value is None or value >= least, f"{name}: {value}; must be {least:g} or more")


NUMBER = r"\d+(?:\.\d+)?"

DURATIONS = (
    rf"(?:(?P<days>{NUMBER})d)?(?:(?P<hours>{NUMBER})h)?(?:(?P<minutes>{NUMBER})m)?(?:(?P<seconds>{NUMBER})s)?",
    r"(?P<days>\d+):(?P<hours>\d\d):(?P<minutes>\d\d):(?P<seconds>\d\d)",
)
"""Forms in which a duration can be written."""


def duration_of(text: str, *, name: str) -> timedelta:
    """Return the duration that a text such as ``10m``, ``1h30m`` or ``00:00:10:00`` stands for.

    Args:
        text: Days, hours, minutes, seconds: ``2d``, ``1.5h``, ``90s``, several of them, or ``DD:HH:MM:SS``.
        name: Name of the setting, for the message.

    Raises:
        ConfigError: The text is in no such form, or the duration is 0.
    """
    found = next((match for form in DURATIONS if (match := re.fullmatch(form, text))), None)
    parts = {unit: float(number) for unit, number in found.groupdict().items() if number} if found else {}
    duration = timedelta(**parts)
    require(bool(duration), f"{name}: {text!r}; give a time such as 10m, 1h30m, 2d, or DD:HH:MM:SS")
    return duration


FLAT = "flat"
"""Key in the metadata of a field that is a group: its settings are command line options without the group's name."""


def group(kind: type[Any], **defaults: Any) -> Any:
    """Make a field of a config dataclass that is a group of settings which several commands share.

    Args:
        kind: The group's dataclass.
        **defaults: Settings whose default in this field differs from the group's own.

    Example:
        >>> @dataclass(frozen=True)
        ... class DropConfig:
        ...     work: WorkConfig = group(WorkConfig, workers=1)
    """
    return field(default_factory=lambda: kind(**defaults), metadata={FLAT: True})


def from_flat(kind: type[T], settings: Mapping[str, Any]) -> T:
    """Make a config dataclass, including its groups, from settings by their names on the command line.

    Args:
        kind: The dataclass.
        settings: Name -> value. Missing settings keep their defaults; names of no field are ignored.

    Raises:
        ConfigError: A value is out of range.
    """
    values: dict[str, Any] = {}
    for each in fields(kind):  # type: ignore[arg-type]  # a dataclass
        if FLAT in each.metadata:
            default = each.default_factory()  # type: ignore[operator]  # `group` sets one
            values[each.name] = from_flat(type(default), asdict_flat(default) | dict(settings))
        elif each.name in settings:
            values[each.name] = settings[each.name]
    return kind(**values)


def asdict_flat(config: Any) -> dict[str, Any]:
    """Return the settings of a config dataclass by their names on the command line: the inverse of `from_flat`.

    Args:
        config: The dataclass.

    Returns:
        Name -> value, including the settings of its groups.
    """
    flat: dict[str, Any] = {}
    for each in fields(config):
        value = getattr(config, each.name)
        flat |= asdict_flat(value) if FLAT in each.metadata else {each.name: value}
    return flat


@dataclass(frozen=True)
class WorkConfig:
    """Processes in which jobs are done; the result does not depend on them."""

    workers: int = 0
    """Number of processes. 0: one per core; where they run a model on an NVIDIA GPU, which they share, no more than its
    free memory holds, at 2 GiB each."""
    scheduler: str | None = None
    """Address of a Dask scheduler, such as tcp://host:8786, whose workers do the jobs instead of processes on this
    machine. A worker does one job at a time: start one per core, with --nthreads 1. All machines must have the same
    files under the same paths (for `evaluate` also those in TMPDIR), and this version of poreconv[cluster]. Whoever
    can reach a scheduler can run any code on its workers: use one only in a network that you trust."""

    def __post_init__(self) -> None:
        """Check the number of processes."""
        require(self.workers >= 0, f"workers: {self.workers}; must be 0 (one per core) or more")
