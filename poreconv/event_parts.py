"""An events table in the making: parts that jobs write, which a killed run leaves, and the table that they become."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from poreconv.errors import ConfigError, ReadDropped
from poreconv.events import Events
from poreconv.files import Parts, fingerprint, whole_file
from poreconv.jobs import Job, plan, reads_of, run_all
from poreconv.ledger import Ledger
from poreconv.progress import progress_bar
from poreconv.read import Read
from poreconv.readers import find_files
from poreconv.writers import Writer, writer_for
from poreconv.writers.table import EVENTS, events_table, with_samples

SILENT = "reads_without_events"
"""Note in the ledger: reads that were labelled, and in which nothing was found."""


LabelReads = Callable[[Iterator[Read], Ledger], Iterable[tuple[Read, Events]]]
"""Reads in, each with its events out; reads that it drops go into the ledger."""

Task = tuple[Job, Path]
"""Some reads, and the part that their events go into."""


def tabulate(
    paths: Path | str | Sequence[Path | str],
    out: Path,
    label_reads: LabelReads,
    *,
    what: str,
    settings: Mapping[str, Any],
    workers: int = 1,
    skip_bad_files: bool = False,
) -> Ledger:
    """Find the events of reads, job by job, into one table; a run that was killed goes on where it was.

    Args:
        paths: Signal files and folders: one, or several.
        out: The table; its suffix names the format. The drop ledger goes to ``<out>.ledger.json``.
        label_reads: What finds the events; it must pickle if there are several workers.
        what: The command's name, for the progress.
        settings: All that decides the result besides the files, as JSON types.
        workers: Processes; 0: one per core.
        skip_bad_files: Pass over files that cannot be opened instead of stopping.

    Returns:
        The drop ledger.

    Raises:
        ConfigError: ``out`` exists, or its suffix names no format.
    """
    check_out(out)
    files = find_files([paths] if isinstance(paths, Path | str) else paths)
    with Parts(out, {"inputs": fingerprint(files), **settings}) as parts, progress_bar(what) as report:
        tasks = [(job, parts.path(number, ".parquet")) for number, job in enumerate(plan(files))]
        left = [task for task in tasks if not task[1].exists()]
        work = partial(_write_job, label_reads, skip_bad_files)
        for done, _ in enumerate(run_all(work, left, workers), start=len(tasks) - len(left) + 1):
            report(done / len(tasks))
        return finish(parts, len(tasks), out)


def _write_job(label_reads: LabelReads, skip_bad_files: bool, task: Task) -> None:
    job, out = task
    ledger = Ledger()
    reads = first_of_each(reads_of(job, ledger, skip_bad_files=skip_bad_files), ledger)
    write_part(out, label_reads(reads, ledger), ledger)


def check_out(out: Path) -> None:
    """Refuse an output before hours are spent on it.

    Raises:
        ConfigError: It exists, and is not a killed run's; or its suffix names no format.
    """
    writer_for(out)
    if out.exists() and not Parts.remain(out):
        raise ConfigError(f"{out}: exists already; remove it, or choose another --out")


def write_part(out: Path, found: Iterable[tuple[Read, Events]], ledger: Ledger) -> None:
    """Write a job's events, and in the metadata its reads and its ledger as it is at the end.

    Args:
        out: The part.
        found: Reads and their events; it may fill the ledger as it goes.
        ledger: Of this job alone; the kept reads are counted here.
    """
    n_samples = dict[str, int]()
    with whole_file(out) as partial, pq.ParquetWriter(partial, EVENTS) as table:
        for read, events in found:
            table.write_table(events_table(read, events))
            n_samples[read.read_id] = len(read.adc)
            if not len(events):
                ledger.notes[SILENT] += 1
        table.add_key_value_metadata({"ledger": json.dumps(ledger.to_dict()), "n_samples": json.dumps(n_samples)})


def first_of_each(reads: Iterator[Read], ledger: Ledger) -> Iterator[Read]:
    """Pass over reads seen before; they go into the ledger."""
    seen: set[str] = set()
    for read in reads:
        if read.read_id in seen:
            _drop_twice(read.read_id, read.source, ledger)
            continue
        seen.add(read.read_id)
        yield read


def _drop_twice(read_id: str, source: Path | None, ledger: Ledger) -> None:
    ledger.drop(ReadDropped(f"read {read_id}: seen before", reason="duplicate"), read_id=read_id, source=source)


def finish(parts: Parts, n_parts: int, out: Path) -> Ledger:
    """Make the table of parts 0 to ``n_parts - 1``, each read once, and its ledger ``<out>.ledger.json``."""
    joined = parts.folder / out.name
    ledger = _join([parts.path(number, ".parquet") for number in range(n_parts)], joined)
    with whole_file(out.with_name(f"{out.name}.ledger.json")) as beside:
        beside.write_text(json.dumps(ledger.to_dict(), indent=1))
    joined.replace(out)
    parts.remove()
    return ledger


def _join(parts: list[Path], joined: Path) -> Ledger:
    """Write the parts as one table, each read once."""
    ledger, seen = Ledger(), set[str]()
    with closing(writer_for(joined)(joined)) as writer:
        for path in parts:
            with pq.ParquetFile(path) as part:
                _join_part(part, writer, ledger, seen)
    return ledger


def _join_part(part: pq.ParquetFile, writer: Writer, ledger: Ledger, seen: set[str]) -> None:
    metadata = part.metadata.metadata
    ledger.merge(Ledger.from_dict(json.loads(metadata[b"ledger"])))
    n_samples = json.loads(metadata[b"n_samples"])
    twice = sorted(n_samples.keys() & seen)
    for read_id in twice:
        _drop_twice(read_id, None, ledger)
    ledger.kept += len(n_samples) - len(twice)
    seen |= n_samples.keys()
    for batch in part.iter_batches():
        table = with_samples(pa.Table.from_batches([batch]), n_samples)
        writer.write(
            table.filter(pc.invert(pc.is_in(table["read_id"], pa.array(twice, pa.string())))) if twice else table
        )
