"""Reads from files, played as a live flow cell: many channels, each one read after the other."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from poreconv.config import FlowCellConfig, require
from poreconv.errors import SignalError
from poreconv.events.events import Events, joined
from poreconv.inference.streaming.labeller import StreamingLabeller
from poreconv.inference.streaming.latency import Measured
from poreconv.reads.read import Read
from poreconv.reads.readers import open_reads
from poreconv.reads.scaling import EMPTY
from poreconv.runtime.ledger import Ledger

MOST_SAMPLES = 100_000_000
"""A process keeps reads of so many samples in memory at most, and plays them again."""


def reads_for(paths: Path | str | Sequence[Path | str], config: FlowCellConfig, ledger: Ledger) -> list[Read]:
    """Read as many reads as the channels can play, within `MOST_SAMPLES`; unusable ones go into the ledger.

    Raises:
        ConfigError: No read has samples.
    """
    kept, n_samples = list[Read](), 0
    with open_reads(paths, ledger=ledger, skip_bad_files=config.files.skip_bad_files) as reads:
        for read in reads:
            if not len(read.adc):
                ledger.drop(SignalError(EMPTY, reason="empty"), read_id=read.read_id, source=read.source)
                continue
            kept.append(read)
            n_samples += len(read.adc)
            if n_samples >= min(config.channels * config.seconds * read.sample_rate_hz, MOST_SAMPLES):
                break
    require(bool(kept), f"{paths}: no read with samples; give other files")
    return kept


@dataclass
class Pore:
    """One channel: which read goes through it, and how far that is."""

    number: int
    """Of its reads; it goes up by the number of channels with each."""
    begins: int
    """When the read begins, in samples from the flow cell's start."""
    played: int = 0
    certain: int = 0
    """Samples of the read whose labels are certain."""
    found: list[Events] = field(default_factory=list)


class FlowCell:
    """Some channels of a live flow cell.

    Args:
        streaming: Labels them.
        reads: What they play: channel c the reads c, c + channels, c + 2 channels, ..., and round again.
        channels: The numbers of these channels, of ``config.channels``.
        config: How they play.
        stopped: Asked before each push whether to end.
        measured: What is done goes in there, its ledger's counts of kept reads excepted.
    """

    def __init__(
        self,
        streaming: StreamingLabeller,
        reads: Sequence[Read],
        channels: Sequence[int],
        config: FlowCellConfig,
        measured: Measured,
        stopped: Callable[[], bool] = lambda: False,
    ) -> None:
        self.measured = measured
        self._streaming, self._reads, self._config, self._stopped = streaming, reads, config, stopped
        self._rate_hz = reads[0].sample_rate_hz
        hop = streaming.chunking.hop  # on a flow cell, no two channels begin at once
        self._pores = {channel: Pore(channel, channel * hop // config.channels) for channel in channels}

    def play(self) -> Iterator[tuple[Read, Events]]:
        """Play; gives each read that ended, the first time that it did on any channel, with its events."""
        began, busy_s = time.perf_counter(), 0.0
        for number in range(1, int(np.ceil(self._config.seconds / self._config.push_s)) + 1):
            if self._stopped():
                break
            due_s = number * self._config.push_s
            clock = self._clock(began, due_s)
            self._sleep(due_s - clock())
            started = time.perf_counter()
            while pieces := self._pieces(int(due_s * self._rate_hz)):
                yield from self._push(pieces, clock)
            busy_s += time.perf_counter() - started
            self._count(due_s, time.perf_counter() - began, busy_s, clock() - due_s)

    def _clock(self, began: float, due_s: float) -> Callable[[], float]:
        """What tells how much of the signal has come, in seconds."""
        if self._config.speed == "max":
            return lambda: due_s
        speed = 1.0 if self._config.speed == "real" else self._config.speed
        return lambda: (time.perf_counter() - began) * speed

    def _sleep(self, signal_s: float) -> None:
        if signal_s > 0:
            time.sleep(signal_s if self._config.speed == "real" else signal_s / float(self._config.speed))

    def _count(self, due_s: float, wall_s: float, busy_s: float, behind_s: float) -> None:
        self.measured.played_s, self.measured.wall_s, self.measured.behind_s = due_s, wall_s, behind_s
        self.measured.samples_per_busy_s = self.measured.n_samples / busy_s

    def _pieces(self, upto: int) -> dict[int, NDArray[np.int16]]:
        """What has come of each channel's read and was not pushed; begins reads."""
        pieces = {}
        for channel, pore in self._pores.items():
            n_due = upto - pore.begins - pore.played
            if n_due > 0:
                read = self._read_of(pore)
                if not pore.played:
                    self._streaming.start(read, channel)
                pieces[channel] = read.adc[pore.played : pore.played + n_due]
        return pieces

    def _read_of(self, pore: Pore) -> Read:
        return self._reads[pore.number % len(self._reads)]

    def _push(self, pieces: dict[int, NDArray[np.int16]], clock: Callable[[], float]) -> Iterator[tuple[Read, Events]]:
        ended = set[int]()
        for channel, adc in pieces.items():
            pore = self._pores[channel]
            pore.played += len(adc)
            self.measured.n_samples += len(adc)
            if pore.played == len(self._read_of(pore).adc):
                ended.add(channel)
        for channel, events in self._streaming.push_all(pieces, ended).items():
            pore = self._pores[channel]
            pore.found.append(events)
            if channel not in ended:
                self._wait(pore, self._streaming.certain(channel), clock())
            elif len(events.coverage):  # it was not dropped
                self._wait(pore, pore.played, clock())
                self.measured.reads += 1
                if pore.number < len(self._reads):
                    yield self._read_of(pore), joined(pore.found)
            if channel in ended:
                self._pores[channel] = Pore(pore.number + self._config.channels, pore.begins + pore.played)

    def _wait(self, pore: Pore, certain: int, now_s: float) -> None:
        """Count how long the samples that became certain waited."""
        if certain > pore.certain:
            came_s = (pore.begins + pore.certain) / self._rate_hz
            self.measured.wait(now_s - came_s, certain - pore.certain, self._rate_hz)
            pore.certain = certain
