"""Stretches of one class: probabilities -> events, of a whole read or piece by piece."""

import numpy as np
from numpy.typing import NDArray

from poreconv.config import DecodeConfig
from poreconv.errors import ConfigError
from poreconv.events.events import Events
from poreconv.inference.decoding.decoder import Decoder, OnlineDecoder
from poreconv.inference.decoding.ordered import best_ends

# C classes, T samples

LEAST = 1e-6
"""Least probability that `ordered` gives a class at a sample: a few samples cannot rule out a class."""


class StretchDecoder(Decoder):
    """Stretches of the likeliest class, scored by its mean probability; they cover the read.

    Args:
        classes: Names of the network's ``C`` outputs.
        config: ``ordered``: the best split into stretches of the classes of its order, each once at most; otherwise the
            likeliest class of each sample for itself.
    """

    def __init__(self, classes: tuple[str, ...], config: DecodeConfig) -> None:
        super().__init__(classes, config)
        self._order = [classes.index(name) for name in config.order]

    def __call__(self, outputs_CT: NDArray[np.float32]) -> Events:
        """Find the events of one read.

        Args:
            outputs_CT: Probabilities, shape ``(C, n_samples)``, each column sums to 1.
        """
        n_samples = outputs_CT.shape[1]
        if not n_samples:
            return Events.of([], [], classes=self.classes)
        label_T = self._in_order(outputs_CT) if self._order else outputs_CT.argmax(0)
        start, total = stretches(outputs_CT, label_T)
        end = np.append(start[1:], n_samples)
        score = total / (end - start)
        return Events.of(start, end, label=label_T[start], classes=self.classes, score=score, coverage=[[0, n_samples]])

    def online(self) -> OnlineDecoder:
        """Make what decodes one read piece by piece.

        Raises:
            ConfigError: The classes have an order.
        """
        if self.config.method == "ordered":
            raise ConfigError(
                "stream: this model has each class once, in order, and a read's last sample may move the first cut;"
                " use poreconv label"
            )
        return OnlineStretches(self.classes)

    def _in_order(self, probabilities_CT: NDArray[np.float32]) -> NDArray[np.intp]:
        """Class of each sample by the split whose samples' log-probabilities have the greatest sum."""
        gain_CT = np.log(np.maximum(probabilities_CT[self._order], LEAST), dtype=np.float64)
        return np.repeat(self._order, np.diff(best_ends(gain_CT), prepend=0))


class WholeReadDecoder(StretchDecoder):
    """One class for the whole read: the logits of all samples are averaged first."""

    def outputs(self, logits_CT: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the probability of each class, the same at all samples.

        Args:
            logits_CT: Of all samples of the read, shape ``(C, n_samples)``.

        Returns:
            Shape ``(C, n_samples)``.
        """
        mean_C1 = logits_CT.mean(1, dtype=np.float64, keepdims=True)
        return super().outputs(np.broadcast_to(mean_C1.astype(np.float32), logits_CT.shape))

    def online(self) -> OnlineDecoder:
        """Refuse: the class is known when the read has ended.

        Raises:
            ConfigError: Always.
        """
        raise ConfigError("stream: this model gives a whole read one class; use poreconv label")


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
