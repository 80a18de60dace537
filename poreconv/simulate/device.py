"""A simulated sequencer, which all simulators use: drift, digitisation, and ids of reads and sequencing runs."""

import hashlib
import uuid

import numpy as np
from numpy.typing import NDArray

from poreconv.reads.read import Calibration

CALIBRATION = Calibration(offset=6.0, scale=1400.0 / 8192.0)
"""Calibration like that of a MinION: a range of 1400 pA in 8192 counts."""
CHANNELS = 512
MUXES = 4
DRIFT_KNOTS = 8
"""Random values along a read between which the drift is linear."""


def to_counts(pa: NDArray[np.float32]) -> NDArray[np.int16]:
    """Digitise a current with `CALIBRATION`: the inverse of `Calibration.to_pa`, rounded.

    Args:
        pa: Current in pA, shape ``(n_samples,)``.

    Returns:
        Counts, shape ``(n_samples,)``, clipped to the range of int16.
    """
    counts = np.rint(pa / np.float32(CALIBRATION.scale) - np.float32(CALIBRATION.offset))
    limits = np.iinfo(np.int16)
    return np.asarray(np.clip(counts, limits.min, limits.max), np.int16)


def drift(rng: np.random.Generator, n_samples: int, sd_pa: float) -> NDArray[np.float32]:
    """Draw a slow drift.

    Args:
        rng: Source of random numbers.
        n_samples: Length of the read.
        sd_pa: SD of the drift at its knots, pA.

    Returns:
        Drift in pA, shape ``(n_samples,)``.
    """
    knots = rng.normal(0, sd_pa, DRIFT_KNOTS)
    return np.interp(np.linspace(0, DRIFT_KNOTS - 1, n_samples), np.arange(DRIFT_KNOTS), knots).astype(np.float32)


def read_id(simulator: str, seed: int, index: int) -> str:
    """Return the id of a read: a UUID that depends only on its simulator, seed and number.

    Args:
        simulator: Name of the simulator.
        seed: Seed of the simulation.
        index: Number of the read, from 0.
    """
    return str(uuid.uuid5(uuid.NAMESPACE_OID, f"poreconv {simulator} {seed} {index}"))


def run_id(simulator: str, seed: int) -> str:
    """Return the run id of a simulation, in a sequencer's form: 40 hexadecimal digits.

    Args:
        simulator: Name of the simulator.
        seed: Seed of the simulation.
    """
    return hashlib.sha1(f"poreconv {simulator} {seed}".encode()).hexdigest()
