"""Bringing reads and their events from one sample rate to another, and back."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from poreconv.events import Events
from poreconv.read import Read

LARGEST_FACTOR = 5000
"""Of the fraction that stands for the ratio of two rates: 4000 to 3012 Hz is 1000 to 753."""


def resample_read(read: Read, sample_rate_hz: float) -> Read:
    """Give a read at another sample rate; at its own, the read itself.

    A polyphase filter that lets nothing above half the lower rate pass; counts are rounded. Sample 0 stays sample 0.

    Args:
        read: Any read.
        sample_rate_hz: The new rate.

    Returns:
        The read with ``ceil(n_samples * new / old)`` samples.

    Source:
        `scipy.signal.resample_poly`, with its own filter (Kaiser window, beta 5).
    """
    if sample_rate_hz == read.sample_rate_hz:
        return read
    from scipy.signal import resample_poly  # slow to import, and seldom needed

    ratio = Fraction(sample_rate_hz / read.sample_rate_hz).limit_denominator(LARGEST_FACTOR)
    counts = resample_poly(read.adc.astype(np.float32), ratio.numerator, ratio.denominator, padtype="edge")
    limits = np.iinfo(np.int16)
    adc = np.clip(np.rint(counts), limits.min, limits.max).astype(np.int16)
    return replace(read, adc=adc, sample_rate_hz=sample_rate_hz)


def resample_events(events: Events, n_samples: int, n_new: int, ratio: float) -> Events:
    """Give events the places that they have at another sample rate.

    A boundary lies half a sample before an event's first; the new first sample is the first after the same moment. So
    events that went to a higher rate and back are where they were.

    Args:
        events: Of a read of ``n_samples``.
        n_samples: Its samples at the events' rate.
        n_new: Its samples at the new rate.
        ratio: New rate / old rate.

    Returns:
        The events that still have a sample; at a lower rate short ones may have none.
    """

    def moved(place: NDArray[np.int64]) -> NDArray[np.int64]:
        new = np.clip(np.ceil((place - 0.5) * ratio), 0, n_new).astype(np.int64)
        return np.where(place == n_samples, n_new, new)

    start, end = moved(events.start), moved(events.end)
    there = end > start
    return Events.of(
        start[there],
        end[there],
        label=events.label[there],
        classes=events.classes,
        score=events.score[there],
        coverage=moved(events.coverage),
    )
