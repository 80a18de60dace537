"""What the current of a read alone shows of the run's health: noise, blockades, and where an RNA's adapter ends."""

from typing import NamedTuple

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from poreconv.reads.read import Read
from poreconv.reads.scaling import SD_PER_MAD, read_scale

BLOCKED_PA = 20.0
"""Current below which a pore counts as blocked, pA: a tenth of what an open pore conducts at the usual voltage. Bases
of DNA and RNA leave 40 pA and more; a reversed voltage gives negative current."""

ADAPTER_RISE_PA = 18.3
"""Rise of the median current at the end of an RNA's adapter, pA: 125 counts of a PromethION.

Source: dorado's `determine_rna_adapter_pos`, whose windows these are too.
"""

ADAPTER_WINDOW_S, ADAPTER_HOP_S, ADAPTER_WINDOWS = 0.0625, 0.0125, 5
"""Length of the windows whose medians are taken, and the time from one to the next, seconds; windows in a row among
which the rise must happen."""

ADAPTER_FROM_S, ADAPTER_TO_S = 0.25, 3.75
"""Part of a read in which the adapter can end, seconds: dorado's, and longer at its end, as its versions differ."""


class Current(NamedTuple):
    """The current of one read, pA where nothing else is stated."""

    open_pore: float
    """Of the pore before the read; NaN if the file does not contain it."""
    level: float
    """Mean while a molecule moves; see `read_scale`."""
    spread: float
    """SD while a molecule moves, of all levels together."""
    noise: float
    """SD of the noise of samples, from the differences of neighbours, of which few are steps."""
    blocked: float
    """Share of the samples below `BLOCKED_PA`."""

    @classmethod
    def of(cls, read: Read) -> "Current":
        """Measure a read.

        Args:
            read: The read.

        Raises:
            SignalError: It is empty or flat.
        """
        level, spread = read_scale(read)
        pa = read.pa
        open_pore = np.nan if read.median_before is None else read.median_before
        return cls(open_pore, level, spread, _noise(pa), float(np.mean(pa < BLOCKED_PA)))


def _noise(pa: NDArray[np.float32]) -> float:
    """Return the SD of samples, from the absolute differences of neighbours: the mean of those within 3 SDs.

    A median alone would be one of a few numbers, since counts are whole.
    """
    difference = np.abs(np.diff(pa))
    if not len(difference):
        return 0.0
    likely = difference[difference <= 3 * SD_PER_MAD * np.median(difference)]
    return float(np.mean(likely) * np.sqrt(np.pi / 2) / np.sqrt(2))


def adapter_end(read: Read) -> int:
    """Return the sample at which the adapter of an RNA ends, and its bases begin; 0: none is found, or it is no RNA.

    The adapter is DNA and conducts less than the RNA behind it, so the median current rises there. On 718 reads of two
    runs of RNA004 tRNA, 99 of 100 ends lie within 100 samples of dorado's own (``ts``), nearly all at the same sample.

    Args:
        read: The read.
    """
    window, hop = round(ADAPTER_WINDOW_S * read.sample_rate_hz), round(ADAPTER_HOP_S * read.sample_rate_hz)
    start, end = (round(seconds * read.sample_rate_hz) for seconds in (ADAPTER_FROM_S, ADAPTER_TO_S))
    pa = read.pa[start : end + window]
    if not read.chemistry.rna or len(pa) < window + (ADAPTER_WINDOWS - 1) * hop:
        return 0
    medians = np.median(sliding_window_view(pa, window)[::hop], axis=1)
    rises = np.flatnonzero(_rise(sliding_window_view(medians, ADAPTER_WINDOWS)) > ADAPTER_RISE_PA)
    return start + (int(rises[0]) + ADAPTER_WINDOWS - 1) * hop if len(rises) else 0


def _rise(medians_NW: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the range of each row whose largest value comes after its smallest, else 0."""
    rising = medians_NW.argmax(axis=1) > medians_NW.argmin(axis=1)
    return np.where(rising, np.ptp(medians_NW, axis=1), np.float32(0))
