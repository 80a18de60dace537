"""Counts to pA, and the one normalisation that training and labelling share."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from poreconv.errors import SignalError
from poreconv.read import Calibration, Read

SD_PER_MAD = 1.4826
"""SD of a Gaussian over its median absolute deviation: 1 / Phi^-1(3/4)."""


def to_pa(adc: NDArray[np.int16], calibration: Calibration) -> NDArray[np.float32]:
    """Turn counts into current.

    Args:
        adc: Raw counts, shape ``(n_samples,)``.
        calibration: The read's own.

    Returns:
        Current in pA, shape ``(n_samples,)``.
    """
    return ((adc + np.float64(calibration.offset)) * calibration.scale).astype(np.float32)


def med_mad(pa: NDArray[np.float32], times: NDArray[np.intp] | None = None) -> tuple[float, float]:
    """Estimate the shift and scale that centre a squiggle.

    Args:
        pa: Current in pA, shape ``(n_samples,)``, no NaN.
        times: How many samples have each of these values, if not one; same shape, positive.

    Returns:
        ``(shift, scale)`` in pA: the median, and 1.4826 x MAD (the SD, if Gaussian).

    Raises:
        SignalError: The read is empty (``empty``) or its MAD is 0 (``flat``).

    Source:
        Rousseeuw & Croux 1993, doi:10.1080/01621459.1993.10476408.
    """
    if len(pa) == 0:
        raise SignalError("no samples, so no shift and scale; leave the read out", reason="empty")
    times = np.ones(len(pa), np.intp) if times is None else times
    shift = _median(pa, times)
    mad = _median(np.abs(pa - np.float32(shift)), times)
    if mad == 0:
        raise SignalError(f"MAD is 0 pA over {times.sum()} samples: a flat read; leave it out", reason="flat")
    return shift, SD_PER_MAD * mad


def _median(values: NDArray[np.float32], times: NDArray[np.intp]) -> float:
    """Median of values that occur several times; of the two in the middle, the mean."""
    order = np.argsort(values)
    passed = np.cumsum(times[order])
    middle = np.searchsorted(passed, [(passed[-1] - 1) // 2, passed[-1] // 2], side="right")
    return float(values[order[middle]].mean(dtype=np.float64))


def read_scale(read: Read) -> tuple[float, float]:
    """Shift and scale of a whole read in pA, `med_mad` with the read named in its errors.

    A read has some hundred different counts: to count them first is several times faster than a median of its samples.
    """
    lowest = int(read.adc.min(initial=np.iinfo(np.int16).max))
    times = np.bincount(read.adc.astype(np.intp) - lowest)
    there = np.flatnonzero(times)
    try:
        return med_mad(to_pa((there + lowest).astype(np.int16), read.calibration), times[there])
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
    """Turn counts into the network's input.

    Args:
        adc: Raw counts, shape ``(n_samples,)`` or ``(B, n_samples)``.
        offset: Calibration offset in counts, one number or shape ``(B, 1)``; so are the next three.
        scale: Calibration scale in pA per count.
        shift_pa: Centre of the read.
        scale_pa: Width of the read.
        clip: Largest absolute value given back.

    Returns:
        ``(pA - shift_pa) / scale_pa`` within ``-clip..clip``, same shape.
    """
    gain = np.asarray(scale, np.float64) / np.asarray(scale_pa, np.float64)
    bias = np.asarray(offset, np.float64) * gain - np.asarray(shift_pa, np.float64) / np.asarray(scale_pa, np.float64)
    normalised = adc.astype(np.float32) * gain.astype(np.float32) + bias.astype(np.float32)
    return np.clip(normalised, -clip, clip, out=normalised)


def normalise_read(read: Read, *, clip: float) -> NDArray[np.float32]:
    """Normalise a whole read by its own median and MAD, shape ``(n_samples,)``.

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
