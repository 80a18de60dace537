"""Resampling reads from one sample rate to another."""

from dataclasses import replace
from fractions import Fraction

import numpy as np

from poreconv.reads.read import Read

LARGEST_FACTOR = 5000
"""Largest denominator of the fraction that approximates the ratio of two rates: 4000 to 3012 Hz is 1000 to 753."""


def resample_read(read: Read, sample_rate_hz: float) -> Read:
    """Resample a read with a polyphase filter that removes everything above half the lower rate.

    Args:
        read: Any read.
        sample_rate_hz: The new rate, samples per second.

    Returns:
        The read with ``ceil(n_samples * new / old)`` rounded counts, of which sample 0 is the old sample 0; at its own
        rate, the read itself.

    Source:
        `scipy.signal.resample_poly`, with its own filter (Kaiser window, beta 5).
    """
    if sample_rate_hz == read.sample_rate_hz:
        return read
    from scipy.signal import resample_poly  # slow to import, and rarely needed

    ratio = Fraction(sample_rate_hz / read.sample_rate_hz).limit_denominator(LARGEST_FACTOR)
    counts = resample_poly(read.adc.astype(np.float32), ratio.numerator, ratio.denominator, padtype="edge")
    limits = np.iinfo(np.int16)
    adc = np.clip(np.rint(counts), limits.min, limits.max).astype(np.int16)
    return replace(read, adc=adc, sample_rate_hz=sample_rate_hz)
