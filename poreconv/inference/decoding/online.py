"""Per-sample probabilities -> events, while the probabilities come; in the end the same events as `decode` finds."""

from dataclasses import dataclass
from typing import Protocol, Self

import numpy as np
from numpy.typing import NDArray

from poreconv.config import BOUNDARY, DecodeConfig, Task
from poreconv.errors import ConfigError
from poreconv.events.events import Events
from poreconv.inference.decoding.decode import REACH, candidates, dwell_gains, runs
from poreconv.inference.decoding.dwell import LONGEST, best_boundaries, settled

LAG = 4 * LONGEST
"""`segmental` decides on a candidate for a boundary so many samples behind it, if it was not certain before.

On real reads of DNA it always was: on half of them 2 to 6 samples behind, on 95 % 31 to 43. RNA has longer events and
reaches the limit: 69 and 1010 samples on RNA001. In 32 reads of DNA and 21 of RNA no event was another than offline.
"""


class OnlineDecoder(Protocol):
    """Takes the probabilities of one read piece by piece; its memory does not grow with the read."""

    certain: int
    """Samples from the read's start whose labels cannot change any more."""

    def push(self, probabilities_CT: NDArray[np.float32], *, last: bool) -> Events:
        """Take the next ones.

        Args:
            probabilities_CT: Shape ``(C, n)``, each column sums to 1; n may be 0.
            last: The read ends with them.

        Returns:
            The events that ended, in samples of the read. They cover what lies between the end of the last event before
            them, at first the read's start, and that of their own last one, at last the read's end.
        """
        ...


def online_decoder(task: Task, classes: tuple[str, ...], config: DecodeConfig) -> OnlineDecoder:
    """Make the decoder of one read.

    Raises:
        ConfigError: The task, or the method, needs whole reads.
    """
    if task == "read":
        raise ConfigError("stream: a model of task read gives a whole read one label; use poreconv label")
    if config.method == "ordered":
        raise ConfigError(
            "stream: this model has each class once, in order, and a read's last sample may move the first cut; use"
            " poreconv label"
        )
    return OnlineBoundaries(config) if task == "boundary" else OnlineRuns(classes)


@dataclass(frozen=True, slots=True)
class Candidates:
    """Samples that may be boundaries, ascending, shape ``(n,)`` each."""

    place: NDArray[np.int64]
    gain: NDArray[np.float64]
    """What each adds if chosen; of the last boundary, what all up to it do together."""
    score: NDArray[np.float32]
    """Probability there."""

    def __getitem__(self, which: slice | NDArray[np.int64]) -> Self:
        """Some of them, copied, so that the others are not kept."""
        return type(self)(self.place[which].copy(), self.gain[which].copy(), self.score[which].copy())

    def __len__(self) -> int:
        """Number of candidates."""
        return len(self.place)

    def __add__(self, later: Self) -> Self:
        """These, then those."""
        return type(self)(
            np.append(self.place, later.place),
            np.append(self.gain, later.gain),
            np.append(self.score, later.score),
        )


