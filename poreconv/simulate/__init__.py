"""Simulators: reads whose true events are known. Adding one: one file here, one line in ``SIMULATORS``."""

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
    events: Events
    regions: Events | None = None
    """Parts of the read, such as adapter and poly(A) tail, that cover it without a gap; None if it has none."""


class Simulator(Protocol):
    """A generator of reads and their truth."""

    def __call__(self, common: SimulateConfig, config: Any) -> Iterator[Simulated]:
        """Yield ``common.reads`` reads; the same configs give the same reads."""
        ...
