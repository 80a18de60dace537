"""Labelling of reads while they are sequenced: many channels at once, without seams, in constant memory.

A channel's signal goes through the network in chunks of one length, as soon as a chunk is complete; complete chunks of
all channels go together. Each chunk carries the network's margin, as for whole reads, so the same shift and scale give
the same probabilities. The shift and scale of a whole read are not known before its end: a chunk is normalised by those
of all samples up to its own end, the first chunks by those of the warm-up.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from poreconv.config import StreamConfig
from poreconv.errors import ConfigError, MismatchError, SignalError
from poreconv.events.events import Events
from poreconv.inference.chunking import Chunking
from poreconv.inference.decoding.decoder import OnlineDecoder
from poreconv.inference.labeller import Labeller, drop_not_finite, unit_of
from poreconv.inference.streaming.read_buffer import Chunk, ReadBuffer
from poreconv.models.fitting import stated
from poreconv.models.size import NetworkSize
from poreconv.reads.read import Read
from poreconv.reads.scaling import normalise
from poreconv.runtime.ledger import Ledger

# N chunks, C classes, T samples

NO_SAMPLES = np.empty(0, np.int16)
NOTHING = Events.of([], [])
NO_CHANNEL = 0
"""Default channel, for one read at a time."""


@dataclass(slots=True)
class _OpenRead:
    """A channel's read that has not ended."""

    signal: ReadBuffer
    decoder: OnlineDecoder
    dropped: bool = False
    """Whether the read is in the ledger; the rest of its samples is ignored."""


