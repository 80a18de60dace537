"""Write a table of events, or of reads: each job writes a file, and the files are joined.

The files of a killed command are kept, so that the same command continues it.
"""

from collections import deque
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from poreconv.config import FilesConfig, WorkConfig, require
from poreconv.errors import ReadDropped
from poreconv.events.writers import Writer, writer_for
from poreconv.events.writers.parquet import ParquetWriter
from poreconv.events.writers.table import EVENTS, ReadFacts, events_table, with_facts
from poreconv.events.writers.values import VALUES, MeansWriter, values_table
from poreconv.reads.pieces import Job, LastFile, plan_jobs, reads_of
from poreconv.reads.read import Read
from poreconv.reads.readers import find_files
from poreconv.reads.selection import Selection
from poreconv.runtime.executors import run_all
from poreconv.runtime.files import JobFolder, check_seen, fingerprint, whole_file
from poreconv.runtime.ledger import Ledger
from poreconv.runtime.progress import progress_bar
from poreconv.runtime.records import from_json, to_json

READS_WITHOUT_EVENTS = "reads_without_events"
"""Note in the ledger: reads that were labelled and have no events."""


ReadAnalysis = Callable[[Iterator[Read], Ledger], Iterable[tuple[Read, Any]]]
"""Takes reads, and yields each with its result, such as its events; reads that it drops go into the ledger."""

OpenAnalysis = Callable[[], AbstractContextManager[ReadAnalysis]]
"""Opens an analysis with what it needs, such as a model; called once in each process."""


@dataclass(frozen=True)
class TableKind:
    """A kind of table: its columns, how its rows are made, and the formats that it can be written in."""

    schema: pa.Schema
    rows: Callable[[Read, Any], pa.Table]
    """Makes the rows of one read from its result."""
    writer_for: Callable[[Path], Callable[[Path], Writer]]
    """Returns the writer class for an output's suffix; raises `ConfigError` for an unknown one."""
    batch_rows: int = 1 << 17
    """Rows per batch of writing and reading: one batch per read would take longer than the analysis, and a batch is in
    memory."""


EVENT_ROWS = TableKind(EVENTS, events_table, writer_for)
"""One row per event."""

VALUE_BATCH = 64
"""Reads per batch of a table of values: each has a number for every sample."""


def event_rows(every: int) -> TableKind:
    """Return a table with one row per event.

    Args:
        every: Only 1.

    Raises:
        ConfigError: It is not 1.
    """
    require(every == 1, f"every: {every}; events have no mean of several samples, leave it out")
    return EVENT_ROWS


def value_rows(every: int) -> TableKind:
    """Return a table of one number per sample: as Parquet a list per read, as TSV the mean of every few samples.

    Args:
        every: Number of samples of which a row of TSV is the mean.
    """
    return TableKind(VALUES, values_table, partial(_value_writer, every), VALUE_BATCH)


def _value_writer(every: int, out: Path) -> Callable[[Path], Writer]:
    if out.suffix == ".tsv":
        return partial(MeansWriter, every=every)
    require(out.suffix == ".parquet", f"{out}: no format of values has this suffix; end the name in .parquet or .tsv")
    require(every == 1, f"every: {every}; Parquet holds the value of each sample, write .tsv for means")
    return partial(ParquetWriter, schema=VALUES)


JobWithFile = tuple[Job, Path]
"""A job, and the file that its rows go into."""


