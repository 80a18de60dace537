"""The processor of this machine: what decides which arithmetic is fast on it."""

import platform
from dataclasses import dataclass
from pathlib import Path

from poreconv.runtime.executors import cores

CPUINFO = Path("/proc/cpuinfo")
"""Where Linux describes the cores, in blocks of ``name : value``; the first block is enough."""

NAMES = ("vendor_id", "cpu family", "model", "model name", "stepping", "CPU implementer", "CPU part", "CPU revision")
FLAGS = ("flags", "Features")
"""Lines that name the processor, and those that list its instructions; the latter names are those on ARM."""


@dataclass(frozen=True)
class Processor:
    """A processor as the system describes it."""

    name: str
    flags: tuple[str, ...]
    """Names of its instruction sets; empty where the system does not list them."""
    cores: int
    """Cores that this process may use."""


def processor() -> Processor:
    """Return the processor of this machine."""
    try:
        block = CPUINFO.read_text(encoding="utf-8", errors="replace").partition("\n\n")[0]
    except OSError:  # not Linux
        return Processor(f"{platform.machine()} {platform.processor()}".strip(), (), cores())
    lines = {name.strip(): value.strip() for name, _, value in (line.partition(":") for line in block.splitlines())}
    described = " ".join(lines[name] for name in NAMES if name in lines) or platform.machine()
    return Processor(described, tuple(" ".join(lines.get(name, "") for name in FLAGS).split()), cores())
