"""Shift and scale of a squiggle, and the normalisation that training and labelling share."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from poreconv.errors import SignalError
from poreconv.reads.read import Calibration, Read

SD_PER_MAD = 1.4826
"""SD of a Gaussian over its median absolute deviation: 1 / Phi^-1(3/4)."""


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


class Steps:
    """Finds the windows of a read in which a molecule moves through the pore: the current steps from level to level.

    A window steps if its samples differ from those a usual dwell later by much more than from the next ones: the median
    differences have a ratio of at least `LEAST_RATIO`. So have 96 to 99 of 100 windows of aligned DNA (R9.4.1,
    R10.4.1), and 93 to 96 of RNA001 and RNA002. Of 18,000 windows of open pore, stalls and blockades, quiet or noisy,
    of spikes and of jumps every 100 samples, at DNA's speed none had over 1.5: a median does not see a few jumps.

    Args:
        dwell_samples: Usual samples per base.
    """

    def __init__(self, dwell_samples: float) -> None:
        self.window, self._lag = round(WINDOW_DWELLS * dwell_samples), max(round(LAG_DWELLS * dwell_samples), 2)

    def samples(self, signal: NDArray[Any]) -> NDArray[Any]:
        """Return the samples of the windows that step.

        Args:
            signal: Counts, or current in pA; what is left after the last whole window is not used.
        """
        windows = self._windows(signal)
        return np.asarray(windows[self._stepping(windows)].ravel())

    def places(self, signal: NDArray[Any]) -> NDArray[np.bool_]:
        """Return whether each sample is in a window that steps.

        Args:
            signal: Counts, or current in pA; what is left after the last whole window is as that one.

        Returns:
            Shape ``(n_samples,)``; all false if there is no whole window.
        """
        stepping = np.repeat(self._stepping(self._windows(signal)), self.window)
        return np.append(stepping, np.full(len(signal) - len(stepping), bool(len(stepping)) and stepping[-1]))

    def _windows(self, signal: NDArray[Any]) -> NDArray[Any]:
        n_windows = len(signal) // self.window
        return signal[: n_windows * self.window].reshape(n_windows, self.window)

    def _stepping(self, windows: NDArray[Any]) -> NDArray[np.bool_]:
        wide = windows.astype(np.int32 if windows.dtype == np.int16 else np.float32)
        far = _median_difference(wide, self._lag)
        return np.asarray(
            (far > 0) & (far >= LEAST_RATIO * np.maximum(_median_difference(wide, 1), wide.dtype.kind == "i"))
        )


WINDOW_DWELLS, LAG_DWELLS, LEAST_RATIO = 40, 1, 1.75
"""Length of a window, and between the samples that are compared, in usual dwells; and the ratio from which it steps."""

LEAST_STEPPING = 2000
"""Fewest samples in windows that step of which a scale is taken; a read of fewer is scaled by all its samples."""


def _median_difference(windows: NDArray[Any], lag: int) -> NDArray[Any]:
    difference = np.abs(windows[:, lag:] - windows[:, :-lag])
    middle = difference.shape[1] // 2
    return np.asarray(np.partition(difference, middle, axis=1)[:, middle])


class _Counts:
    """How many samples have each count. Sorting some hundred different counts is faster than sorting all samples."""

    def __init__(self) -> None:
        self.times = np.zeros(1 << 16, np.uint32)
        self.n_samples, self._low, self._high = 0, len(self.times), 0

    def add(self, adc: NDArray[np.int16]) -> None:
        if not len(adc):
            return
        place = adc.astype(np.intp) - LOWEST
        low = int(place.min())
        times = np.bincount(place - low)
        self._low, self._high = min(self._low, low), max(self._high, low + len(times))
        self.times[low : low + len(times)] += times.astype(np.uint32)
        self.n_samples += len(adc)

    def estimate(self, calibration: Calibration) -> tuple[float, float]:
        times = self.times[self._low : self._high]
        there = np.flatnonzero(times)
        adc = (there + self._low + LOWEST).astype(np.int16)
        return winsorised(calibration.to_pa(adc), times[there].astype(np.intp))


class RunningScale:
    """Shift and scale (`winsorised`) of samples that arrive piece by piece: exact, in constant memory.

    Those of the windows that step, so that open pore, stalls and blockades of any length do not count; see `Steps`.

    Args:
        dwell_samples: Usual samples per base; None: not known, then all samples count.
    """

    def __init__(self, dwell_samples: float | None = None) -> None:
        self._steps = None if dwell_samples is None else Steps(dwell_samples)
        self._all, self._stepping, self._rest = _Counts(), _Counts(), np.empty(0, np.int16)

    @property
    def nbytes(self) -> int:
        """Bytes of the histograms."""
        return self._all.times.nbytes + self._stepping.times.nbytes

    def add(self, adc: NDArray[np.int16]) -> None:
        """Add samples.

        Args:
            adc: Raw counts, shape ``(n,)``.
        """
        self._all.add(adc)
        if self._steps is not None:
            signal = np.concatenate([self._rest, adc])
            self._stepping.add(self._steps.samples(signal))
            self._rest = signal[len(signal) - len(signal) % self._steps.window :].copy()

    def estimate(self, calibration: Calibration) -> tuple[float, float]:
        """Return the shift and scale of all samples so far.

        Args:
            calibration: The read's own.

        Returns:
            ``(shift, scale)`` in pA.

        Raises:
            SignalError: There are no samples, or nine tenths of them have one value.
        """
        return self._used.estimate(calibration)

    @property
    def n_used(self) -> int:
        """Number of samples of which the scale is taken."""
        return self._used.n_samples

    @property
    def _used(self) -> _Counts:
        return self._stepping if self._stepping.n_samples >= LEAST_STEPPING else self._all


LOWEST = int(np.iinfo(np.int16).min)
"""Smallest possible count."""


def read_scale(read: Read) -> tuple[float, float]:
    """Return the shift and scale (`winsorised`) of a whole read: of its windows that step, see `Steps`.

    Args:
        read: Any read; where its chemistry has no usual speed, all its samples count.

    Returns:
        ``(shift, scale)`` in pA.

    Raises:
        SignalError: The read is empty or flat; the message names it.
    """
    try:
        if read.adc.dtype != np.int16:
            pa = read.pa
            stepping = pa[:0] if read.dwell_samples is None else Steps(read.dwell_samples).samples(pa)
            return winsorised(stepping if len(stepping) >= LEAST_STEPPING else pa)
        running = RunningScale(read.dwell_samples)
        running.add(read.counts)
        return running.estimate(read.calibration)
    except SignalError as exc:
        raise SignalError(f"{read.where}: {exc}", reason=exc.reason) from exc


def normalise(
    adc: NDArray[np.int16 | np.float32],
    *,
    offset: ArrayLike,
    scale: ArrayLike,
    shift_pa: ArrayLike,
    scale_pa: ArrayLike,
    clip: float,
) -> NDArray[np.float32]:
    """Normalise counts: the network's input.

    Args:
        adc: Counts, or pA, shape ``(n_samples,)`` or ``(B, n_samples)``.
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
    """Normalise a whole read by its own shift and scale (`read_scale`).

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
