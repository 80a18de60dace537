"""Reads whose true events are known: ``reads.fast5`` and ``events.tsv``."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from poreconv.config import SimulateConfig
from poreconv.errors import ConfigError
from poreconv.events import Events
from poreconv.files import whole_file
from poreconv.progress import Report, progress_bar
from poreconv.read import Read
from poreconv.readers.fast5 import write_fast5
from poreconv.registry import lookup
from poreconv.simulate import SIMULATORS
from poreconv.writers import Writer, writer_for
from poreconv.writers.table import events_table


def simulate(simulator: str, *, out: Path | str, common: SimulateConfig | None = None, config: Any) -> Path:
    """Simulate reads and write them as a sequencer would, with their truth beside.

    Args:
        simulator: Name in ``SIMULATORS``.
        out: Folder for ``reads.fast5`` (multi-read, VBZ) and ``events.tsv`` (the columns of `label`'s table).
        common: How many reads, from which seed.
        config: The simulator's own settings.

    Returns:
        The folder.

    Raises:
        ConfigError: No such simulator, or the folder holds reads already.
    """
    out, common = Path(out), common or SimulateConfig()
    if (out / "reads.fast5").exists():
        raise ConfigError(f"{out}: holds reads.fast5 already; remove it, or choose another --out")
    pairs = lookup(SIMULATORS, simulator, kind="simulator")(common, config)
    with progress_bar("simulate") as report, whole_file(out / "events.tsv") as truth:
        writer = writer_for(out / "events.tsv")(truth)
        with whole_file(out / "reads.fast5") as partial:
            write_fast5(partial, _reads(pairs, writer, common.reads, report))
        writer.close()
    return out


def _reads(pairs: Iterator[tuple[Read, Events]], writer: Writer, n_reads: int, report: Report) -> Iterator[Read]:
    """Pass the reads on, and write the truth of each on the way."""
    for done, (read, events) in enumerate(pairs, start=1):
        writer.write(events_table(read, events))
        report(done / n_reads)
        yield read
