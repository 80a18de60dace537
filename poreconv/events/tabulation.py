"""A table of events, or of reads, in the making: parts that jobs write, which a killed run leaves, and their sum."""

import json
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from poreconv.config import FilesConfig, WorkConfig
from poreconv.errors import ConfigError, ReadDropped
from poreconv.events.writers import Writer, writer_for
from poreconv.events.writers.table import EVENTS, ReadFacts, events_table, with_facts
from poreconv.reads.pieces import Job, plan, reads_of
from poreconv.reads.read import Read
from poreconv.reads.readers import find_files
from poreconv.runtime.executors import run_all
from poreconv.runtime.files import Parts, check_seen, fingerprint, whole_file
from poreconv.runtime.ledger import Ledger
from poreconv.runtime.progress import progress_bar

SILENT = "reads_without_events"
"""Note in the ledger: reads that were labelled, and in which nothing was found."""


Find = Callable[[Iterator[Read], Ledger], Iterable[tuple[Read, Any]]]
"""Reads in, each with what was found, such as its events; reads that it drops go into the ledger."""

Finding = Callable[[], AbstractContextManager[Find]]
"""Opens what finds something, once in each process."""


@dataclass(frozen=True)
class Form:
    """What the rows of a table are."""

    schema: pa.Schema
    rows: Callable[[Read, Any], pa.Table]
    """Makes the rows of one read of what was found."""
    writer_for: Callable[[Path], Callable[[Path], Writer]]
    """The kind of writer that an output's suffix asks for; refuses others."""


EVENT_ROWS = Form(EVENTS, events_table, writer_for)
"""One row per event."""

Planned = tuple[Job, Path]
"""A job, and the file that its events go into."""


def tabulate(
    paths: Path | str | Sequence[Path | str],
    out: Path,
    finding: Finding,
    *,
    what: str,
    settings: Mapping[str, Any],
    files: FilesConfig,
    work: WorkConfig,
    form: Form = EVENT_ROWS,
    here: Find | None = None,
) -> Ledger:
    """Find something in reads, job by job, into one table; a run that was killed goes on where it was.

    Args:
        paths: Signal files and folders: one, or several.
        out: The table; its suffix names the format. The drop ledger goes to ``<out>.ledger.json``.
        finding: Opens what finds it, such as a model; called in each process, so it must pickle.
        what: The command's name, for the progress.
        settings: All that decides the result besides the files, as JSON types.
        files: How the signal files are read.
        work: In which processes.
        form: What the rows are; default: events.
        here: What ``finding`` gives, where this process has opened it already.

    Returns:
        The drop ledger.

    Raises:
        ConfigError: ``out`` exists, or its suffix names no format.
    """
    check_out(out, form)
    found = find_files([paths] if isinstance(paths, Path | str) else paths)
    with Parts(out, {"inputs": fingerprint(found), **settings}) as parts, progress_bar(what) as report:
        jobs = [(job, parts.path(number, ".parquet")) for number, job in enumerate(plan(found))]
        left = [job for job in jobs if not job[1].exists()]
        write = partial(_write_job, form, files)
        done_jobs = run_all(partial(_writing, write, finding), left, work, here=here and partial(write, here))

        def ready() -> Iterator[Path]:
            waiting = deque(path for _, path in jobs)
            for done, _ in enumerate(done_jobs, start=len(jobs) - len(left) + 1):
                report(done / len(jobs))
                while waiting and waiting[0].exists():
                    yield waiting.popleft()
            yield from waiting

        return finish(parts, ready(), out, form)


@contextmanager
def _writing(write: Callable[[Find, Planned], None], finding: Finding) -> Iterator[Callable[[Planned], None]]:
    """Open what finds something; gives what writes a job's part."""
    with finding() as find:
        yield partial(write, find)


def _write_job(form: Form, files: FilesConfig, find: Find, planned: Planned) -> None:
    job, out = planned
    check_seen(out.parent)
    ledger = Ledger()
    reads = first_of_each(reads_of(job, ledger, skip_bad_files=files.skip_bad_files), ledger)
    write_part(out, find(reads, ledger), ledger, form)


