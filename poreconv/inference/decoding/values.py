"""Values: a network's one output -> a number at each sample, of a whole read or piece by piece."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from poreconv.events.events import Events
from poreconv.events.targets import value_events
from poreconv.inference.decoding.decoder import Decoder
from poreconv.inference.decoding.temperature import scaled


class ValueDecoder(Decoder):
    """An event for each stretch of samples with one value, which is mostly one sample.

    The network's output counts SDs of the training values from their mean; bias and temperature convert it back.
    """

    def outputs(self, logits_CT: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the value at each sample, in the unit of the labels.

        Args:
            logits_CT: Of any samples of one read, shape ``(1, T)``.
        """
        return scaled(logits_CT, self.config.temperature, self.config.bias)

    def __call__(self, outputs_CT: NDArray[np.float32]) -> Events:
        """Return the values of one read as events.

        Args:
            outputs_CT: Values, shape ``(1, n_samples)``.
        """
        return value_events(outputs_CT[0])

    def online(self) -> "OnlineValues":
        """Make what decodes one read piece by piece."""
        return OnlineValues()


class OnlineValues:
    """A value is certain as soon as it is computed."""

    def __init__(self) -> None:
        self.certain = 0

    def push(self, outputs_CT: NDArray[np.float32], *, last: bool) -> Events:
        """Return the values of the next samples as events; see `OnlineDecoder`.

        Args:
            outputs_CT: Values, shape ``(1, n)``; n may be 0.
            last: Whether the read ends with these samples.
        """
        first, n = self.certain, outputs_CT.shape[1]
        self.certain += n
        found = value_events(outputs_CT[0])
        coverage = np.array([[first, self.certain]][: min(n, 1)], np.int64).reshape(-1, 2)
        return replace(found, start=found.start + first, end=found.end + first, coverage=coverage)
