"""Stretches of one class: probabilities -> events, of a whole read or piece by piece."""

import numpy as np
from numpy.typing import NDArray

from poreconv.config import DecodeConfig, require
from poreconv.errors import ConfigError
from poreconv.events.events import Events
from poreconv.inference.decoding.decoder import Decoder, OnlineDecoder
from poreconv.inference.decoding.segmental import NO_CLASS, READ_START, Before, StretchRules

# C classes, T samples

LEAST = 1e-6
"""Least probability that `ordered` and `segmental` give a class at a sample: a few samples cannot rule out a class."""

GRAIN = 2.0**-20
"""Gains are multiples of this, so that sums over 10^8 samples are exact, and splits as good are so in any piece."""

LAG = 2**18
"""Samples after which `segmental` decides on a sample at the latest, certain or not."""


class StretchDecoder(Decoder):
    """Stretches of one class, scored by its mean probability; they cover the read.

    Args:
        classes: Names of the network's ``C`` outputs.
        config: ``ordered``: the best split into stretches of the classes of its order, each once at most;
            ``segmental``: the best split into stretches of any classes; both with none that is shorter than its class
            allows. Otherwise the likeliest class of each sample for itself.

    Raises:
        ConfigError: There are not as many shortest lengths as classes.
    """

    def __init__(self, classes: tuple[str, ...], config: DecodeConfig) -> None:
        super().__init__(classes, config)
        require(
            len(config.shortest) in {0, len(classes)},
            f"decoding.shortest: {len(config.shortest)} numbers for {len(classes)} classes; train the model anew",
        )
        ordered = config.method == "ordered"
        self._used = [classes.index(name) for name in config.order] if ordered else list(range(len(classes)))
        """The classes, in the order of the rows that are decoded."""
        n_used = len(self._used)
        follows_CC = np.triu(np.ones((n_used, n_used), bool), 1) if ordered else ~np.eye(n_used, dtype=bool)
        self._rules = StretchRules(np.array(config.shortest or [1] * len(classes), np.int64)[self._used], follows_CC)

    def __call__(self, outputs_CT: NDArray[np.float32]) -> Events:
        """Find the events of one read.

        Args:
            outputs_CT: Probabilities, shape ``(C, n_samples)``, each column sums to 1.
        """
        n_samples = outputs_CT.shape[1]
        if not n_samples:
            return Events.of([], [], classes=self.classes)
        label_T = outputs_CT.argmax(0) if self.config.method == "peaks" else self._best_split(outputs_CT)
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
                " use poreconv label, or train a model with --ordered no"
            )
        return OnlineStretches(self.classes, None if self.config.method == "peaks" else self._rules)

    def _best_split(self, probabilities_CT: NDArray[np.float32]) -> NDArray[np.int64]:
        """Class of each sample by the split whose samples' log-probabilities have the greatest sum."""
        return np.array(self._used)[self._rules.best(gains(probabilities_CT[self._used]))]


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


def gains(probabilities_CT: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return the log-probabilities, none below that of `LEAST`, as multiples of `GRAIN`.

    Args:
        probabilities_CT: Shape ``(C, n_samples)``.

    Returns:
        Shape ``(C, n_samples)``.
    """
    return np.asarray(np.rint(np.log(np.maximum(probabilities_CT, LEAST), dtype=np.float64) / GRAIN) * GRAIN)


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
    """Stretches of one class; each is returned when it ends.

    Without rules a sample has the likeliest class, and is certain at once. With rules it is certain when its class no
    longer depends on what follows, or after `LAG` samples: then the best so far is taken.

    Args:
        classes: Names of the network's ``C`` outputs.
        rules: Of possible splits; None: none.
    """

    def __init__(self, classes: tuple[str, ...], rules: StretchRules | None = None) -> None:
        self.certain = 0
        self._classes, self._rules = classes, rules
        self._waiting_CT = np.zeros((len(classes), 0), np.float32)
        self._label, self._start, self._total = NO_CLASS, 0, 0.0
        """Of the stretch that has not ended: its class, first sample, and sum of probabilities."""

    def push(self, probabilities_CT: NDArray[np.float32], *, last: bool) -> Events:
        """Decode the probabilities of the next samples; see `OnlineDecoder`.

        Args:
            probabilities_CT: Shape ``(C, n)``, each column sums to 1; n may be 0.
            last: Whether the read ends with these samples.

        Returns:
            The events that ended, in samples of the read.
        """
        waiting_CT = np.concatenate([self._waiting_CT, probabilities_CT], axis=1)
        chosen = self._chosen(waiting_CT, last=last) if waiting_CT.shape[1] else np.zeros(0, np.int64)
        self._waiting_CT = waiting_CT[:, len(chosen) :]
        return self._ended(waiting_CT[:, : len(chosen)], chosen, last=last)

    def _chosen(self, waiting_CT: NDArray[np.float32], *, last: bool) -> NDArray[np.int64]:
        """Class of each of the first samples that are certain."""
        if self._rules is None:
            return np.asarray(waiting_CT.argmax(0), np.int64)
        before = READ_START if self._label == NO_CLASS else Before(self._label, self.certain - self._start)
        gain_CT = gains(waiting_CT)
        if last:
            return self._rules.best(gain_CT, before)
        n_overdue = max(gain_CT.shape[1] - LAG, 0)
        chosen = self._rules.certain(gain_CT, before)
        return chosen if len(chosen) >= n_overdue else self._rules.best(gain_CT, before)[:n_overdue]

    def _ended(self, probabilities_CT: NDArray[np.float32], label_T: NDArray[np.int64], *, last: bool) -> Events:
        label, start, total = self._stretches(probabilities_CT, label_T)
        before, self.certain = self._start, self.certain + len(label_T)
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
        self, probabilities_CT: NDArray[np.float32], label_T: NDArray[np.int64]
    ) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
        """Class, first sample and sum of probabilities of each stretch, the one that had not ended first."""
        label, start, total = np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0)
        if len(label_T):
            start, total = stretches(probabilities_CT, label_T)
            label, start = label_T[start], start + self.certain
        if self._label == NO_CLASS:
            return label, start, total
        if len(label) and label[0] == self._label:
            return label, np.append(self._start, start[1:]), np.append(self._total + total[0], total[1:])
        return np.append(self._label, label), np.append(self._start, start), np.append(self._total, total)