def tabulate(
    paths: Path | str | Sequence[Path | str],
    out: Path,
    open_analysis: OpenAnalysis,
    *,
    command: str,
    settings: Mapping[str, Any],
    files: FilesConfig,
    work: WorkConfig,
    kind: TableKind = EVENT_ROWS,
    here: ReadAnalysis | None = None,
    overwrite: bool = False,
) -> Ledger:
    """Analyse reads job by job, and write the results to one table; a killed command continues where it was.

    Args:
        paths: Signal files and folders: one, or several.
        out: The table; its suffix names the format. The drop ledger goes to ``<out>.ledger.json``.
        open_analysis: Opens the analysis of reads; called in each process, so it must pickle.
        command: The command's name, for the progress.
        settings: Everything that decides the result besides the files, as JSON types.
        files: How the signal files are read.
        work: In which processes.
        kind: Columns, rows and formats of the table; default: one row per event.
        here: The analysis, where this process has opened it already.
        overwrite: Replace ``out`` if it exists, and start anew where a command was killed.

    Returns:
        The drop ledger.

    Raises:
        ConfigError: ``out`` exists, its suffix names no format, or the list of read ids cannot be read.
    """
    check_out(out, kind, overwrite=overwrite)
    found, selection = find_files([paths] if isinstance(paths, Path | str) else paths), Selection.of(files)
    check_apart(out, found)
    inputs = fingerprint([*found, *([files.read_ids] if files.read_ids else [])])
    with (
        JobFolder(out, {"inputs": inputs, **settings}, anew=overwrite) as folder,
        progress_bar(command) as progress,
        LastFile() as last_file,
    ):
        jobs = [(job, folder.path(number, ".parquet")) for number, job in enumerate(plan_jobs(found, selection))]
        left = [job for job in jobs if not job[1].exists()]
        write_here = here and partial(_write_job, kind, files, selection.ids, last_file, here)
        done_jobs = run_all(partial(_open_job_writer, kind, files, open_analysis), left, work, here=write_here)

        def written_in_order() -> Iterator[Path]:
            waiting = deque(path for _, path in jobs)
            for done, _ in enumerate(done_jobs, start=len(jobs) - len(left) + 1):
                progress(done / len(jobs), f"{done} of {len(jobs)} jobs")
                while waiting and waiting[0].exists():
                    yield waiting.popleft()
            yield from waiting

        return join_files(folder, written_in_order(), out, kind)


@contextmanager
def _open_job_writer(
    kind: TableKind, files: FilesConfig, open_analysis: OpenAnalysis
) -> Iterator[Callable[[JobWithFile], None]]:
    """Open the analysis; yield the function that does a job."""
    asked = Selection.of(files).ids
    with open_analysis() as analyse, LastFile() as last_file:
        yield partial(_write_job, kind, files, asked, last_file, analyse)


def _write_job(
    kind: TableKind,
    files: FilesConfig,
    asked: Container[str] | None,
    last_file: LastFile,
    analyse: ReadAnalysis,
    job_with_file: JobWithFile,
) -> None:
    job, out = job_with_file
    check_seen(out.parent)
    ledger = Ledger()
    reads = reads_of(job, ledger, skip_bad_files=files.skip_bad_files, asked=asked, last_file=last_file)
    write_rows(out, analyse(drop_duplicates(reads, ledger), ledger), ledger, kind)


def check_out(out: Path, kind: TableKind = EVENT_ROWS, *, overwrite: bool = False) -> None:
    """Check that an output can be written, before hours are spent on it.

    Args:
        out: The table.
        kind: The kind of table.
        overwrite: Whether one that exists is to be replaced.

    Raises:
        ConfigError: It exists, and no killed command is to be continued; or its suffix names no format.
    """
    kind.writer_for(out)
    if overwrite or not JobFolder.exists_for(out):
        check_new(out, overwrite=overwrite)


def check_new(out: Path, *, overwrite: bool = False) -> None:
    """Check that an output, a file, does not exist, or may be replaced.

    Args:
        out: The output.
        overwrite: Whether one that exists is to be replaced.

    Raises:
        ConfigError: It exists, or is a folder.
    """
    require(not out.is_dir(), f"{out}: is a folder; give the name of a file as --out")
    require(overwrite or not out.exists(), f"{out}: exists already; --overwrite replaces it, or choose another --out")


def check_apart(out: Path, inputs: Iterable[Path]) -> None:
    """Check that an output that is to be replaced is none of the inputs.

    Args:
        out: The output.
        inputs: Files that are read.

    Raises:
        ConfigError: It is one of them.
    """
    same = out.exists() and any(path.exists() and path.samefile(out) for path in inputs)
    require(not same, f"{out}: is read, and cannot be replaced; choose another --out")


