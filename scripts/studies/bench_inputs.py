"""What speed and memory are measured on: two models, and real reads, also several times over."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Self

import numpy as np

from poreconv.commands.simulate import simulate
from poreconv.config import SimulateConfig, SquiggleConfig
from poreconv.reads.read import Read
from poreconv.reads.readers import open_reads
from poreconv.reads.readers.writing import write_reads
from scripts.studies.results import data_folder
from scripts.studies.sets import ECOLI, LAMBDA

BEST, FAST = "dna_r9.4.1_boundary", "dna_r9.4.1_boundary_fast"

TIMES = (1, 4, 16)
"""Multiples of the work."""

RATE = "million samples/s"


class Inputs:
    """Reads to measure with, and files of their copies: lambda and E. coli, nine million samples, else simulated ones.

    Args:
        folder: Where files go; it exists.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @classmethod
    @contextmanager
    def temporary(cls) -> Iterator[Self]:
        """Open inputs whose files go when the measuring is over."""
        with TemporaryDirectory() as folder:
            yield cls(Path(folder))

    @cached_property
    def reads(self) -> tuple[Read, ...]:
        """Real reads, else simulated ones of about as many samples."""
        real = [one.reads_path() for one in (LAMBDA, ECOLI)]
        with open_reads(real if data_folder().is_dir() else self._simulated()) as reads:
            return tuple(reads)

    def _simulated(self) -> Path:
        settings = SquiggleConfig()
        simulate("squiggle", out=self.folder / "simulated", common=SimulateConfig(150, format="pod5"), config=settings)
        return self.folder / "simulated" / "reads.pod5"

    def file(self, times: int, suffix: str) -> Path:
        """Return a file of the reads several times over, each copy with a read id of its own; written once.

        Args:
            times: How many copies.
            suffix: Its format, such as ``.pod5``.
        """
        path = self.folder / f"reads{times}{suffix}"
        if not path.exists():
            write_reads(path, self._copies(times))
        return path

    def _copies(self, times: int) -> Iterator[Read]:
        for number in range(times):
            for read in self.reads:
                new = uuid.uuid5(uuid.NAMESPACE_OID, f"{number} {read.read_id}")
                yield replace(read, read_id=str(new), source=None, adc=np.array(read.adc))

    def shortest_file(self) -> Path:
        """Return a POD5 of the shortest read alone; written once."""
        path = self.folder / "shortest.pod5"
        if not path.exists():
            write_reads(path, [min(self.reads, key=lambda read: len(read.adc))])
        return path

    def n_samples(self, times: int = 1) -> int:
        """Count the samples of all reads.

        Args:
            times: Copies of each.
        """
        return times * sum(len(read.adc) for read in self.reads)
