"""The signal of one read while it is sequenced, cut into chunks of one length, in constant memory."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from poreconv.errors import SignalError
from poreconv.inference.chunking import Chunking
from poreconv.reads.read import Calibration, Read
from poreconv.reads.scaling import RunningScale


@dataclass(frozen=True, slots=True)
class Chunk:
    """A piece of signal that is ready for the network."""

    adc: NDArray[np.int16]
    """Counts, shape ``(chunk,)``; of no meaning outside the read."""
    begins: int
    """Place in the chunk at which the read begins; 0 if it began earlier."""
    ends: int
    """Place in the chunk at which the read ends; the chunk's length if it ends later."""
    labels: int
    """Samples of the read that the chunk labels, from the end of its first margin on."""
    calibration: Calibration
    scale_pa: tuple[float, float]
    """Shift and scale in pA."""


REFINED_BY = 1.1
"""The scale is estimated again when it is taken of this many times as many samples; before, it would hardly change."""


class ReadBuffer:
    """The last samples of a read that is being sequenced, and a histogram of all its counts.

    Args:
        read: The read's calibration, chemistry and names; its samples are not used.
        chunking: How it is cut; the last chunk is padded.
        warmup_samples: Samples that must have arrived before the first chunk.
        scale_pa: Shift and scale in pA, if they are known; then there is no warm-up.
    """

    def __init__(
        self, read: Read, chunking: Chunking, warmup_samples: int, scale_pa: tuple[float, float] | None = None
    ) -> None:
        self.read = read
        self.n_samples = 0
        self._chunking, self._warmup, self._known = chunking, warmup_samples, scale_pa
        self._next = self._n_counted = 0  # first sample that no chunk has labelled; samples in the histogram
        self._estimate, self._n_estimated = (0.0, 1.0), 0  # shift and scale, and of how many samples
        self._waiting = [np.empty(0, np.int16)]  # samples from _first on
        self._seen = RunningScale(read.dwell_samples)

    @property
    def nbytes(self) -> int:
        """Bytes of the samples and the histogram in memory."""
        return self._seen.nbytes + sum(adc.nbytes for adc in self._waiting)

    @property
    def _first(self) -> int:
        return max(0, self._next - self._chunking.margin)

    def take(self, adc: NDArray[np.int16], *, last: bool) -> list[Chunk]:
        """Add samples, and return the chunks that are complete by now; all chunks if the read ends.

        A chunk does not depend on the pieces in which its samples arrived.

        Args:
            adc: Counts, shape ``(n,)``; copied.
            last: Whether the read ends with these samples.

        Raises:
            SignalError: The read is empty, or flat.
        """
        self._waiting.append(adc.copy())  # the caller may fill the same array again
        self.n_samples += len(adc)
        starts = range(self._next, self._complete_before(last), self._chunking.hop)
        if not starts and not (last and not self.n_samples):
            return []
        signal = np.concatenate(self._waiting)
        chunks = [self._chunk(start, signal) for start in starts or [0]]
        self._next += len(chunks) * self._chunking.hop
        self._waiting = [signal[len(signal) - (self.n_samples - self._first) :].copy()]
        return chunks

    def _complete_before(self, last: bool) -> int:
        """Return the sample before which the first labelled sample of a complete chunk lies."""
        warm = self._known is not None or self.n_samples >= self._warmup
        return self.n_samples if last else (self.n_samples - self._chunking.hop - self._chunking.margin + 1) * warm

    def _chunk(self, start: int, signal: NDArray[np.int16]) -> Chunk:
        """Cut the chunk that labels samples from ``start`` on."""
        offset = self.n_samples - len(signal)
        low, high = start - self._chunking.margin, start + self._chunking.hop + self._chunking.margin
        there = signal[max(low, 0) - offset : high - offset]
        adc = np.pad(there, (max(-low, 0), max(high - self.n_samples, 0))) if len(there) < high - low else there
        labels = min(self._chunking.hop, self.n_samples - start)
        scale_pa = self._known or self._scale_pa(max(high, self._warmup), signal, offset)
        return Chunk(adc, max(-low, 0), min(high, self.n_samples) - low, labels, self.read.calibration, scale_pa)

    def _scale_pa(self, upto: int, signal: NDArray[np.int16], offset: int) -> tuple[float, float]:
        """Return shift and scale of the samples before ``upto``; see `REFINED_BY`."""
        self._seen.add(signal[self._n_counted - offset : upto - offset])
        self._n_counted = min(upto, self.n_samples)
        if not self._n_estimated <= self._seen.n_used < REFINED_BY * self._n_estimated:
            self._n_estimated = self._seen.n_used
            try:
                self._estimate = self._seen.estimate(self.read.calibration)
            except SignalError as exc:
                raise SignalError(f"{self.read.where}: {exc}", reason=exc.reason) from exc
        return self._estimate
