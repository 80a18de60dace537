"""The record of one molecule, as a sequencer stores it."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from poreconv.reads.chemistry import Chemistry, chemistry_named, chemistry_of


@dataclass(frozen=True, slots=True)
class Calibration:
    """Linear map from counts to current: ``pA = (adc + offset) * scale``."""

    offset: float
    """Counts added before scaling."""
    scale: float
    """pA per count (fast5: range / digitisation)."""


@dataclass(frozen=True, slots=True, eq=False)
class Read:
    """One molecule's record, as stored: not normalised; index 0 is the first stored sample.

    A number that the file does not contain is 0, a text is empty.
    """

    read_id: str
    adc: NDArray[np.int16]
    """Raw counts, shape ``(n_samples,)``."""
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

    @property
    def where(self) -> str:
        """File and read, for an error message: ``run7.pod5: read 0a1b...``."""
        return f"{self.source or 'memory'}: read {self.read_id}"

    @property
    def chemistry(self) -> Chemistry:
        """Pore, kit family and molecule, as far as they are known; see `chemistry_of`."""
        if self.chemistry_code:
            return chemistry_named(self.chemistry_code)
        return chemistry_of(pore=self.pore, kit=self.kit, experiment=self.experiment)
