"""A metric, and a baseline."""

import math

import numpy as np

from poreconv import Events, Read


def count_error(found: Events, true: Events) -> float:
    """Return by which share of the true events too many, or too few, were found in a read."""
    return abs(len(found) - len(true)) / len(true) if len(true) else math.nan


def every_ten(read: Read) -> Events:
    """Cut a read every ten samples."""
    start = np.arange(0, len(read.adc), 10)
    return Events.of(start, np.minimum(start + 10, len(read.adc)))