def check_out(out: Path, form: Form = EVENT_ROWS) -> None:
    """Refuse an output before hours are spent on it.

    Raises:
        ConfigError: It exists, and is not a killed run's; or its suffix names no format.
    """
    form.writer_for(out)
    if not Parts.remain(out):
        check_new(out)


def check_new(out: Path) -> None:
    """Refuse an output that exists.

    Raises:
        ConfigError: It does.
    """
    if out.exists():
        raise ConfigError(f"{out}: exists already; remove it, or choose another --out")


def write_part(out: Path, found: Iterable[tuple[Read, Any]], ledger: Ledger, form: Form = EVENT_ROWS) -> None:
    """Write a job's rows, and in the metadata its reads and its ledger as it is at the end.

    Args:
        out: The part.
        found: Reads and what was found in them; it may fill the ledger as it goes.
        ledger: Of this job alone; reads of which there is no row are counted here.
        form: What the rows are.
    """
    facts = dict[str, ReadFacts]()

    def rows_of_each() -> Iterator[pa.Table]:
        for read, what in found:
            rows = form.rows(read, what)
            facts[read.read_id] = ReadFacts.of(read)
            if not len(rows):
                ledger.notes[SILENT] += 1
            yield rows

    with whole_file(out) as partial, _quick_writer(partial, form.schema) as table:
        for rows in _many_at_once(rows_of_each()):
            table.write_table(rows)
        table.add_key_value_metadata({"ledger": json.dumps(ledger.to_dict()), "reads": json.dumps(facts)})


ROWS_AT_ONCE = 1 << 17
"""Rows that are written, and read back, together: writing each read's alone would cost more than finding them."""


def _quick_writer(path: Path, schema: pa.Schema) -> pq.ParquetWriter:
    """For a file that is read once, soon: texts that repeat are told once, and nothing else is made small."""
    texts = [field.name for field in schema if pa.types.is_string(field.type)]
    return pq.ParquetWriter(path, schema, compression="none", use_dictionary=texts, write_statistics=False)


def _many_at_once(tables: Iterable[pa.Table]) -> Iterator[pa.Table]:
    some: list[pa.Table] = []
    for table in tables:
        some.append(table)
        if sum(map(len, some)) >= ROWS_AT_ONCE:
            yield pa.concat_tables(some)
            some = []
    if some:
        yield pa.concat_tables(some)


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


def finish(parts: Parts, paths: Iterable[Path], out: Path, form: Form = EVENT_ROWS) -> Ledger:
    """Make the table of parts, each read once, and its ledger ``<out>.ledger.json``.

    Args:
        parts: Where they lie; they go when the table is there.
        paths: The parts in their order; they may come as they are made.
        out: The table.
        form: What the rows are.
    """
    joined = parts.folder / out.name
    ledger = _join(paths, joined, form)
    write_ledger(out, ledger)
    joined.replace(out)
    parts.remove()
    return ledger


def write_ledger(out: Path, ledger: Ledger) -> None:
    """Write the drop ledger of an output, ``<out>.ledger.json``."""
    with whole_file(out.with_name(f"{out.name}.ledger.json")) as beside:
        beside.write_text(json.dumps(ledger.to_dict(), indent=1))


def _join(parts: Iterable[Path], joined: Path, form: Form) -> Ledger:
    """Write the parts as one table, each read once."""
    ledger, seen = Ledger(), set[str]()
    with closing(form.writer_for(joined)(joined)) as writer:
        for path in parts:
            with pq.ParquetFile(path) as part:
                _join_part(part, writer, ledger, seen)
    ledger.notes.update(writer.notes)
    return ledger


def _join_part(part: pq.ParquetFile, writer: Writer, ledger: Ledger, seen: set[str]) -> None:
    metadata = part.metadata.metadata
    ledger.merge(Ledger.from_dict(json.loads(metadata[b"ledger"])))
    facts = json.loads(metadata[b"reads"])
    twice = sorted(facts.keys() & seen)
    for read_id in twice:
        _drop_twice(read_id, None, ledger)
    ledger.kept += len(facts) - len(twice)
    seen |= facts.keys()
    for batch in part.iter_batches(ROWS_AT_ONCE):
        table = with_facts(pa.Table.from_batches([batch]), facts)
        writer.write(
            table.filter(pc.invert(pc.is_in(table["read_id"], pa.array(twice, pa.string())))) if twice else table
        )
