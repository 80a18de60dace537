"""Boundaries: probabilities -> events from each boundary to the next, of a whole read or piece by piece."""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from poreconv.config import BOUNDARY, DecodeConfig
from poreconv.events.events import Events
from poreconv.inference.decoding.decoder import Decoder
from poreconv.inference.decoding.dwell import LONGEST, best_boundaries, log_likelihood_ratios, settled_boundaries

REACH = 1
"""Samples on each side of a peak over which `segmental` adds up the probability of a boundary: a network knows better
that there is a boundary than where."""

FLOOR, CEILING = 0.01, 0.999
"""Bounds of the probability within reach of a peak: with less than the floor it is no candidate, whatever the dwells;
more than the ceiling counts as the ceiling."""

LAG = 4 * LONGEST
"""`segmental` decides on a candidate at the latest this many samples after it, certain or not.

On real reads of DNA every candidate was certain before: half of them after 2 to 6 samples, 95 % after 31 to 43. RNA has
longer events and reaches the limit: 69 and 1010 samples on RNA001. In 32 reads of DNA and 21 of RNA the events were the
same as offline.
"""


class BoundaryDecoder(Decoder):
    """Events from each boundary to the next, none before the first boundary, the last to the read's end.

    An event's score is the probability at its boundary.

    Args:
        classes: Names of the network's two outputs.
        config: ``peaks`` takes all peaks of at least the threshold. ``segmental`` takes those peaks for which the sum
            of ``logit(q) - logit(threshold)``, and of the weighted log-likelihood of the dwells between them, is most:
            q is the sum of the probabilities within `REACH`, and a dwell's likelihood is that by the training's dwells
            over that by a constant hazard of the same mean.

    Raises:
        ConfigError: The dwell hazards have another number of bins than this version's.
    """

    def __init__(self, classes: tuple[str, ...], config: DecodeConfig) -> None:
        super().__init__(classes, config)
        self.dwell_gains = _dwell_gains(config)
        """What each dwell of 0, 1, ... `LONGEST` samples adds, and each sample beyond; see `best_boundaries`."""

    def __call__(self, outputs_CT: NDArray[np.float32]) -> Events:
        """Find the events of one read.

        Args:
            outputs_CT: Probabilities, shape ``(2, n_samples)``, each column sums to 1.
        """
        probability_T = outputs_CT[BOUNDARY]
        start = self.boundaries(probability_T)
        end = np.append(start[1:], len(probability_T)) if len(start) else start
        return Events.of(start, end, score=probability_T[start], coverage=[[0, len(probability_T)]])

    def online(self) -> "OnlineBoundaries":
        """Make what decodes one read piece by piece."""
        return OnlineBoundaries(self)

    def boundaries(self, probability_T: NDArray[np.float32]) -> NDArray[np.int64]:
        """Choose the boundaries of one read.

        Args:
            probability_T: Probability of a boundary at each sample, shape ``(n_samples,)``.

        Returns:
            Samples, ascending.
        """
        place, gain = self.candidates(probability_T)
        return place if self.config.method == "peaks" else place[best_boundaries(place, gain, *self.dwell_gains)]

    def candidates(self, probability_T: NDArray[np.float32]) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Find the peaks that may be boundaries, and what each adds if it is one.

        A candidate depends only on the probabilities within `REACH` of it. With ``peaks`` every candidate is a
        boundary.

        Args:
            probability_T: Probability of a boundary at each sample, shape ``(n_samples,)``.

        Returns:
            Samples, ascending, and gains, shape ``(n,)`` each.
        """
        peak = peaks(probability_T)
        if self.config.method == "peaks":
            peak = peak[probability_T[peak] >= self.config.threshold]
            return peak, np.zeros(len(peak))
        # all others have less than the floor within reach
        peak = peak[probability_T[peak] >= FLOOR / (2 * REACH + 1)]
        likely = _within_reach(probability_T, peak)
        peak, likely = peak[likely >= FLOOR], likely[likely >= FLOOR]
        return peak, _logit(likely) - _logit(self.config.threshold)


def peaks(probability_T: NDArray[np.float32]) -> NDArray[np.int64]:
    """Find the samples that are larger than the one before and not smaller than the one after; ends may be peaks.

    Args:
        probability_T: Shape ``(n_samples,)``.

    Returns:
        Samples, ascending.
    """
    padded = np.concatenate([[-np.inf], probability_T, [-np.inf]]).astype(np.float32)
    return np.flatnonzero((padded[1:-1] > padded[:-2]) & (padded[1:-1] >= padded[2:]))


def _dwell_gains(config: DecodeConfig) -> tuple[NDArray[np.float64], float]:
    if config.method == "peaks":
        return np.zeros(LONGEST + 1), 0.0
    by_dwell, beyond = log_likelihood_ratios(config.dwell_hazards)
    return config.dwell_weight * by_dwell, config.dwell_weight * beyond


def _within_reach(probability_T: NDArray[np.float32], place: NDArray[np.int64]) -> NDArray[np.float64]:
    beside = np.zeros(REACH, np.float32)  # np.pad takes ten times as long, which counts where pieces are short
    padded = np.concatenate([beside, probability_T, beside])
    near = [padded[place + step].astype(np.float64) for step in range(2 * REACH + 1)]
    return np.asarray(np.minimum(np.sum(near, axis=0), CEILING))


def _logit(p: Any) -> Any:
    return np.log(p) - np.log1p(-p)


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