def _chunking(hop_samples: int, size: NetworkSize) -> Chunking:
    """Return chunks with this hop, or the next smaller one that the network allows (if there is none, its smallest)."""
    unit, context = unit_of(size), 2 * size.margin
    return Chunking(max((hop_samples + context) // unit, context // unit + 1) * unit, size.margin, grain=unit)


class StreamingLabeller:
    """A trained model that labels reads while they are sequenced.

    A sample waits for the rest of its hop, with which it goes through the network, and for the lookahead after that,
    half the receptive field; a read's first samples wait for the warm-up. Then its label is certain; with method
    ``segmental``, as soon as later samples cannot change it, at the latest `online.LAG` samples later.

    Cost of the running scale: F1 within one sample against the aligners' boundaries, with the whole read's scale and
    with the running one, 14 reads each: lambda R9.4.1 0.865 and 0.865, E. coli R9.4 0.889 and 0.887, human R10.4.1
    0.846 and 0.845, RNA002 0.669 and 0.666. The scale of the first 2000 samples alone would cost up to 0.04, as reads
    begin with an adapter, or with an open pore.

    Args:
        labeller: The model, ready to label whole reads.
        config: Hop and warm-up.
        ledger: Records reads that are empty or flat, or whose scores are not finite; without a ledger they raise, and
            samples pushed with them are lost.

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
        labeller.decoder.online()  # refuses a model of whole reads before any signal comes
        self._labeller, self._ledger = labeller, ledger
        self.chunking, self._warmup = _chunking(config.hop_samples, size), config.warmup_samples
        self._open: dict[int, _OpenRead] = {}

    def start(self, read: Read, channel: int = NO_CHANNEL, scale_pa: tuple[float, float] | None = None) -> None:
        """Begin a read.

        Args:
            read: The read's calibration, chemistry and names; its samples are not used, and may be missing.
            channel: Channel that sequences it.
            scale_pa: Shift and scale in pA, if they are known; then there is no warm-up.

        Raises:
            ConfigError: The channel's previous read has not ended.
            MismatchError: The model was not trained for such reads, or for another sample rate.
        """
        if channel in self._open:
            raise ConfigError(f"channel {channel}: {self._open[channel].signal.read.where} has not ended; finish it")
        recipe, fit = self._labeller.recipe, self._labeller.fit
        self._labeller.check(read)
        if recipe.resamples(read, fit) and read.sample_rate_hz != recipe.sample_rate_hz:
            raise MismatchError(
                f"{read.where}: {read.sample_rate_hz:g} Hz; the model resamples whole reads to"
                f" {recipe.sample_rate_hz:g} Hz, use poreconv label",
                reason="wrong_rate",
            )
        signal = ReadBuffer(recipe.as_trained(stated(read, fit)), self.chunking, self._warmup, scale_pa)
        self._open[channel] = _OpenRead(signal, self._labeller.decoder.online())

    def push(self, adc: NDArray[np.int16], channel: int = NO_CHANNEL) -> Events:
        """Add samples of one channel; see `push_all`.

        Args:
            adc: Counts, shape ``(n,)``.
            channel: Channel that they come from.

        Returns:
            The events that are certain by now, in samples from the read's start.
        """
        return self.push_all({channel: adc})[channel]

    def finish(self, channel: int = NO_CHANNEL) -> Events:
        """End a channel's read, and return the rest of its events; see `push_all`.

        Args:
            channel: Channel whose read ends.
        """
        return self.push_all({channel: NO_SAMPLES}, ended=[channel])[channel]

    def push_all(self, adc: Mapping[int, NDArray[np.int16]], ended: Collection[int] = ()) -> dict[int, Events]:
        """Add samples of many channels.

        Args:
            adc: Channel -> counts, shape ``(n,)``; n may differ between channels.
            ended: Those of these channels whose reads end with these samples.

        Returns:
            Channel -> the events that are certain by now, in samples from the read's start; see
            `online.OnlineDecoder.push`. All that were returned for a read, joined, are the read's events. A dropped
            read has none.

        Raises:
            ConfigError: A channel has no read, or its samples are not int16 counts.
            SignalError: A read is empty or flat, or the model's scores of it are not finite, and there is no ledger.
        """
        chunks = {number: self._take(number, samples, number in ended) for number, samples in adc.items()}
        logits_CT = self._logits([chunk for mine in chunks.values() for chunk in mine])
        labelled, done = dict[int, slice](), 0
        for number, mine in chunks.items():
            labelled[number] = slice(done, done + sum(chunk.labels for chunk in mine))
            done += len(mine) * self.chunking.hop
            self._check_finite(number, logits_CT[:, labelled[number]])
        finite_CT = np.nan_to_num(logits_CT, nan=0, posinf=0, neginf=0)
        probabilities_CT = self._labeller.decoder.outputs(finite_CT) if logits_CT.size else logits_CT
        return {
            number: self._decode(number, probabilities_CT[:, mine], number in ended)
            for number, mine in labelled.items()
        }

    def certain(self, channel: int = NO_CHANNEL) -> int:
        """Return how many samples from the start of a channel's read have labels that cannot change any more.

        Args:
            channel: Channel of the read.

        Raises:
            ConfigError: The channel has no read.
        """
        return self._at(channel).decoder.certain

    def _at(self, channel: int) -> _OpenRead:
        if channel not in self._open:
            raise ConfigError(f"channel {channel}: no read has begun; start one")
        return self._open[channel]

    def _take(self, channel: int, adc: NDArray[np.int16], last: bool) -> list[Chunk]:
        """Return the channel's complete chunks; an unusable read goes into the ledger."""
        current = self._at(channel)
        if adc.dtype != np.int16 or adc.ndim != 1:
            raise ConfigError(f"channel {channel}: {adc.ndim}-D {adc.dtype}; push int16 counts, shape (n,)")
        if current.dropped:
            return []
        try:
            return current.signal.take(adc, last=last)
        except SignalError as exc:
            if self._ledger is None:
                raise
            self._ledger.drop(exc, read_id=current.signal.read.read_id, source=current.signal.read.source)
            current.dropped = True
            return []

    def _check_finite(self, channel: int, logits_CT: NDArray[np.float32]) -> None:
        current = self._at(channel)
        if not current.dropped and not np.isfinite(logits_CT).all():
            current.dropped = True
            drop_not_finite(current.signal.read, self._ledger)

    def _decode(self, channel: int, probabilities_CT: NDArray[np.float32], last: bool) -> Events:
        current = self._open.pop(channel) if last else self._open[channel]
        if current.dropped or not (last or probabilities_CT.size):
            return NOTHING
        return current.decoder.push(probabilities_CT, last=last)

    def _logits(self, chunks: list[Chunk]) -> NDArray[np.float32]:
        """Logits of the samples that the chunks label, one chunk after the other, shape ``(C, N * hop)``."""
        if not chunks:
            return np.empty((len(self._labeller.recipe.classes), 0), np.float32)
        logits_NCT = self._labeller.logits(self._normalised(chunks))
        middle_NCT = logits_NCT[:, :, self.chunking.margin : self.chunking.margin + self.chunking.hop]
        return middle_NCT.transpose(1, 0, 2).reshape(logits_NCT.shape[1], -1)

    def _normalised(self, chunks: list[Chunk]) -> NDArray[np.float32]:
        """Return the network's input, shape ``(N, chunk)``; 0 outside the read."""
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
