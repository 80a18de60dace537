"""Reads whose true events are known: ``reads.fast5``, or another format, and tables of their true events."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pyarrow as pa

from poreconv.config import SignalFormat, SimulateConfig
from poreconv.errors import ConfigError
from poreconv.events.writers.table import EVENTS, events_table
from poreconv.events.writers.tsv import TsvWriter
from poreconv.events.writers.values import MEANS, interval_values
from poreconv.reads.read import Read
from poreconv.reads.readers.writing import write_reads
from poreconv.runtime.files import remove_partials, whole_file
from poreconv.runtime.outputs import writes_out
from poreconv.runtime.progress import Progress, progress_bar
from poreconv.runtime.registry import lookup
from poreconv.simulate import SIMULATORS, Simulated


@writes_out
def simulate(
    simulator: str,
    *,
    out: Path | str,
    common: SimulateConfig | None = None,
    config: Any,
    overwrite: bool = False,
) -> Path:
    """Simulate reads, and write them as a sequencer does, with tables of their true events.

    Args:
        simulator: Name in ``SIMULATORS``.
        out: Folder for ``reads.<format>``, ``events.tsv`` (the columns of `label`'s table) and, if the simulator has
            them, ``regions.tsv`` (the same columns) and ``values.tsv`` (``read_id``, ``start``, ``end``, ``value``).
        common: Number of reads, seed, format.
        config: The simulator's own settings.
        overwrite: Replace the reads and tables that the folder contains.

    Returns:
        The folder.

    Raises:
        ConfigError: There is no such simulator, or the folder contains reads already.
    """
    out, common = Path(out), common or SimulateConfig()
    signal = out / f"reads.{common.format}"
    remove_partials(*(out / name for name in TABLES), *(out / f"reads.{form}" for form in get_args(SignalFormat)))
    before = _replaced(out) if overwrite else []
    if not overwrite and (taken := sorted(path.name for path in out.glob(READS))):
        raise ConfigError(f"{out}: contains {taken[0]} already; --overwrite replaces it, or choose another --out")
    made = lookup(SIMULATORS, simulator, kind="simulator")(common, config)
    # The signal file has its name last: a folder without it is one in which a killed command can start again.
    with progress_bar("simulate") as progress, whole_file(signal) as partial, ExitStack() as files:
        truth = _Truth(out, files)
        write_reads(partial, _reads(made, truth, common.reads, progress))
        truth.close()
        for path in before:
            if path.match(READS) or path not in truth.paths:
                path.unlink()
    return out


READS, TABLES = "reads.*", {"events.tsv", "regions.tsv", "values.tsv"}
"""The files that `simulate` writes; a BLOW5 may have an index beside it."""


def _replaced(folder: Path) -> list[Path]:
    """Return the files that new ones replace.

    Raises:
        ConfigError: The folder contains others: then it was not made by `simulate`.
    """
    found = sorted(folder.iterdir()) if folder.is_dir() else []
    others = [path.name for path in found if path.name not in TABLES and not path.match(READS)]
    if others or (found and not (folder / "events.tsv").is_file()):
        name = (others or ["no events.tsv"])[0]
        raise ConfigError(f"{folder}: contains {name}, so poreconv simulate did not make it; choose another --out")
    return found


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

    @property
    def paths(self) -> set[Path]:
        """The tables."""
        return {self._folder / name for name in self._writers}

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
        progress(done / n_reads, f"{done:,} of {n_reads:,} reads")
        yield made.read
