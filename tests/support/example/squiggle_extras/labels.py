"""A label source that needs no file: the steps of the current."""

import numpy as np

from poreconv import Events, Read

LEAST_STEP_PA = 4.0
"""Smallest difference between the means of three samples that is a boundary."""


def steps(read: Read) -> Events | None:
    """Cut a read where its current changes most; None: it never changes by much."""
    total = np.cumsum(read.pa, dtype=np.float64)
    mean = (total[3:] - total[:-3]) / 3
    jump = np.abs(mean[3:] - mean[:-3])
    highest = (jump[1:-1] >= LEAST_STEP_PA) & (jump[1:-1] > jump[:-2]) & (jump[1:-1] >= jump[2:])
    boundary = np.flatnonzero(highest) + 5
    if len(boundary) < 2:
        return None
    return Events.of(boundary[:-1], boundary[1:])