class OnlineBoundaries:
    """Events from each boundary to the next.

    A peak is certain one sample behind it; with method ``segmental``, once all choices that may still win share it,
    `LAG` samples behind it at the latest.
    """

    def __init__(self, config: DecodeConfig) -> None:
        self.certain = 0
        self._config = config
        self._seen = self._ended = 0
        self._recent_T = np.empty(0, np.float32)
        self._waiting = Candidates(np.empty(0, np.int64), np.empty(0), np.empty(0, np.float32))
        """Those that are not decided on, behind the last boundary if there is one."""
        self._held = 0
        """Boundaries among them: 1, or 0 at first."""

    def push(self, probabilities_CT: NDArray[np.float32], *, last: bool) -> Events:
        """Take further probabilities; see `OnlineDecoder`."""
        self._waiting += self._found(probabilities_CT[BOUNDARY], last)
        chosen = self._choose(last) if len(self._waiting) else np.empty(0, np.int64)
        events = self._events(self._waiting[chosen], last)
        if len(chosen):
            self._waiting, self._held = self._waiting[chosen[-1] :], 1
        unsure = self._waiting.place[self._held :]
        told = self._seen - (0 if last else REACH)
        self.certain = int(unsure[0]) if len(unsure) and not last else max(told, 0)
        return events

    def _found(self, probability_T: NDArray[np.float32], last: bool) -> Candidates:
        """The candidates that can be told by now, and could not before: those with `REACH` samples behind them."""
        recent_T = np.concatenate([self._recent_T, probability_T])
        told = max(len(self._recent_T) - REACH, 0), len(recent_T) - (0 if last else REACH)
        place, gain = candidates(recent_T, self._config)
        new = slice(*np.searchsorted(place, told))
        first = self._seen - len(self._recent_T)
        self._seen += len(probability_T)
        self._recent_T = recent_T[-2 * REACH :].copy()
        return Candidates(place + first, gain, recent_T[place])[new]

    def _choose(self, last: bool) -> NDArray[np.int64]:
        """Which of those that wait are boundaries for certain, the last boundary among them."""
        if self._config.method == "peaks":
            return np.arange(len(self._waiting))
        prior = dwell_gains(self._config)
        if last:
            return self._and_held(best_boundaries(self._waiting.place, self._waiting.gain, *prior))
        due = self._seen - LAG
        chosen, gain = settled(self._waiting.place, self._waiting.gain, *prior, seen=self._seen - REACH, due=due)
        if len(chosen):
            self._waiting.gain[chosen[-1]] = gain
        chosen = self._and_held(chosen)
        self._refuse(int(chosen[-1]) + 1 if len(chosen) else 0, due)
        return chosen

    def _and_held(self, chosen: NDArray[np.int64]) -> NDArray[np.int64]:
        """With the last boundary before them, even if a choice without it were better by now."""
        return np.insert(chosen, 0, 0) if self._held and not (len(chosen) and chosen[0] == 0) else chosen

    def _refuse(self, first: int, due: int) -> None:
        """Let those of the ``first`` and later that lie before ``due`` be no boundaries."""
        behind = max(first, int(np.searchsorted(self._waiting.place, due)))
        if behind > first:
            self._waiting = self._waiting[:first] + self._waiting[behind:]

    def _events(self, boundary: Candidates, last: bool) -> Events:
        """From each of these boundaries to the next; after the last, to the read's end."""
        edge = np.append(boundary.place, self._seen) if last else boundary.place
        n, before = max(len(edge) - 1, 0), self._ended
        self._ended = int(edge[-1]) if len(edge) else before
        return Events.of(edge[:n], edge[1:], score=boundary.score[:n], coverage=[[before, self._ended]])


class OnlineRuns:
    """Runs of the likeliest class: each sample is certain at once, and a run is given when it ends."""

    def __init__(self, classes: tuple[str, ...]) -> None:
        self.certain = 0
        self._classes = classes
        self._label, self._start, self._total = -1, 0, 0.0
        """Of the run that has not ended: its class, -1 before the first; its first sample; its probabilities' sum."""

    def push(self, probabilities_CT: NDArray[np.float32], *, last: bool) -> Events:
        """Take further probabilities; see `OnlineDecoder`."""
        label, start, total = self._runs(probabilities_CT)
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

    def _runs(
        self, probabilities_CT: NDArray[np.float32]
    ) -> tuple[NDArray[np.intp], NDArray[np.int64], NDArray[np.float64]]:
        """Class, first sample and sum of probabilities of each run, the one that had not ended first."""
        label, start, total = np.empty(0, np.intp), np.empty(0, np.int64), np.empty(0)
        if probabilities_CT.shape[1]:
            label_T = probabilities_CT.argmax(0)
            start, total = runs(probabilities_CT, label_T)
            label, start = label_T[start], start + self.certain
        if self._label < 0:
            return label, start, total
        if len(label) and label[0] == self._label:
            return label, np.append(self._start, start[1:]), np.append(self._total + total[0], total[1:])
        return np.append(self._label, label), np.append(self._start, start), np.append(self._total, total)
