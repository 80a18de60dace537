"""Per-sample probabilities -> events, piece by piece; together the same events as `decode` finds in the whole read."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Protocol, Self

import numpy as np
from numpy.typing import NDArray

from poreconv.config import BOUNDARY, DecodeConfig, Task
from poreconv.errors import ConfigError
from poreconv.events.events import Events
from poreconv.inference.decoding.decode import REACH, BoundaryDecoder, stretches
from poreconv.inference.decoding.dwell import LONGEST, best_boundaries, settled_boundaries

LAG = 4 * LONGEST
"""`segmental` decides on a candidate at the latest this many samples after it, certain or not.

On real reads of DNA every candidate was certain before: half of them after 2 to 6 samples, 95 % after 31 to 43. RNA has
longer events and reaches the limit: 69 and 1010 samples on RNA001. In 32 reads of DNA and 21 of RNA the events were the
same as offline.
"""


class OnlineDecoder(Protocol):
    """Decodes one read piece by piece, in memory that does not grow with the read."""

    certain: int
    """Samples from the read's start whose labels cannot change any more."""

    def push(self, probabilities_CT: NDArray[np.float32], *, last: bool) -> Events:
        """Decode the probabilities of the next samples.

        Args:
            probabilities_CT: Shape ``(C, n)``, each column sums to 1; n may be 0.
            last: Whether the read ends with these samples.

        Returns:
            The events that ended, in samples of the read. Their coverage begins where the last event before them ended
            (the first: at the read's start) and ends where their last one ends (the last: at the read's end).
        """
        ...


def online_decoders(task: Task, classes: tuple[str, ...], config: DecodeConfig) -> Callable[[], OnlineDecoder]:
    """Return a function that makes the decoder of one read; all that reads have in common is computed here.

    Args:
        task: The model's task.
        classes: Names of the network's ``C`` outputs.
        config: Method and threshold; temperature and bias are in the probabilities already.

    Raises:
        ConfigError: The task, or the method, needs whole reads; or the dwell hazards have another number of bins than
            this version's.
    """
    if task == "read":
        raise ConfigError("stream: a model of task read gives a whole read one label; use poreconv label")
    if config.method == "ordered":
        raise ConfigError(
            "stream: this model has each class once, in order, and a read's last sample may move the first cut; use"
            " poreconv label"
        )
    if task == "boundary":
        return partial(OnlineBoundaries, BoundaryDecoder(config))
    return partial(OnlineStretches, classes)


@dataclass(frozen=True, slots=True)
class Candidates:
    """Samples that may be boundaries; arrays of shape ``(n,)``."""

    place: NDArray[np.int64]
    """Samples of the read, ascending."""
    gain: NDArray[np.float64]
    """What each adds if chosen; that of the last boundary is the sum of all up to it."""
    score: NDArray[np.float32]
    """Probability of a boundary at each."""

    def __getitem__(self, which: slice | NDArray[np.int64]) -> Self:
        """Return some of them, as copies, so that the others are not kept in memory."""
        return type(self)(self.place[which].copy(), self.gain[which].copy(), self.score[which].copy())

    def __len__(self) -> int:
        """Return the number of candidates."""
        return len(self.place)

    def __add__(self, later: Self) -> Self:
        """Return these candidates, then the later ones."""
        return type(self)(
            np.append(self.place, later.place),
            np.append(self.gain, later.gain),
            np.append(self.score, later.score),
        )


