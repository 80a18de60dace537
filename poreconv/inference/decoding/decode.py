"""Per-sample probabilities -> events."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from poreconv.config import BOUNDARY, DecodeConfig, Task
from poreconv.events.events import Events
from poreconv.inference.decoding.dwell import LONGEST, best_boundaries, log_likelihood_ratios
from poreconv.inference.decoding.ordered import best_ends

# C classes, T samples

REACH = 1
"""Samples on each side of a peak over which `segmental` adds up the probability of a boundary: a network knows better
that there is a boundary than where."""

FLOOR, CEILING = 0.01, 0.999
"""Bounds of the probability within reach of a peak: with less than the floor it is no candidate, whatever the dwells;
more than the ceiling counts as the ceiling."""

LEAST = 1e-6
"""Least probability that `ordered` gives a class at a sample: a few samples cannot rule out a class."""

Decoder = Callable[[NDArray[np.float32]], Events]
"""Turns the probabilities of one read, shape ``(C, n_samples)``, into its events; serves any number of reads."""


def make_decoder(task: Task, classes: tuple[str, ...], config: DecodeConfig) -> Decoder:
    """Make the decoder of a model's reads; all that depends on the configuration alone is computed here.

    Args:
        task: The model's task.
        classes: Names of the network's ``C`` outputs.
        config: Method and threshold; temperature and bias are in the probabilities already.

    Raises:
        ConfigError: The dwell hazards have another number of bins than this version's.
    """
    if task == "boundary":
        return BoundaryDecoder(config)
    return StretchDecoder(classes, config.order)


def decode(probabilities_CT: NDArray[np.float32], task: Task, classes: tuple[str, ...], config: DecodeConfig) -> Events:
    """Turn the probabilities of one read into events; for many reads, `make_decoder` once.

    Args:
        probabilities_CT: Shape ``(C, n_samples)``, each column sums to 1.
        task: The model's task.
        classes: Names of the network's ``C`` outputs.
        config: Method and threshold; temperature and bias are in the probabilities already.

    Returns:
        ``boundary``: see `BoundaryDecoder`; otherwise see `StretchDecoder`. The coverage is the whole read.

    Raises:
        ConfigError: The dwell hazards have another number of bins than this version's.
    """
    return make_decoder(task, classes, config)(probabilities_CT)


class BoundaryDecoder:
    """Events from each boundary to the next, none before the first boundary, the last to the read's end.

    An event's score is the probability at its boundary.

    Args:
        config: ``peaks`` takes all peaks of at least the threshold. ``segmental`` takes those peaks for which the sum
            of ``logit(q) - logit(threshold)``, and of the weighted log-likelihood of the dwells between them, is most:
            q is the sum of the probabilities within `REACH`, and a dwell's likelihood is that by the training's dwells
            over that by a constant hazard of the same mean.

    Raises:
        ConfigError: The dwell hazards have another number of bins than this version's.
    """

    def __init__(self, config: DecodeConfig) -> None:
        self.config = config
        self.dwell_gains = _dwell_gains(config)
        """What each dwell of 0, 1, ... `LONGEST` samples adds, and each sample beyond; see `best_boundaries`."""

    def __call__(self, probabilities_CT: NDArray[np.float32]) -> Events:
        """Find the events of one read.

        Args:
            probabilities_CT: Shape ``(2, n_samples)``, each column sums to 1.
        """
        probability_T = probabilities_CT[BOUNDARY]
        start = self.boundaries(probability_T)
        end = np.append(start[1:], len(probability_T)) if len(start) else start
        return Events.of(start, end, score=probability_T[start], coverage=[[0, len(probability_T)]])

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


class StretchDecoder:
    """Stretches of the likeliest class, scored by its mean probability; they cover the read.

    Args:
        classes: Names of the network's ``C`` outputs.
        order: Classes in the signal's order: the best split into stretches of these classes, each once at most; empty:
            the likeliest class of each sample for itself.
    """

    def __init__(self, classes: tuple[str, ...], order: tuple[str, ...] = ()) -> None:
        self._classes = classes
        self._order = [classes.index(name) for name in order]

    def __call__(self, probabilities_CT: NDArray[np.float32]) -> Events:
        """Find the events of one read.

        Args:
            probabilities_CT: Shape ``(C, n_samples)``, each column sums to 1.
        """
        n_samples = probabilities_CT.shape[1]
        if not n_samples:
            return Events.of([], [], classes=self._classes)
        label_T = self._in_order(probabilities_CT) if self._order else probabilities_CT.argmax(0)
        start, total = stretches(probabilities_CT, label_T)
        end = np.append(start[1:], n_samples)
        score = total / (end - start)
        return Events.of(
            start, end, label=label_T[start], classes=self._classes, score=score, coverage=[[0, n_samples]]
        )

    def _in_order(self, probabilities_CT: NDArray[np.float32]) -> NDArray[np.intp]:
        """Class of each sample by the split whose samples' log-probabilities have the greatest sum."""
        gain_CT = np.log(np.maximum(probabilities_CT[self._order], LEAST), dtype=np.float64)
        return np.repeat(self._order, np.diff(best_ends(gain_CT), prepend=0))


def peaks(probability_T: NDArray[np.float32]) -> NDArray[np.int64]:
    """Find the samples that are larger than the one before and not smaller than the one after; ends may be peaks.

    Args:
        probability_T: Shape ``(n_samples,)``.

    Returns:
        Samples, ascending.
    """
    padded = np.concatenate([[-np.inf], probability_T, [-np.inf]]).astype(np.float32)
    return np.flatnonzero((padded[1:-1] > padded[:-2]) & (padded[1:-1] >= padded[2:]))


def stretches(
    probabilities_CT: NDArray[np.float32], label_T: NDArray[np.intp]
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Find the stretches of samples of one class.

    Args:
        probabilities_CT: Shape ``(C, n_samples)``; at least one sample.
        label_T: Class of each sample, shape ``(n_samples,)``.

    Returns:
        First sample of each stretch, and the sum of its class's probabilities in it.
    """
    start = np.concatenate([[0], np.flatnonzero(np.diff(label_T)) + 1])
    chosen_T = np.take_along_axis(probabilities_CT, label_T[None], 0)[0].astype(np.float64)
    return start, np.add.reduceat(chosen_T, start)


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
