"""Reads made for timing: whose levels and noise compress about as a squiggle does."""

from collections.abc import Iterator

import numpy as np

from poreconv.reads.read import Calibration, Read

DWELL = 9
"""Samples of each level: a base's mean dwell in R9.4.1 DNA."""
MEAN_LEVELS = 4400
"""Levels of a read, on average: about 40,000 samples."""


def made_reads(n_reads: int) -> Iterator[Read]:
    """Make reads, the same ones each time, of steps and white noise; lengths are gamma distributed.

    Args:
        n_reads: How many.
    """
    rng = np.random.default_rng(0)
    for number in range(n_reads):
        levels = rng.normal(500, 80, int(rng.gamma(3, MEAN_LEVELS / 3)) + 20).repeat(DWELL)
        yield Read(
            read_id=f"00000000-0000-4000-8000-{number:012d}",
            adc=(levels + rng.normal(0, 8, len(levels))).astype(np.int16),
            calibration=Calibration(10.0, 1400 / 8192),
            sample_rate_hz=4000.0,
            channel=number % 512 + 1,
            mux=1,
            read_number=number,
            start_sample=number * 50_000,
            end_reason="signal_positive",
            median_before=210.0,
            run_id="a" * 40,
            pore="FLO-MIN106",
            kit="sqk-lsk109",
            experiment="genomic_dna",
        )
