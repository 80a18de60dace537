"""Bringing reads and their events from one sample rate to another, and back."""

from dataclasses import replace
from fractions import Fraction

import numpy as np

from poreconv.reads.read import Read

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
