"""Reads through a model while they are sequenced: many channels at once, seam-free, in constant memory.

A channel's signal goes through the network in chunks of one length, as soon as one is there, and all channels' that are
there in one go. Each chunk carries the network's margin, as in `infer`, so the same shift and scale give the same
probabilities. Those of a whole read are not known before its end: a chunk is normalised by the shift and scale of all
samples up to its own end, the first chunks by those of the warm-up.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from poreconv.config import StreamConfig
from poreconv.errors import ConfigError, MismatchError, SignalError
from poreconv.events.events import Events
from poreconv.inference.chunking import Chunking
from poreconv.inference.decoding.online import OnlineDecoder, online_decoder
from poreconv.inference.decoding.temperature import probabilities
from poreconv.inference.labeller import Labeller, unit_of
from poreconv.inference.streaming.read_buffer import Channel, Chunk
from poreconv.models.size import NetworkSize
from poreconv.reads.read import Read
from poreconv.reads.scaling import normalise
from poreconv.runtime.ledger import Ledger

# N chunks, C classes, T samples

NO_SAMPLES = np.empty(0, np.int16)
NOTHING = Events.of([], [])
NO_CHANNEL = 0
"""Where the signal of one read alone is pushed."""


@dataclass(slots=True)
class _Open:
    """What is remembered of a channel whose read has not ended."""

    signal: Channel
    decoder: OnlineDecoder
    dropped: bool = False
    """Whether the read went into the ledger; nothing more is looked at."""


def _chunking(hop_samples: int, size: NetworkSize) -> Chunking:
    """Chunks with a hop of so many samples, or the next fewer that suit the network, if there are any."""
    unit, context = unit_of(size), 2 * size.margin
    return Chunking(max((hop_samples + context) // unit, context // unit + 1) * unit, size.margin, grain=unit)


class StreamingLabeller:
    """A trained model that labels reads while they come.

    A sample waits for the rest of its hop, with which it goes through the network, and for the lookahead behind that,
    which is half the receptive field; a read's first samples wait for the warm-up. Then its label is certain; with
    method ``segmental``, as soon as what follows cannot change it any more, `online.LAG` samples later at most.

    What the running scale costs: F1 within one sample against the aligners' boundaries, whole reads' scale and running
    one, of 14 reads each: lambda R9.4.1 0.865 and 0.865, E. coli R9.4 0.889 and 0.887, human R10.4.1 0.846 and 0.845,
    RNA002 0.669 and 0.666. The scale of the first 2000 samples alone would cost up to 0.04, as reads begin with an
    adapter, or a pore that is still open.

    Args:
        labeller: The model, ready to label whole reads.
        config: Hop and warm-up.
        ledger: Takes reads that are empty or flat; without it, they raise, and what was pushed with them is lost.

    Example:
        >>> streaming = StreamingLabeller(load("dna_r9.4.1_boundary"))
        >>> streaming.start(read)
        >>> events = [streaming.push(adc) for adc in pieces] + [streaming.finish()]

    Raises:
        ConfigError: The model needs whole reads.
    """

    def __init__(self, labeller: Labeller, config: StreamConfig | None = None, ledger: Ledger | None = None) -> None:
        config = config or StreamConfig()
        size, recipe = labeller.backend.size, labeller.recipe
        if size.receptive_field is None:
            raise ConfigError(f"stream: {recipe.network} has no bounded receptive field; use poreconv label")
        online_decoder(recipe.task, recipe.classes, recipe.decoding)  # refuses what cannot be decoded so
        self._labeller, self._ledger = labeller, ledger
        self.chunking, self._warmup = _chunking(config.hop_samples, size), config.warmup_samples
        self._open: dict[int, _Open] = {}

    def start(self, read: Read, channel: int = NO_CHANNEL, scale_pa: tuple[float, float] | None = None) -> None:
        """Begin a read.

        Args:
            read: What is known of it; its samples are not looked at, and may be none.
            channel: Where it is sequenced.
            scale_pa: Its shift and scale in pA, if they are known; then there is no warm-up.

        Raises:
            ConfigError: The channel's read has not ended.
            MismatchError: The model was not trained for such reads, or not at their sample rate.
        """
        if channel in self._open:
            raise ConfigError(f"channel {channel}: {self._open[channel].signal.read.where} has not ended; finish it")
        recipe = self._labeller.recipe
        self._labeller.check(read)
        if recipe.resampled_from_hz and read.sample_rate_hz != recipe.sample_rate_hz:
            raise MismatchError(
                f"{read.where}: {read.sample_rate_hz:g} Hz; the model resamples whole reads to"
                f" {recipe.sample_rate_hz:g} Hz, use poreconv label"
            )
        decoder = online_decoder(recipe.task, recipe.classes, recipe.decoding)
        self._open[channel] = _Open(Channel(read, self.chunking, self._warmup, scale_pa), decoder)

    def push(self, adc: NDArray[np.int16], channel: int = NO_CHANNEL) -> Events:
        """Take further samples of one channel; gives the events that ended for certain. See `push_all`."""
        return self.push_all({channel: adc})[channel]

    def finish(self, channel: int = NO_CHANNEL) -> Events:
        """End a channel's read; gives the rest of its events. See `push_all`."""
        return self.push_all({channel: NO_SAMPLES}, ended=[channel])[channel]

    def push_all(self, adc: Mapping[int, NDArray[np.int16]], ended: Collection[int] = ()) -> dict[int, Events]:
        """Take further samples of many channels.

        Args:
            adc: Channel -> counts, shape ``(n,)``, n may differ.
            ended: Those of these channels whose reads end with these samples.

        Returns:
            Of each channel the events that ended for certain, in samples from the read's start; see
            `online.OnlineDecoder.push`. Those of a read, joined, are the events of the read. None of a dropped read.

        Raises:
            ConfigError: A channel has no read, or what it is given are no int16 counts.
            SignalError: A read is empty or flat, and there is no ledger.
        """
        chunks = {number: self._take(number, samples, number in ended) for number, samples in adc.items()}
        probabilities_CT = self._probabilities([chunk for mine in chunks.values() for chunk in mine])
        events, done = dict[int, Events](), 0
        for number, mine in chunks.items():
            labelled = probabilities_CT[:, done : done + sum(chunk.labels for chunk in mine)]
            done += len(mine) * self.chunking.hop
            events[number] = self._decode(number, labelled, number in ended)
        return events

    def certain(self, channel: int = NO_CHANNEL) -> int:
        """Samples from the start of the channel's read whose labels cannot change any more."""
        return self._at(channel).decoder.certain

    def _at(self, channel: int) -> _Open:
        if channel not in self._open:
            raise ConfigError(f"channel {channel}: no read has begun; start one")
        return self._open[channel]

    def _take(self, channel: int, adc: NDArray[np.int16], last: bool) -> list[Chunk]:
        """Give the channel further samples; what makes a read unusable goes into the ledger."""
        one = self._at(channel)
        if adc.dtype != np.int16 or adc.ndim != 1:
            raise ConfigError(f"channel {channel}: {adc.ndim}-D {adc.dtype}; push int16 counts, shape (n,)")
        if one.dropped:
            return []
        try:
            return one.signal.take(adc, last=last)
        except SignalError as exc:
            if self._ledger is None:
                raise
            self._ledger.drop(exc, read_id=one.signal.read.read_id, source=one.signal.read.source)
            one.dropped = True
            return []

    def _decode(self, channel: int, probabilities_CT: NDArray[np.float32], last: bool) -> Events:
        one = self._open.pop(channel) if last else self._open[channel]
        if one.dropped or not (last or probabilities_CT.size):
            return NOTHING
        return one.decoder.push(probabilities_CT, last=last)

    def _probabilities(self, chunks: list[Chunk]) -> NDArray[np.float32]:
        """Of the samples that each chunk is to label, one after the other, shape ``(C, N * hop)``."""
        if not chunks:
            return np.empty((len(self._labeller.recipe.classes), 0), np.float32)
        logits_NCT = self._labeller.logits(self._normalised(chunks))
        middle_NCT = logits_NCT[:, :, self.chunking.margin : self.chunking.margin + self.chunking.hop]
        logits_CT = middle_NCT.transpose(1, 0, 2).reshape(logits_NCT.shape[1], -1)
        decoding = self._labeller.recipe.decoding
        return probabilities(logits_CT, decoding.temperature, decoding.bias)

    def _normalised(self, chunks: list[Chunk]) -> NDArray[np.float32]:
        """The network's input, shape ``(N, chunk)``; 0 outside the read."""
        facts = [(chunk.calibration.offset, chunk.calibration.scale, *chunk.scale_pa) for chunk in chunks]
        offset, scale, shift_pa, scale_pa = np.array(facts).T[:, :, None]
        x_NT = normalise(
            np.stack([chunk.adc for chunk in chunks]),
            offset=offset,
            scale=scale,
            shift_pa=shift_pa,
            scale_pa=scale_pa,
            clip=self._labeller.recipe.normalisation.clip,
        )
        for x_T, chunk in zip(x_NT, chunks, strict=True):
            x_T[: chunk.begins] = 0
            x_T[chunk.ends :] = 0
        return x_NT
