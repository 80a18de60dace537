"""Reads whose true events are known: ``reads.fast5``, or another format, and tables of their true events."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from poreconv.config import SimulateConfig
from poreconv.errors import ConfigError
from poreconv.events.writers.table import EVENTS, events_table
from poreconv.events.writers.tsv import TsvWriter
from poreconv.events.writers.values import MEANS, interval_values
from poreconv.reads.read import Read
from poreconv.reads.readers import write_reads
from poreconv.runtime.files import whole_file
from poreconv.runtime.progress import Progress, progress_bar
from poreconv.runtime.registry import lookup
from poreconv.simulate import SIMULATORS, Simulated


def simulate(simulator: str, *, out: Path | str, common: SimulateConfig | None = None, config: Any) -> Path:
    """Simulate reads, and write them as a sequencer does, with tables of their true events.

    Args:
        simulator: Name in ``SIMULATORS``.
        out: Folder for ``reads.<format>``, ``events.tsv`` (the columns of `label`'s table) and, if the simulator has
            them, ``regions.tsv`` (the same columns) and ``values.tsv`` (``read_id``, ``start``, ``end``, ``value``).
        common: Number of reads, seed, format.
        config: The simulator's own settings.

    Returns:
        The folder.

    Raises:
        ConfigError: There is no such simulator, or the folder contains reads already.
    """
    out, common = Path(out), common or SimulateConfig()
    if taken := sorted(path.name for path in out.glob("reads.*")):
        raise ConfigError(f"{out}: contains {taken[0]} already; remove it, or choose another --out")
    made = lookup(SIMULATORS, simulator, kind="simulator")(common, config)
    with progress_bar("simulate") as progress, ExitStack() as files:
        truth = _Truth(out, files)
        write_reads(out / f"reads.{common.format}", _reads(made, truth, common.reads, progress))
        truth.close()
    return out


class _Truth:
    """Tables of the truth, each written whole or not at all; those of regions and values only if there are any."""

    def __init__(self, folder: Path, files: ExitStack) -> None:
        self._folder, self._files = folder, files
        self._writers: dict[str, TsvWriter] = {}
        self._open("events.tsv")

    def _open(self, name: str, schema: pa.Schema = EVENTS) -> TsvWriter:
        if name not in self._writers:
            partial = self._files.enter_context(whole_file(self._folder / name))
            self._writers[name] = TsvWriter(partial, schema)
        return self._writers[name]

    def write(self, made: Simulated) -> None:
        """Add one read's rows."""
        self._open("events.tsv").write(events_table(made.read, made.events))
        if made.regions is not None:
            self._open("regions.tsv").write(events_table(made.read, made.regions))
        if np.isfinite(made.events.value).any():
            self._open("values.tsv", MEANS).write(interval_values(made.read, made.events))

    def close(self) -> None:
        """Finish the tables."""
        for writer in self._writers.values():
            writer.close()


def _reads(simulated: Iterator[Simulated], truth: _Truth, n_reads: int, progress: Progress) -> Iterator[Read]:
    """Yield the reads, and write the true events of each."""
    for done, made in enumerate(simulated, start=1):
        truth.write(made)
        progress(done / n_reads)
        yield made.read
