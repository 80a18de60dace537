"""Reads from files, played as a live flow cell: many channels, each with one read after the other."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from poreconv.config import FlowCellConfig, require
from poreconv.errors import MismatchError, ReadDropped, SignalError
from poreconv.events.events import Events, joined
from poreconv.inference.streaming.labeller import StreamingLabeller
from poreconv.inference.streaming.latency import Measured
from poreconv.reads.read import Read
from poreconv.reads.readers import open_reads
from poreconv.reads.scaling import EMPTY
from poreconv.reads.selection import Selection
from poreconv.runtime.ledger import Ledger

MOST_SAMPLES = 100_000_000
"""Limit of the samples that a process keeps in memory; it plays these reads again and again."""


def reads_for(
    paths: Path | str | Sequence[Path | str],
    config: FlowCellConfig,
    ledger: Ledger,
    check: Callable[[Read], None] = lambda read: None,
) -> list[Read]:
    """Read as many reads as the channels can play, within `MOST_SAMPLES`; the others go into the ledger.

    Args:
        paths: Signal files and folders: one, or several.
        config: Channels, seconds of signal, which reads are used, and whether bad files are passed over.
        ledger: Records dropped reads and passed-over files.
        check: Raises `ReadDropped` for reads that are not played.

    Raises:
        ConfigError: No read has samples.
        MismatchError: No read fits the model.
    """
    kept, n_samples, misfit = list[Read](), 0, None
    selection, skip = Selection.of(config.files), config.files.skip_bad_files
    with open_reads(paths, ledger=ledger, skip_bad_files=skip, selection=selection) as reads:
        for read in reads:
            try:
                check(read)
                if not len(read.adc):
                    raise SignalError(EMPTY, reason="empty")
            except ReadDropped as exc:
                misfit = misfit or (exc if isinstance(exc, MismatchError) else None)
                ledger.drop(exc, read_id=read.read_id, source=read.source)
                continue
            kept.append(read)
            n_samples += len(read.adc)
            if n_samples >= min(config.channels * config.seconds * read.sample_rate_hz, MOST_SAMPLES):
                break
    if not kept and misfit is not None:
        raise misfit
    require(bool(kept), f"{paths}: no read with samples; give other files")
    return kept


@dataclass
class Channel:
    """One channel: which read it sequences, and how much of it is played."""

    read_index: int
    """Index of the read; it counts on when the reads are played again, and rises by the number of channels."""
    begins: int
    """When the read begins, in samples from the flow cell's start."""
    played: int = 0
    """Samples of the read that were pushed."""
    certain: int = 0
    """Samples of the read whose labels are certain."""
    found: list[Events] = field(default_factory=list)
    """Events of the read so far, one part per push."""


class FlowCell:
    """Some channels of a live flow cell.

    Args:
        streaming: Labels the reads.
        reads: Reads to play: channel c plays the reads c, c + channels, c + 2 channels, ..., and round again.
        channels: Numbers of these channels, out of ``config.channels``.
        config: Speed, and seconds of signal in all and per push.
        measured: Receives the measurements; kept reads are not counted in its ledger.
        stopped: Called before each push; True ends the playing.
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
        self._channels = {channel: Channel(channel, channel * hop // config.channels) for channel in channels}

    def play(self) -> Iterator[tuple[Read, Events]]:
        """Play the reads; yield each read, with its events, when it ends for the first time on any channel."""
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
        """Return a clock of the signal: how many seconds of it have arrived."""
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
        """Begin reads that are due, and return the samples of each channel that have arrived and were not pushed."""
        pieces = {}
        for number, channel in self._channels.items():
            n_due = upto - channel.begins - channel.played
            if n_due > 0:
                read = self._read_of(channel)
                if not channel.played:
                    self._streaming.start(read, number)
                pieces[number] = read.counts[channel.played : channel.played + n_due]
        return pieces

    def _read_of(self, channel: Channel) -> Read:
        return self._reads[channel.read_index % len(self._reads)]

    def _push(self, pieces: dict[int, NDArray[np.int16]], clock: Callable[[], float]) -> Iterator[tuple[Read, Events]]:
        ended = set[int]()
        for number, adc in pieces.items():
            channel = self._channels[number]
            channel.played += len(adc)
            self.measured.n_samples += len(adc)
            if channel.played == len(self._read_of(channel).adc):
                ended.add(number)
        for number, events in self._streaming.push_all(pieces, ended).items():
            channel = self._channels[number]
            channel.found.append(events)
            if number not in ended:
                self._count_wait(channel, self._streaming.certain(number), clock())
            elif len(events.coverage):  # a dropped read has none
                self._count_wait(channel, channel.played, clock())
                self.measured.reads += 1
                if channel.read_index < len(self._reads):
                    yield self._read_of(channel), joined(channel.found)
            if number in ended:
                next_index = channel.read_index + self._config.channels
                self._channels[number] = Channel(next_index, channel.begins + channel.played)

    def _count_wait(self, channel: Channel, certain: int, now_s: float) -> None:
        """Count how long the samples that became certain waited."""
        if certain > channel.certain:
            arrived_s = (channel.begins + channel.certain) / self._rate_hz
            self.measured.add_wait(now_s - arrived_s, certain - channel.certain, self._rate_hz)
            channel.certain = certain