def write_rows(out: Path, results: Iterable[tuple[Read, Any]], ledger: Ledger, kind: TableKind = EVENT_ROWS) -> None:
    """Write a job's rows to its file, with facts about its reads and its final ledger in the metadata.

    Args:
        out: The job's file.
        results: Reads with their results; iterating may add to the ledger.
        ledger: Of this job alone; reads without rows are noted in it.
        kind: The kind of table.
    """
    facts = dict[str, ReadFacts]()

    def rows_of_each() -> Iterator[pa.Table]:
        for read, result in results:
            rows = kind.rows(read, result)
            facts[read.read_id] = ReadFacts.of(read)
            if not len(rows):
                ledger.notes[READS_WITHOUT_EVENTS] += 1
            yield rows

    with whole_file(out) as partial, _open_job_file(partial, kind.schema) as table:
        for rows in _batches(rows_of_each(), kind.batch_rows):
            table.write_table(rows)
        table.add_key_value_metadata({"ledger": to_json(ledger), "reads": to_json(facts)})


def _open_job_file(path: Path, schema: pa.Schema) -> pq.ParquetWriter:
    """Open a file that is soon read once: strings go into a dictionary, nothing is compressed."""
    texts = [field.name for field in schema if pa.types.is_string(field.type)]
    return pq.ParquetWriter(path, schema, compression="none", use_dictionary=texts, write_statistics=False)


def _batches(tables: Iterable[pa.Table], most_rows: int) -> Iterator[pa.Table]:
    batch: list[pa.Table] = []
    for table in tables:
        batch.append(table)
        if sum(map(len, batch)) >= most_rows:
            yield pa.concat_tables(batch)
            batch = []
    if batch:
        yield pa.concat_tables(batch)


def drop_duplicates(reads: Iterator[Read], ledger: Ledger) -> Iterator[Read]:
    """Yield the first read of each id; the others are dropped as ``duplicate``.

    Args:
        reads: Taken one at a time.
        ledger: Takes the drops.
    """
    seen: set[str] = set()
    for read in reads:
        if read.read_id in seen:
            _drop_duplicate(read.read_id, read.source, ledger)
            continue
        seen.add(read.read_id)
        yield read


def _drop_duplicate(read_id: str, source: Path | None, ledger: Ledger) -> None:
    error = ReadDropped(f"read {read_id}: duplicate id; the first record is kept", reason="duplicate")
    ledger.drop(error, read_id=read_id, source=source)


def join_files(folder: JobFolder, paths: Iterable[Path], out: Path, kind: TableKind = EVENT_ROWS) -> Ledger:
    """Join the files of jobs to the table, each read once, and write its ledger, ``<out>.ledger.json``.

    Args:
        folder: The folder of the files; removed when the table is complete.
        paths: The files, in order; each is needed only when it is iterated over.
        out: The table.
        kind: The kind of table.

    Returns:
        The ledger of all jobs.
    """
    joined = folder.folder / out.name
    ledger = _join(paths, joined, kind)
    write_ledger(out, ledger)
    joined.replace(out)
    folder.remove()
    return ledger


def write_ledger(out: Path, ledger: Ledger) -> None:
    """Write the drop ledger of an output, ``<out>.ledger.json``.

    Args:
        out: The output.
        ledger: Its ledger.
    """
    with whole_file(out.with_name(f"{out.name}.ledger.json")) as beside:
        beside.write_text(to_json(ledger, indent=1), encoding="utf-8")


def _join(paths: Iterable[Path], joined: Path, kind: TableKind) -> Ledger:
    """Write the rows of files to one table, each read once."""
    ledger, seen = Ledger(), set[str]()
    with closing(kind.writer_for(joined)(joined)) as writer:
        for path in paths:
            with pq.ParquetFile(path) as file:
                _append_rows(file, writer, kind.batch_rows, ledger, seen)
    ledger.notes.update(writer.notes)
    return ledger


def _append_rows(file: pq.ParquetFile, writer: Writer, batch_rows: int, ledger: Ledger, seen: set[str]) -> None:
    metadata = file.metadata.metadata
    ledger.merge(from_json(metadata[b"ledger"], Ledger))
    facts = from_json(metadata[b"reads"], dict[str, ReadFacts])
    duplicates = sorted(facts.keys() & seen)
    for read_id in duplicates:
        _drop_duplicate(read_id, None, ledger)
    ledger.kept += len(facts) - len(duplicates)
    seen |= facts.keys()
    duplicate_ids = pa.array(duplicates, pa.string())
    for batch in file.iter_batches(batch_rows):
        table = with_facts(pa.Table.from_batches([batch]), facts)
        writer.write(table.filter(pc.invert(pc.is_in(table["read_id"], duplicate_ids))) if duplicates else table)
