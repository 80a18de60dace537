"""Recognise files of labels by their content, from their heads alone."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import h5py
import pyarrow as pa
import pysam

from poreconv.errors import PoreconvError
from poreconv.labels.parsing.bam import alignments
from poreconv.labels.parsing.cells import Batch, batches_of, columns_in
from poreconv.labels.parsing.eventalign import CONTIG, READ_INDEX, READ_NAME, ROW_COLUMNS
from poreconv.labels.parsing.sequences import is_sequences
from poreconv.labels.parsing.table_kinds import ParquetTable, open_table
from poreconv.labels.parsing.tables import BED_HEAD, NEEDED
from poreconv.labels.parsing.tails import PASSED, tails_in
from poreconv.labels.parsing.text_table import head_of
from poreconv.labels.sources.read_table import label_columns, rows_with_label
from poreconv.runtime.hdf5 import open_hdf5

RECORDS = 200
"""Records in the head of a file."""

TAGS = ("si", "mv", "pa")
"""Tags of records that label a read."""

BACKGROUND = "background"
"""Suggested class for what is outside."""

ERRORS = (PoreconvError, KeyError, OSError, RuntimeError, ValueError, pa.ArrowException)
"""What a reader raises on a file of another kind."""


@dataclass(frozen=True, slots=True)
class LabelFile:
    """What a file can be used for."""

    path: Path
    content: str
    """Such as ``move tables``."""
    source: str
    """The label source that reads it; empty if none does by itself."""
    read_ids: frozenset[str]
    """Ids of reads in its head that have such a label; empty if they are not known."""
    task: str = "boundary"
    """The task that its labels are for."""
    with_others: str = ""
    """What else the label source needs, or the option that takes the file; empty if nothing."""
    outside: str = ""
    """Class for what is outside its labels, where these have one class alone; else empty."""
    aligned: bool = False
    """Whether move tables are of records that are aligned to a reference."""


def recognised(path: Path) -> list[LabelFile]:
    """Return what a file can be used for; nothing if it is no file of labels, or cannot be read.

    Args:
        path: The file; only its beginning is read.
    """
    for kind in KINDS:
        try:
            found = list(kind(path))
        except ERRORS:
            continue
        if found:
            return found
    return []


def _alignments(path: Path) -> Iterator[LabelFile]:
    """SAM and BAM, by their tags; label sources read neither CRAM nor SAM without a header."""
    with alignments(path) as file:
        records = list(islice(file.fetch(until_eof=True), RECORDS))
        usable = not file.is_cram and (file.is_bam or bool(str(file.header)))
    tagged = {tag: _names(records, lambda record, tag=tag: usable and record.has_tag(tag)) for tag in TAGS}
    placed = tagged["mv"] and any(record.has_tag("mv") and not record.is_unmapped for record in records)
    if tagged["si"]:
        yield LabelFile(path, "signal alignment (si, ss)", "sam_resquiggle", tagged["si"])
    if tagged["pa"]:
        yield LabelFile(path, "poly(A) tails (pa)", "polya", tagged["pa"], "segment")
    if tagged["mv"]:
        content = "move tables (mv), aligned" if placed else "move tables (mv)"
        yield LabelFile(path, content, "bam_moves", tagged["mv"], aligned=bool(placed))
    if records and not any(tagged.values()):
        yield LabelFile(path, "calls", "", _names(records, lambda _: True), with_others="--read_info")


def _names(records: list[pysam.AlignedSegment], used: Callable[..., bool]) -> frozenset[str]:
    """Ids of the reads whose signal some records describe: of a part, the read that was split."""
    return frozenset(str(dict(each.get_tags()).get("pi", each.query_name)) for each in records if used(each))


def _captures(path: Path) -> Iterator[LabelFile]:
    """Segmented fast5 files of poretitioner, by the first capture."""
    with open_hdf5(h5py.File, path) as file:
        first = next((file[name] for name in file if name.startswith("read_")), None)
        if first is not None and "start_time_bulk" in first["Signal"].attrs:
            yield LabelFile(path, "captures in a bulk fast5", "captures", frozenset(), "segment", outside=BACKGROUND)


def _sequences(path: Path) -> Iterator[LabelFile]:
    if is_sequences(path):
        with pysam.FastxFile(str(path)) as file:
            names = frozenset(record.name or "" for record in islice(file, RECORDS))
        yield LabelFile(path, "sequences", "", names, "base", "with resquiggle_paf, for task base")


def _paf(path: Path) -> Iterator[LabelFile]:
    """PAF with run strings, which may be longer than the head."""
    with pa.input_stream(str(path), compression="detect") as stream:
        text: bytes = stream.read(1 << 22)
    rows = [line.split(b"\t") for line in text.splitlines()[:RECORDS]]
    names = [row[0].decode() for row in rows if _is_paf(row) and any(cell.startswith(b"ss:Z:") for cell in row[12:])]
    if names:
        yield LabelFile(path, "run strings (ss)", "resquiggle_paf", frozenset(names))


def _is_paf(row: list[bytes]) -> bool:
    return len(row) > 12 and row[4] in (b"+", b"-") and all(row[at].isdigit() for at in (1, 2, 3))


def _bed(path: Path) -> Iterator[LabelFile]:
    """BED of reads, or of sites on a reference; which of the two, the names of its sequences show."""
    if not path.name.lower().removesuffix(".gz").endswith(".bed"):
        return
    rows = [line.decode().split("\t") for line in head_of(path)[:RECORDS] if not BED_HEAD.match(line)]
    if not rows or not all(len(row) >= 3 and row[1].isdigit() and row[2].isdigit() for row in rows[:-1] or rows):
        return
    names, named = frozenset(row[0] for row in rows), all(len(row) > 3 for row in rows)
    yield LabelFile(path, "intervals of reads (BED)", "intervals", names, "segment" if named else "boundary")
    if all(len(row) >= 6 for row in rows[:-1] or rows):
        needs = "with an aligned BAM that has mv"
        yield LabelFile(path, "sites of a reference (BED)", "bed_modified", frozenset(), "segment", needs)


def _table(path: Path) -> Iterator[LabelFile]:
    """Tables with a header, by their columns."""
    table = open_table(path)
    for kind in TABLES:
        try:
            yield from kind(path, set(table.names))
        except ERRORS:
            continue


def _eventalign(path: Path, names: set[str]) -> Iterator[LabelFile]:
    by_name, by_index = READ_NAME.decode() in names, READ_INDEX.decode() in names
    if {*ROW_COLUMNS, CONTIG.decode()} <= names and (by_name or by_index):
        found = _head(path, READ_NAME.decode()) if by_name else frozenset()
        needs = "" if by_name else "with its summary"
        yield LabelFile(path, "nanopolish or f5c eventalign", "eventalign", found, with_others=needs)
    elif by_name and by_index:
        found = _head(path, READ_NAME.decode())
        yield LabelFile(path, "summary of eventalign", "eventalign", found, with_others="with the table of eventalign")


def _tails(path: Path, _: set[str]) -> Iterator[LabelFile]:
    tails = islice(tails_in(path), RECORDS)
    found = frozenset(read_id for read_id, tail in tails if tail.start >= 0 and tail.quality in PASSED)
    if found:
        yield LabelFile(path, "poly(A) tails", "polya", found, "segment")


def _intervals(path: Path, _: set[str]) -> Iterator[LabelFile]:
    table = open_table(path)
    found = columns_in(table, (*NEEDED, "label", "value"))
    if all(name in found for name in NEEDED):
        task = "segment" if "label" in found else "value" if "value" in found else "boundary"
        outside = BACKGROUND if len(_head(path, "label")) == 1 else ""
        yield LabelFile(path, "intervals of reads", "intervals", _head(path, NEEDED[0]), task, outside=outside)


def _classes(path: Path, _: set[str]) -> Iterator[LabelFile]:
    table = open_table(path)
    columns = label_columns(table)
    rows = next(batches_of(table, columns), None)
    labelled = [] if rows is None or "start" in columns_in(table, ["start"]) else list(rows_with_label(rows))
    found = frozenset(parent or read_id for read_id, _, parent in labelled[:RECORDS])
    if len({label for _, label, _ in labelled}) > 1:
        yield LabelFile(path, "a class per read", "read_table", found, "read")


def _values(path: Path, names: set[str]) -> Iterator[LabelFile]:
    needed = isinstance(open_table(path), ParquetTable) and {"read_id", "value"} <= names
    if needed and pa.types.is_list(pa.parquet.read_schema(path).field("value").type):
        yield LabelFile(path, "a number per sample", "values", _head(path, "read_id"), "value")


def _quality(path: Path, _: set[str]) -> Iterator[LabelFile]:
    wanted = ("mean_quality", "mean_qscore_template", "mean_qscore", "reference", "alignment_genome")
    found = columns_in(open_table(path), wanted)
    if found:
        yield LabelFile(path, "quality or reference of reads", "", _head(path, "read_id"), with_others="--read_info")


def _head(path: Path, column: str) -> frozenset[str]:
    """What the cells of a column contain in the head of a table; nothing without such a column."""
    table = open_table(path)
    columns = columns_in(table, [column])
    batch: Batch | None = next(batches_of(table, columns), None) if columns else None
    cells = [] if batch is None else batch.text(column).to_pylist()[:RECORDS]
    return frozenset(cell for cell in cells if cell)


TABLES = (_eventalign, _tails, _intervals, _classes, _values, _quality)
"""Recognises what a table with a header can be used for, by its columns; it may be for several things."""

KINDS = (_captures, _sequences, _alignments, _bed, _paf, _table)
"""Recognises a kind of file; the first that does counts."""
