"""Resampling reads from one sample rate to another."""

from dataclasses import replace
from fractions import Fraction

import numpy as np

from poreconv.config import require
from poreconv.errors import ConfigError, SignalError
from poreconv.reads.read import COUNTS, Read

LARGEST_FACTOR = 5000
"""Largest denominator of the fraction that approximates the ratio of two rates: 4000 to 3012 Hz is 1000 to 753."""


MOST_TIMES = 100
"""Largest ratio of two rates, either way: a larger one is an error in a file, and would use up the memory."""


def check_ratio(old_hz: float, new_hz: float) -> None:
    """Check that signal can be resampled from one rate to another.

    Args:
        old_hz: Samples per second.
        new_hz: The new rate.

    Raises:
        ConfigError: One is over ``MOST_TIMES`` the other.
    """
    possible = 1 / MOST_TIMES <= new_hz / old_hz <= MOST_TIMES
    require(possible, f"{old_hz:g} Hz cannot be resampled to {new_hz:g} Hz: one is over {MOST_TIMES} times the other")


def resample_read(read: Read, sample_rate_hz: float) -> Read:
    """Resample a read with a polyphase filter that removes everything above half the lower rate.

    Args:
        read: Any read.
        sample_rate_hz: The new rate, samples per second.

    Returns:
        The read with ``ceil(n_samples * new / old)`` samples, of which sample 0 is the old sample 0, and counts are
        rounded; at its own rate, the read itself.

    Raises:
        SignalError: The rates differ too much (``wrong_rate``); see `check_ratio`.

    Source:
        `scipy.signal.resample_poly`, with its own filter (Kaiser window, beta 5).
    """
    if sample_rate_hz == read.sample_rate_hz:
        return read
    try:
        check_ratio(read.sample_rate_hz, sample_rate_hz)
    except ConfigError as exc:
        raise SignalError(f"{read.where}: {exc}; correct the rate, or leave the read out", reason="wrong_rate") from exc
    from scipy.signal import resample_poly  # slow to import, and rarely needed

    ratio = Fraction(sample_rate_hz / read.sample_rate_hz).limit_denominator(LARGEST_FACTOR)
    adc = resample_poly(read.adc.astype(np.float32), ratio.numerator, ratio.denominator, padtype="edge")
    if read.adc.dtype == np.int16:
        adc = np.clip(np.rint(adc), COUNTS.min, COUNTS.max).astype(np.int16)
    return replace(read, adc=adc, sample_rate_hz=sample_rate_hz)
