"""Counts to pA, and the normalisation that training and labelling share."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from poreconv.errors import SignalError
from poreconv.reads.read import Calibration, Read

SD_PER_MAD = 1.4826
"""SD of a Gaussian over its median absolute deviation: 1 / Phi^-1(3/4)."""


def to_pa(adc: NDArray[np.int16], calibration: Calibration) -> NDArray[np.float32]:
    """Convert counts to current.

    Args:
        adc: Raw counts, shape ``(n_samples,)``.
        calibration: The read's own.

    Returns:
        Current in pA, shape ``(n_samples,)``.
    """
    return ((adc + np.float64(calibration.offset)) * calibration.scale).astype(np.float32)


def med_mad(pa: NDArray[np.float32]) -> tuple[float, float]:
    """Return the median of a squiggle and 1.4826 x MAD (the SD, if Gaussian), by which Tombo and others scale.

    Args:
        pa: Current in pA, shape ``(n_samples,)``, no NaN.

    Returns:
        ``(shift, scale)`` in pA.

    Raises:
        SignalError: The read is empty (``empty``) or its MAD is 0 (``flat``).

    Source:
        Rousseeuw & Croux 1993, doi:10.1080/01621459.1993.10476408.
    """
    if len(pa) == 0:
        raise SignalError(EMPTY, reason="empty")
    median = float(np.median(pa.astype(np.float64)))
    mad = float(np.median(np.abs(pa - median)))
    if mad == 0:
        raise SignalError(f"MAD is 0 pA over {len(pa)} samples: a flat read; leave it out", reason="flat")
    return median, SD_PER_MAD * mad


EMPTY = "no samples, so no shift and scale; leave the read out"

TAIL = 0.05
"""Share of the samples at either end of their distribution that are replaced before mean and SD are taken."""


def winsorised(pa: NDArray[np.float32], times: NDArray[np.intp] | None = None) -> tuple[float, float]:
    """Estimate shift and scale of a squiggle: its winsorised mean and SD.

    The lowest and the highest twentieth of the samples are replaced by the next value inwards. Measured against scales
    fitted to the reads' known sequences, this estimate varies less than median and MAD: the SD over reads of its shift,
    in units of the scale, and that of the logarithm of its scale, are 0.07 and 0.03 on lambda R9.4.1 reads (median and
    MAD: 0.11 and 0.07), 0.07 and 0.04 on RNA001 (0.12 and 0.11), 0.16 and 0.07 on RNA002 (0.21 and 0.11): a squiggle
    has many levels and no single middle, so a median jumps from one level to the next.

    Args:
        pa: Current in pA, shape ``(n,)``, no NaN.
        times: Number of samples that have each value, same shape, positive. Default: 1 each.

    Returns:
        ``(shift, scale)`` in pA.

    Raises:
        SignalError: The read is empty (``empty``), or nine tenths of its samples have one value (``flat``).

    Source:
        Dixon & Tukey 1968, doi:10.1080/00401706.1968.10490537.
    """
    if len(pa) == 0:
        raise SignalError(EMPTY, reason="empty")
    times = np.ones(len(pa), np.intp) if times is None else times
    order = np.argsort(pa)
    values, passed = pa[order].astype(np.float64), np.cumsum(times[order])
    n = int(passed[-1])
    beyond = int(TAIL * n)
    low, high = values[np.searchsorted(passed, [beyond, n - 1 - beyond], side="right")]
    inner = np.clip(values, low, high)
    shift = float((inner * times[order]).sum() / n)
    scale = float(np.sqrt(((inner - shift) ** 2 * times[order]).sum() / n))
    if low == high:
        raise SignalError(f"nine tenths of {n} samples are {low:.1f} pA: a flat read; leave it out", reason="flat")
    return shift, scale


class RunningScale:
    """Shift and scale (`winsorised`) of samples that arrive piece by piece: exact, in constant memory.

    A read has some hundred different counts: a histogram of them is several times faster than sorting its samples.
    """

    def __init__(self) -> None:
        self._times = np.zeros(1 << 16, np.intp)
        self._low, self._high = len(self._times), 0

    @property
    def nbytes(self) -> int:
        """Bytes of the histogram."""
        return self._times.nbytes

    def add(self, adc: NDArray[np.int16]) -> None:
        """Add samples.

        Args:
            adc: Raw counts, shape ``(n,)``.
        """
        if not len(adc):
            return
        place = adc.astype(np.intp) - LOWEST
        low = int(place.min())
        times = np.bincount(place - low)
        self._low, self._high = min(self._low, low), max(self._high, low + len(times))
        self._times[low : low + len(times)] += times

    def estimate(self, calibration: Calibration) -> tuple[float, float]:
        """Return the shift and scale of all samples so far.

        Args:
            calibration: The read's own.

        Returns:
            ``(shift, scale)`` in pA.

        Raises:
            SignalError: There are no samples, or nine tenths of them have one value.
        """
        times = self._times[self._low : self._high]
        there = np.flatnonzero(times)
        return winsorised(to_pa((there + self._low + LOWEST).astype(np.int16), calibration), times[there])


LOWEST = int(np.iinfo(np.int16).min)
"""Smallest possible count."""


def read_scale(read: Read) -> tuple[float, float]:
    """Return the shift and scale (`winsorised`) of a whole read.

    Args:
        read: Any read.

    Returns:
        ``(shift, scale)`` in pA.

    Raises:
        SignalError: The read is empty or flat; the message names it.
    """
    running = RunningScale()
    running.add(read.adc)
    try:
        return running.estimate(read.calibration)
    except SignalError as exc:
        raise SignalError(f"{read.where}: {exc}", reason=exc.reason) from exc


def normalise(
    adc: NDArray[np.int16],
    *,
    offset: ArrayLike,
    scale: ArrayLike,
    shift_pa: ArrayLike,
    scale_pa: ArrayLike,
    clip: float,
) -> NDArray[np.float32]:
    """Normalise counts: the network's input.

    Args:
        adc: Raw counts, shape ``(n_samples,)`` or ``(B, n_samples)``.
        offset: Calibration offset, counts; like the next three, one number or shape ``(B, 1)``.
        scale: Calibration scale, pA per count.
        shift_pa: Shift of the read, pA.
        scale_pa: Scale of the read, pA.
        clip: Largest absolute value returned.

    Returns:
        ``(pA - shift_pa) / scale_pa`` within ``-clip..clip``, same shape.
    """
    gain = np.asarray(scale, np.float64) / np.asarray(scale_pa, np.float64)
    bias = np.asarray(offset, np.float64) * gain - np.asarray(shift_pa, np.float64) / np.asarray(scale_pa, np.float64)
    normalised = adc.astype(np.float32) * gain.astype(np.float32) + bias.astype(np.float32)
    return np.clip(normalised, -clip, clip, out=normalised)


def normalise_read(read: Read, *, clip: float) -> NDArray[np.float32]:
    """Normalise a whole read by its own shift and scale (`winsorised`).

    Args:
        read: Any read.
        clip: Largest absolute value returned.

    Returns:
        The network's input, shape ``(n_samples,)``.

    Raises:
        SignalError: The read is empty or flat.
    """
    shift_pa, scale_pa = read_scale(read)
    calibration = read.calibration
    return normalise(
        read.adc,
        offset=calibration.offset,
        scale=calibration.scale,
        shift_pa=shift_pa,
        scale_pa=scale_pa,
        clip=clip,
    )
