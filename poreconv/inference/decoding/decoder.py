"""Decoders: a network's outputs -> events, of a whole read or piece by piece."""

from abc import ABC, abstractmethod
from pkgutil import resolve_name
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from poreconv.config import DecodeConfig
from poreconv.errors import ConfigError
from poreconv.events.events import Events
from poreconv.events.tasks.task import Task
from poreconv.inference.decoding.temperature import probabilities

# C classes, T samples


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


class Decoder(ABC):
    """Turns a network's outputs into events; serves any number of reads.

    All that depends on the configuration alone is computed when it is made.

    Args:
        classes: Names of the network's ``C`` outputs.
        config: Temperature and bias, method and thresholds.
    """

    def __init__(self, classes: tuple[str, ...], config: DecodeConfig) -> None:
        self.classes: tuple[str, ...] = classes
        self.config: DecodeConfig = config

    def outputs(self, logits_CT: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return what the network's logits mean at each sample: the probability of each class.

        Args:
            logits_CT: Of any samples of one read, shape ``(C, T)``.

        Returns:
            Shape ``(C, T)``.
        """
        return probabilities(logits_CT, self.config.temperature, self.config.bias)

    @abstractmethod
    def __call__(self, outputs_CT: NDArray[np.float32]) -> Events:
        """Find the events of one read; they cover it.

        Args:
            outputs_CT: What `outputs` returns, of all samples of the read, shape ``(C, n_samples)``.
        """

    def online(self) -> OnlineDecoder:
        """Make what decodes one read piece by piece, to the same events.

        Raises:
            ConfigError: Whole reads are needed.
        """
        raise ConfigError("stream: this model labels whole reads; use poreconv label")


def decoder_of(task: Task, classes: tuple[str, ...], config: DecodeConfig) -> Decoder:
    """Make the decoder of a model's reads.

    Args:
        task: The model's task.
        classes: Names of the network's ``C`` outputs.
        config: Temperature and bias, method and thresholds.

    Raises:
        ConfigError: The dwell hazards have another number of bins than this version's.
    """
    decoder: Decoder = resolve_name(task.decoder)(classes, config)
    return decoder
