"""A trained model and signal files -> a table of events."""

import json
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import asdict
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from poreconv.config import LabelRunConfig
from poreconv.errors import ConfigError, ReadDropped
from poreconv.files import Parts, fingerprint, sha256, whole_file
from poreconv.infer import Labeller, load
from poreconv.jobs import Job, plan, reads_of
from poreconv.ledger import Ledger
from poreconv.progress import progress_bar
from poreconv.read import Read
from poreconv.readers import find_files
from poreconv.writers import Writer, writer_for
from poreconv.writers.table import EVENTS, events_table

SILENT = "reads_without_events"
"""Note in the ledger: reads that were labelled, and in which nothing was found."""


def label(
    model: Path | str,
    paths: Path | str | Sequence[Path | str],
    *,
    out: Path | str,
    config: LabelRunConfig | None = None,
    skip_bad_files: bool = False,
) -> Ledger:
    """Label reads; a run that was killed goes on where it was.

    Args:
        model: The bundle that `train` wrote.
        paths: Signal files and folders: one, or several.
        out: ``events.tsv`` or ``events.parquet``; the drop ledger goes to ``<out>.ledger.json``.
        config: Batch size, chunk length, precision.
        skip_bad_files: Pass over files that cannot be opened instead of stopping.

    Returns:
        The drop ledger.

    Raises:
        ConfigError: ``out`` exists, or its suffix names no format.
        MismatchError: The model was not trained for such reads.
    """
    model, out = Path(model), Path(out)
    writer_for(out)
    if out.exists() and not Parts.remain(out):
        raise ConfigError(f"{out}: exists already; remove it, or choose another --out")
    several = [paths] if isinstance(paths, Path | str) else paths
    files = find_files([Path(path) for path in several])
    labeller = load(model, config)
    settings = {"config": asdict(labeller.config), "model": sha256([model]), "skip_bad_files": skip_bad_files}
    parts = Parts(out, {"inputs": fingerprint(files), **settings})
    jobs = plan(files)
    with progress_bar("label") as report:
        for number, job in enumerate(jobs):
            if not parts.path(number, ".parquet").exists():
                _label_job(labeller, job, parts.path(number, ".parquet"), skip_bad_files=skip_bad_files)
            report((number + 1) / len(jobs))
    joined = parts.folder / out.name
    ledger = _join([parts.path(number, ".parquet") for number in range(len(jobs))], joined)
    with whole_file(out.with_name(f"{out.name}.ledger.json")) as beside:
        beside.write_text(json.dumps(ledger.to_dict(), indent=1))
    joined.replace(out)
    parts.remove()
    return ledger


def _label_job(labeller: Labeller, job: Job, out: Path, *, skip_bad_files: bool) -> None:
    """Label the reads of one job into a part: a table of events, and in its metadata the reads and the ledger."""
    ledger, read_ids = Ledger(), dict[str, None]()
    reads = _first_of_each(reads_of(job, ledger, skip_bad_files=skip_bad_files), ledger)
    with whole_file(out) as partial, pq.ParquetWriter(partial, EVENTS) as table:
        for read, events in labeller.label(reads, ledger):
            table.write_table(events_table(read, events))
            read_ids[read.read_id] = None
            if not len(events):
                ledger.notes[SILENT] += 1
        table.add_key_value_metadata({"ledger": json.dumps(ledger.to_dict()), "read_ids": json.dumps(list(read_ids))})


def _first_of_each(reads: Iterator[Read], ledger: Ledger) -> Iterator[Read]:
    seen: set[str] = set()
    for read in reads:
        if read.read_id in seen:
            _drop_twice(read.read_id, read.source, ledger)
            continue
        seen.add(read.read_id)
        yield read


def _drop_twice(read_id: str, source: Path | None, ledger: Ledger) -> None:
    ledger.drop(ReadDropped(f"read {read_id}: seen before", reason="duplicate"), read_id=read_id, source=source)


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
    read_ids = set(json.loads(metadata[b"read_ids"]))
    twice = sorted(read_ids & seen)
    for read_id in twice:
        _drop_twice(read_id, None, ledger)
    ledger.kept += len(read_ids) - len(twice)
    seen |= read_ids
    for batch in part.iter_batches():
        table = pa.Table.from_batches([batch])
        writer.write(
            table.filter(pc.invert(pc.is_in(table["read_id"], pa.array(twice, pa.string())))) if twice else table
        )
