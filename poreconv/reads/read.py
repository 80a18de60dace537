"""The record of one molecule, as a sequencer stores it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from poreconv.config import require
from poreconv.errors import SignalError
from poreconv.reads.chemistry import Chemistry, chemistry_named, chemistry_of

COUNTS = np.iinfo(np.int16)
"""Range of counts."""


@dataclass(frozen=True, slots=True)
class Calibration:
    """Linear map from counts to current: ``pA = (adc + offset) * scale``."""

    offset: float
    """Counts added before scaling."""
    scale: float
    """pA per count (fast5: range / digitisation)."""

    def to_pa(self, adc: NDArray[np.int16 | np.float32]) -> NDArray[np.float32]:
        """Convert counts to current.

        Args:
            adc: Counts, shape ``(n_samples,)``.

        Returns:
            Current in pA, shape ``(n_samples,)``.
        """
        return ((adc + np.float64(self.offset)) * self.scale).astype(np.float32)


IN_PA = Calibration(offset=0.0, scale=1.0)
"""Calibration of a read whose samples are pA."""


@dataclass(frozen=True, slots=True, eq=False)
class Read:
    """One molecule's record, as stored: not normalised; index 0 is the first stored sample.

    A number that the file does not contain is 0, a text is empty.
    """

    read_id: str
    adc: NDArray[np.int16 | np.float32]
    """Raw counts, int16; or current in pA, float32, whose calibration is offset 0, scale 1; shape ``(n_samples,)``."""
    calibration: Calibration
    sample_rate_hz: float
    """Samples per second."""
    channel: int = 0
    """Channel of the flow cell, from 1."""
    mux: int = 0
    """Well of the channel, from 1."""
    read_number: int = 0
    """Number of the read in its channel."""
    start_sample: int = 0
    """Sample of the channel's acquisition at which the read begins."""
    end_reason: str = ""
    """Why the sequencer ended the read, such as ``signal_positive``."""
    median_before: float | None = None
    """Median current just before the read, pA; None if the file does not contain it."""
    run_id: str = ""
    """Id of the sequencing run."""
    pore: str = ""
    """Flow cell product code, such as ``FLO-MIN106``."""
    kit: str = ""
    """Sequencing kit, such as ``SQK-LSK109``."""
    experiment: str = ""
    """Kind of experiment, such as ``genomic_dna`` or ``rna``."""
    chemistry_code: str = ""
    """Code of the chemistry, where it is known otherwise than by flow cell and kit: from a store, or from the user."""
    source: Path | None = None
    """File that contains the read; None for one made in memory."""

    @classmethod
    def from_array(
        cls,
        adc_or_pa: ArrayLike,
        sample_rate_hz: float,
        *,
        read_id: str = "array",
        calibration: Calibration | None = None,
        chemistry: str = "",
        source: Path | None = None,
    ) -> Self:
        """Make a read of an array: whole numbers are counts, others are current in pA.

        Args:
            adc_or_pa: Shape ``(n_samples,)``; not copied if it is int16 or float32.
            sample_rate_hz: Samples per second.
            read_id: Id of the read.
            calibration: Of counts. Default: offset 0, scale 1: then `pa` is in counts too; labels do not depend on it.
            chemistry: Code of the chemistry, such as ``dna_r9.4.1``, where it is known.
            source: File that contains the read.

        Raises:
            ConfigError: The sample rate is not positive, or current in pA has a calibration.
            SignalError: The array is empty, not one-dimensional, not of finite numbers, or its whole numbers do not fit
                into int16.
        """
        where, rate = f"read {read_id}", float(sample_rate_hz)
        require(0 < rate < np.inf, f"{where}: sample_rate_hz {rate:g}; give the samples per second, such as 4000")
        adc = _checked(np.asarray(adc_or_pa), where)
        in_pa = adc.dtype == np.float32
        require(
            not in_pa or calibration in {None, IN_PA},
            f"{where}: numbers with decimals are pA, which need no calibration; leave it out, or give int16 counts",
        )
        return cls(read_id, adc, calibration or IN_PA, rate, chemistry_code=chemistry, source=source)

    @property
    def pa(self) -> NDArray[np.float32]:
        """Current in pA, shape ``(n_samples,)``."""
        return self.calibration.to_pa(self.adc)

    @property
    def counts(self) -> NDArray[np.int16]:
        """Raw counts, shape ``(n_samples,)``, for what can only take counts; a read in pA has none: `SignalError`."""
        if self.adc.dtype != np.int16:
            raise SignalError(
                f"{self.where}: current in pA, where counts are needed; give int16 counts with their calibration",
                reason="no_counts",
            )
        return self.adc.astype(np.int16, copy=False)

    @property
    def where(self) -> str:
        """File and read, for an error message: ``run7.pod5: read 0a1b...``."""
        return f"{self.source or 'memory'}: read {self.read_id}"

    @property
    def dwell_samples(self) -> float | None:
        """Usual samples per base of its chemistry; None where that has no usual speed."""
        speed = self.chemistry.bases_per_s
        return None if speed is None else self.sample_rate_hz / speed

    @property
    def chemistry(self) -> Chemistry:
        """Pore, kit family and molecule, as far as they are known; see `chemistry_of`."""
        if self.chemistry_code:
            return chemistry_named(self.chemistry_code)
        return chemistry_of(pore=self.pore, kit=self.kit, experiment=self.experiment)


def _checked(values: NDArray[Any], where: str) -> NDArray[np.int16 | np.float32]:
    """Return an array as counts or as current in pA; `SignalError` if it is neither."""
    if values.ndim != 1:
        shape = " x ".join(map(str, values.shape)) or "a single number"
        raise SignalError(f"{where}: {shape}; a read is one row of samples, shape (n_samples,)", reason="not_a_row")
    if not len(values):
        raise SignalError(f"{where}: no samples; give at least one", reason="empty")
    if values.dtype.kind not in "iuf":
        raise SignalError(f"{where}: {values.dtype}; give int16 counts, or float32 pA", reason="not_numbers")
    if values.dtype.kind == "f":
        with np.errstate(over="ignore"):
            pa = values.astype(np.float32, copy=False)
        finite = np.isfinite(pa)
        if not finite.all():
            at = int(np.argmin(finite))
            raise SignalError(f"{where}: sample {at} is {values[at]}; leave it out, or fill it", reason="not_finite")
        return pa
    low, high = values.min(), values.max()
    if low < COUNTS.min or high > COUNTS.max:
        raise SignalError(
            f"{where}: whole numbers from {low} to {high}, and counts are int16, {COUNTS.min} to {COUNTS.max}; give"
            " current in pA as float32, (adc + offset) * scale",
            reason="not_int16",
        )
    return values.astype(np.int16, copy=False)
