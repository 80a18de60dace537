"""What the simulators share: a pretended sequencer that drifts, counts and names its reads."""

import hashlib
import uuid

import numpy as np
from numpy.typing import NDArray

from poreconv.reads.read import Calibration

CALIBRATION = Calibration(offset=6.0, scale=1400.0 / 8192.0)
"""As a MinION might have it: a range of 1400 pA in 8192 counts."""
CHANNELS = 512
MUXES = 4
DRIFT_KNOTS = 8
"""Random levels along a read between which the drift moves evenly."""


def to_counts(pa: NDArray[np.float32]) -> NDArray[np.int16]:
    """Digitise a current in pA with `CALIBRATION`, shape ``(n_samples,)``: the inverse of `scaling.to_pa`, rounded."""
    counts = np.rint(pa / np.float32(CALIBRATION.scale) - np.float32(CALIBRATION.offset))
    limits = np.iinfo(np.int16)
    return np.asarray(np.clip(counts, limits.min, limits.max), np.int16)


def drift(rng: np.random.Generator, n_samples: int, sd_pa: float) -> NDArray[np.float32]:
    """Draw a slow drift in pA, shape ``(n_samples,)``."""
    knots = rng.normal(0, sd_pa, DRIFT_KNOTS)
    return np.interp(np.linspace(0, DRIFT_KNOTS - 1, n_samples), np.arange(DRIFT_KNOTS), knots).astype(np.float32)


def read_id(simulator: str, seed: int, index: int) -> str:
    """Name a read: a UUID that only its simulator, seed and number decide."""
    return str(uuid.uuid5(uuid.NAMESPACE_OID, f"poreconv {simulator} {seed} {index}"))


def run_id(simulator: str, seed: int) -> str:
    """Name a run as sequencers do: 40 hexadecimal digits."""
    return hashlib.sha1(f"poreconv {simulator} {seed}".encode()).hexdigest()
