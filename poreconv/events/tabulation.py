"""Write a table of events, or of reads: each job writes a file, and the files are joined.

The files of a killed command are kept, so that the same command continues it.
"""

from collections import Counter, deque
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from poreconv.config import FilesConfig, WorkConfig, require
from poreconv.errors import FormatError, MismatchError, PoreconvError
from poreconv.events.writers import Writer, writer_for
from poreconv.events.writers.parquet import ParquetWriter
from poreconv.events.writers.table import EVENTS, ReadFacts, events_table, with_facts
from poreconv.events.writers.values import VALUES, MeansWriter, values_table
from poreconv.reads.distinct import JobLedger, JoinedJobs
from poreconv.reads.pieces import Job, LastFile, plan_jobs, reads_of
from poreconv.reads.read import Read
from poreconv.reads.readers import find_files
from poreconv.reads.selection import Selection
from poreconv.runtime.executors import run_all
from poreconv.runtime.files import LEDGER, check_name, check_seen, errors_name, fingerprint, whole_file
from poreconv.runtime.jobs import TAKEN, JobFolder, missing
from poreconv.runtime.ledger import Ledger
from poreconv.runtime.progress import progress_bar
from poreconv.runtime.records import from_json, to_json, to_plain

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
        FormatError: A signal file cannot be read, or there is no read in them.
        MismatchError: No read fits the model.
    """
    check_out(out, kind, overwrite=overwrite)
    found, selection = find_files(paths), Selection.of(files)
    check_apart(out, found)
    inputs = fingerprint([*found, *([files.read_ids] if files.read_ids else [])])
    with (
        JobFolder(out, {"inputs": inputs, **settings}, anew=overwrite) as folder,
        progress_bar(command) as progress,
        LastFile() as last_file,
    ):
        if folder.finished:
            folder.remove()
            return read_ledger(out)
        jobs = [(job, folder.path(number, ".parquet")) for number, job in enumerate(plan_jobs(found, selection))]
        to_do = missing([path for _, path in jobs])
        left = [job for job in jobs if job[1] in to_do]
        write_here = here and partial(_write_job, kind, files, selection.ids, last_file, here)
        done_jobs = run_all(partial(_open_job_writer, kind, files, open_analysis), left, work, here=write_here)

        def written_in_order() -> Iterator[Path]:
            waiting = deque(path for _, path in jobs)
            for done, _ in enumerate(done_jobs, start=len(jobs) - len(left) + 1):
                progress(done / len(jobs), f"{done} of {len(jobs)} jobs")
                while waiting and waiting[0].exists():
                    yield waiting.popleft()
            yield from waiting

        return join_files(folder, written_in_order(), out, kind, settings)


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
    ledger = JobLedger()
    reads = reads_of(job, ledger.reading, skip_bad_files=files.skip_bad_files, asked=asked, last_file=last_file)
    write_rows(out, analyse(ledger.distinct(reads), ledger.analysis), ledger, kind)


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
    check_name(_ledger_of(out))
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
    require(overwrite or not out.exists(), f"{out}: {TAKEN}")


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


def write_rows(out: Path, results: Iterable[tuple[Read, Any]], ledger: JobLedger, kind: TableKind = EVENT_ROWS) -> None:
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
                ledger.analysis.notes[READS_WITHOUT_EVENTS] += 1
            yield rows

    with whole_file(out) as partial, _open_job_file(partial, kind.schema) as table:
        for rows in _batches(rows_of_each(), kind.batch_rows):
            table.write_table(rows)
        table.add_key_value_metadata({"ledger": to_json(ledger), "reads": to_json(facts)})


def _open_job_file(path: Path, schema: pa.Schema) -> pq.ParquetWriter:
    """Open a file that is soon read once: strings go into a dictionary, nothing is compressed."""
    texts = [field.name for field in schema if pa.types.is_string(field.type)]
    return pq.ParquetWriter(
        path, schema, compression="none", use_dictionary=texts, write_statistics=False, write_page_checksum=True
    )


def _batches(tables: Iterable[pa.Table], most_rows: int) -> Iterator[pa.Table]:
    batch: list[pa.Table] = []
    for table in tables:
        batch.append(table)
        if sum(map(len, batch)) >= most_rows:
            yield pa.concat_tables(batch)
            batch = []
    if batch:
        yield pa.concat_tables(batch)


def join_files(
    folder: JobFolder,
    paths: Iterable[Path],
    out: Path,
    kind: TableKind = EVENT_ROWS,
    settings: Mapping[str, Any] = MappingProxyType({}),
) -> Ledger:
    """Join the files of jobs to the table, each read once, and write its ledger, ``<out>.ledger.json``.

    Args:
        folder: The folder of the files; removed when the table is complete.
        paths: The files, in order; each is needed only when it is iterated over.
        out: The table.
        kind: The kind of table.
        settings: What decided the rows; they stand in the ledger.

    Returns:
        The ledger of all jobs.

    Raises:
        FormatError: There was no read.
        MismatchError: None fits the model.
    """
    joined = folder.folder / out.name
    with errors_name(out, joined):
        ledger = _join(paths, joined, kind)
    try:
        check_any_reads(out, ledger)
    except PoreconvError:
        folder.remove()
        raise
    ledger.settings = to_plain(dict(settings))
    write_ledger(out, ledger)
    folder.publish(joined)
    return ledger


def check_any_reads(out: Path, ledger: Ledger) -> None:
    """Check that there was a read that could be analysed, before an output is written.

    Args:
        out: The output.
        ledger: Its ledger.

    Raises:
        FormatError: The signal files contain no read.
        MismatchError: No read was analysed, and some do not fit the model.
    """
    if not ledger.reads_in:
        raise FormatError(f"{out}: not written, as there are no reads ({ledger.summary()}); give files with reads")
    misfits = [drop for drop in ledger.named if drop.reason in MismatchError.REASONS]
    if not ledger.kept and misfits:
        raise MismatchError(
            f"{out}: not written, as no read fits the model ({ledger.summary()}), such as {misfits[0].detail}",
            reason=misfits[0].reason,
        )


def write_ledger(out: Path, ledger: Ledger) -> None:
    """Write the drop ledger of an output, ``<out>.ledger.json``.

    Args:
        out: The output.
        ledger: Its ledger.
    """
    with whole_file(_ledger_of(out)) as beside:
        beside.write_text(to_json(ledger, indent=1), encoding="utf-8")


def read_ledger(out: Path) -> Ledger:
    """Read the drop ledger of an output.

    Args:
        out: The output.
    """
    beside = _ledger_of(out)
    return from_json(beside.read_bytes(), Ledger, str(beside))


def _ledger_of(out: Path) -> Path:
    return out.with_name(f"{out.name}{LEDGER}")


def _join(paths: Iterable[Path], joined: Path, kind: TableKind) -> Ledger:
    """Write the rows of files to one table, each read once."""
    jobs = JoinedJobs()
    with closing(kind.writer_for(joined)(joined)) as writer:
        for path in paths:
            with pq.ParquetFile(path) as file:
                _append_rows(file, writer, kind.batch_rows, jobs)
    jobs.ledger.notes.update(writer.notes)
    return jobs.ledger


def _append_rows(file: pq.ParquetFile, writer: Writer, batch_rows: int, jobs: JoinedJobs) -> None:
    metadata = file.metadata.metadata
    facts = from_json(metadata[b"reads"], dict[str, ReadFacts])
    again = jobs.add(from_json(metadata[b"ledger"], JobLedger), facts)
    repeated, with_rows = again.intersection(facts), set[str]()
    repeated_ids = pa.array(sorted(repeated), pa.string())
    for batch in file.iter_batches(batch_rows):
        table = with_facts(pa.Table.from_batches([batch]), facts)
        if repeated:
            with_rows.update(pc.unique(table["read_id"]).to_pylist())
            table = table.filter(pc.invert(pc.is_in(table["read_id"], repeated_ids)))
        writer.write(table)
    jobs.ledger.notes -= Counter({READS_WITHOUT_EVENTS: len(repeated - with_rows)})
