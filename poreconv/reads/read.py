"""What a sequencer stores of one molecule."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from poreconv.reads.chemistry import chemistry_of


@dataclass(frozen=True, slots=True)
class Calibration:
    """Linear map ``pA = (adc + offset) * scale``."""

    offset: float
    """Counts added before scaling."""
    scale: float
    """pA per count (fast5: range / digitisation)."""


@dataclass(frozen=True, slots=True, eq=False)
class Read:
    """One molecule's record, as stored: never normalised, index 0 is the first stored sample."""

    read_id: str
    adc: NDArray[np.int16]
    """Raw counts, shape ``(n_samples,)``."""
    calibration: Calibration
    sample_rate_hz: float
    channel: int = 0
    """1-based channel on the flow cell; 0 where the file does not say."""
    mux: int = 0
    read_number: int = 0
    start_sample: int = 0
    """Acquisition sample at which the read began."""
    end_reason: str = ""
    median_before: float | None = None
    """Current in pA just before the read."""
    run_id: str = ""
    pore: str = ""
    """Flow cell product code, such as ``FLO-MIN106``; empty where the file does not say."""
    kit: str = ""
    """Sequencing kit, such as ``SQK-LSK109``; empty where the file does not say."""
    experiment: str = ""
    """Kind of experiment, such as ``genomic_dna`` or ``rna``; empty where the file does not say."""
    source: Path | None = None
    """File that the read came from."""

    @property
    def where(self) -> str:
        """The read's place in an error message: ``file: read id``."""
        return f"{self.source or 'memory'}: read {self.read_id}"

    @property
    def chemistry(self) -> str:
        """Chemistry code such as ``dna_r9.4.1``; see `chemistry_of`."""
        return chemistry_of(pore=self.pore, kit=self.kit, experiment=self.experiment)
