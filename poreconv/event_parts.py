"""A table of events, or of reads, in the making: parts that jobs write, which a killed run leaves, and their sum."""

import json
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from poreconv.config import WorkConfig
from poreconv.errors import ConfigError, ReadDropped
from poreconv.executors import run_all
from poreconv.files import Parts, check_seen, fingerprint, whole_file
from poreconv.jobs import Job, plan, reads_of
from poreconv.ledger import Ledger
from poreconv.progress import progress_bar
from poreconv.read import Read
from poreconv.readers import find_files
from poreconv.writers import Writer, writer_for
from poreconv.writers.table import EVENTS, ReadFacts, events_table, with_facts

SILENT = "reads_without_events"
"""Note in the ledger: reads that were labelled, and in which nothing was found."""


Find = Callable[[Iterator[Read], Ledger], Iterable[tuple[Read, Any]]]
"""Reads in, each with what was found out, such as its events; reads that it drops go into the ledger."""


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

Task = tuple[Job, Path]
"""Some reads, and the part that their events go into."""


def tabulate(
    paths: Path | str | Sequence[Path | str],
    out: Path,
    find: Find,
    *,
    what: str,
    settings: Mapping[str, Any],
    form: Form = EVENT_ROWS,
    where: WorkConfig,
    skip_bad_files: bool = False,
) -> Ledger:
    """Find something in reads, job by job, into one table; a run that was killed goes on where it was.

    Args:
        paths: Signal files and folders: one, or several.
        out: The table; its suffix names the format. The drop ledger goes to ``<out>.ledger.json``.
        find: What finds it, such as events; it must pickle, for there may be several processes.
        what: The command's name, for the progress.
        settings: All that decides the result besides the files, as JSON types.
        form: What the rows are; default: events.
        where: In which processes.
        skip_bad_files: Pass over files that cannot be opened instead of stopping.

    Returns:
        The drop ledger.

    Raises:
        ConfigError: ``out`` exists, or its suffix names no format.
    """
    check_out(out, form)
    files = find_files([paths] if isinstance(paths, Path | str) else paths)
    with Parts(out, {"inputs": fingerprint(files), **settings}) as parts, progress_bar(what) as report:
        tasks = [(job, parts.path(number, ".parquet")) for number, job in enumerate(plan(files))]
        left = [task for task in tasks if not task[1].exists()]
        work = partial(_write_job, find, form, skip_bad_files)

        def ready() -> Iterator[Path]:
            waiting = deque(path for _, path in tasks)
            for done, _ in enumerate(run_all(work, left, where), start=len(tasks) - len(left) + 1):
                report(done / len(tasks))
                while waiting and waiting[0].exists():
                    yield waiting.popleft()
            yield from waiting

        return finish(parts, ready(), out, form)


def _write_job(find: Find, form: Form, skip_bad_files: bool, task: Task) -> None:
    job, out = task
    check_seen(out.parent)
    ledger = Ledger()
    reads = first_of_each(reads_of(job, ledger, skip_bad_files=skip_bad_files), ledger)
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