class OnlineBoundaries:
    """Events from each boundary to the next.

    A peak is certain one sample after it; with method ``segmental``, as soon as all choices that may still turn out
    best share it, at the latest `LAG` samples after it.

    Args:
        decoder: Finds and chooses boundaries; any number of reads may share one.
    """

    def __init__(self, decoder: BoundaryDecoder) -> None:
        self.certain = 0
        self._decoder = decoder
        self._seen = self._ended = 0
        self._recent_T = np.empty(0, np.float32)
        self._waiting = Candidates(np.empty(0, np.int64), np.empty(0), np.empty(0, np.float32))
        """The last boundary, if there is one, and the undecided candidates after it."""
        self._held = 0
        """Whether the first of them is that boundary: 1, or 0 at first."""

    def push(self, probabilities_CT: NDArray[np.float32], *, last: bool) -> Events:
        """Decode the probabilities of the next samples; see `OnlineDecoder`.

        Args:
            probabilities_CT: Shape ``(2, n)``, each column sums to 1; n may be 0.
            last: Whether the read ends with these samples.

        Returns:
            The events that ended, in samples of the read.
        """
        self._waiting += self._found(probabilities_CT[BOUNDARY], last)
        chosen = self._choose(last) if len(self._waiting) else np.empty(0, np.int64)
        events = self._events(self._waiting[chosen], last)
        if len(chosen):
            self._waiting, self._held = self._waiting[chosen[-1] :], 1
        undecided = self._waiting.place[self._held :]
        searched = self._seen - (0 if last else REACH)
        self.certain = int(undecided[0]) if len(undecided) and not last else max(searched, 0)
        return events

    def _found(self, probability_T: NDArray[np.float32], last: bool) -> Candidates:
        """Return the candidates that have `REACH` samples after them by now, and had not before."""
        recent_T = np.concatenate([self._recent_T, probability_T])
        new_samples = max(len(self._recent_T) - REACH, 0), len(recent_T) - (0 if last else REACH)
        place, gain = self._decoder.candidates(recent_T)
        new = slice(*np.searchsorted(place, new_samples))
        first = self._seen - len(self._recent_T)
        self._seen += len(probability_T)
        self._recent_T = recent_T[-2 * REACH :].copy()
        return Candidates(place + first, gain, recent_T[place])[new]

    def _choose(self, last: bool) -> NDArray[np.int64]:
        """Indices of the waiting candidates that are boundaries for certain, the last boundary included."""
        if self._decoder.config.method == "peaks":
            return np.arange(len(self._waiting))
        place, gains, dwell_gains = self._waiting.place, self._waiting.gain, self._decoder.dwell_gains
        if last:
            return self._and_held(best_boundaries(place, gains, *dwell_gains))
        due = self._seen - LAG
        chosen, gain = settled_boundaries(place, gains, *dwell_gains, seen=self._seen - REACH, due=due)
        if len(chosen):
            self._waiting.gain[chosen[-1]] = gain
        chosen = self._and_held(chosen)
        self._refuse(int(chosen[-1]) + 1 if len(chosen) else 0, due)
        return chosen

    def _and_held(self, chosen: NDArray[np.int64]) -> NDArray[np.int64]:
        """Put the last boundary before them, even if a choice without it would be better by now."""
        return np.insert(chosen, 0, 0) if self._held and not (len(chosen) and chosen[0] == 0) else chosen

    def _refuse(self, first: int, due: int) -> None:
        """Remove the candidates from index ``first`` on that lie before sample ``due``."""
        kept = max(first, int(np.searchsorted(self._waiting.place, due)))
        if kept > first:
            self._waiting = self._waiting[:first] + self._waiting[kept:]

    def _events(self, boundary: Candidates, last: bool) -> Events:
        """Make events from each of these boundaries to the next; the last of a read ends where the read ends."""
        edge = np.append(boundary.place, self._seen) if last else boundary.place
        n, before = max(len(edge) - 1, 0), self._ended
        self._ended = int(edge[-1]) if len(edge) else before
        return Events.of(edge[:n], edge[1:], score=boundary.score[:n], coverage=[[before, self._ended]])


class OnlineStretches:
    """Stretches of the likeliest class: each sample is certain at once, and a stretch is returned when it ends.

    Args:
        classes: Names of the network's ``C`` outputs.
    """

    def __init__(self, classes: tuple[str, ...]) -> None:
        self.certain = 0
        self._classes = classes
        self._label, self._start, self._total = -1, 0, 0.0
        """Of the stretch that has not ended: its class (-1: none yet), first sample, and sum of probabilities."""

    def push(self, probabilities_CT: NDArray[np.float32], *, last: bool) -> Events:
        """Decode the probabilities of the next samples; see `OnlineDecoder`.

        Args:
            probabilities_CT: Shape ``(C, n)``, each column sums to 1; n may be 0.
            last: Whether the read ends with these samples.

        Returns:
            The events that ended, in samples of the read.
        """
        label, start, total = self._stretches(probabilities_CT)
        before, self.certain = self._start, self.certain + probabilities_CT.shape[1]
        ended = slice(None) if last else slice(-1)
        end = np.append(start[1:], self.certain)[: len(start)]
        if len(start):
            self._label, self._start, self._total = int(label[-1]), int(start[-1]), float(total[-1])
        self._start = self.certain if last else self._start
        return Events.of(
            start[ended],
            end[ended],
            label=label[ended],
            classes=self._classes,
            score=(total / (end - start))[ended],
            coverage=[[before, self._start]],
        )

    def _stretches(
        self, probabilities_CT: NDArray[np.float32]
    ) -> tuple[NDArray[np.intp], NDArray[np.int64], NDArray[np.float64]]:
        """Class, first sample and sum of probabilities of each stretch, the one that had not ended first."""
        label, start, total = np.empty(0, np.intp), np.empty(0, np.int64), np.empty(0)
        if probabilities_CT.shape[1]:
            label_T = probabilities_CT.argmax(0)
            start, total = stretches(probabilities_CT, label_T)
            label, start = label_T[start], start + self.certain
        if self._label < 0:
            return label, start, total
        if len(label) and label[0] == self._label:
            return label, np.append(self._start, start[1:]), np.append(self._total + total[0], total[1:])
        return np.append(self._label, label), np.append(self._start, start), np.append(self._total, total)
