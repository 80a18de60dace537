"""Simulators: reads whose true events are known. To add one: one file here, one line in ``SIMULATORS``."""

from collections.abc import Iterator
from typing import Any, NamedTuple, Protocol

from poreconv.config import SimulateConfig
from poreconv.events.events import Events
from poreconv.reads.read import Read

SIMULATORS = {
    "heartbeat": "poreconv.simulate.heartbeat:simulate",
    "squiggle": "poreconv.simulate.squiggle:simulate",
}


class Simulated(NamedTuple):
    """A read and its truth."""

    read: Read
    """The simulated record."""
    events: Events
    """Its true events."""
    regions: Events | None = None
    """Regions of the read, such as adapter and poly(A) tail, which cover it without a gap; None if it has none."""


class Simulator(Protocol):
    """A generator of reads and their truth."""

    def __call__(self, common: SimulateConfig, config: Any) -> Iterator[Simulated]:
        """Yield simulated reads; the same settings give the same reads.

        Args:
            common: Number of reads and seed.
            config: Settings of this simulator.
        """
        ...
