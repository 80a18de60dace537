"""What is in signal files: reads, chemistry, lengths, and which labels they carry."""

from array import array
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from poreconv.config import FilesConfig, SourceConfig
from poreconv.errors import LabelError
from poreconv.labels.opening import open_labels
from poreconv.labels.sources import LABEL_SOURCES, LabelSource
from poreconv.reads.read import Read
from poreconv.reads.readers import ReadStream, format_of, open_reads
from poreconv.runtime.ledger import Ledger
from poreconv.runtime.progress import progress_bar
from poreconv.runtime.registry import lookup

LABELLED, NONE = "labelled", "no label"


@dataclass(frozen=True, slots=True)
class Kind:
    """What the reads of one row have in common."""

    format: str
    """Such as ``fast5`` or ``bulk fast5``."""
    sample_rate_hz: float
    chemistry: str
    """See `Read.chemistry`."""


@dataclass(frozen=True, slots=True)
class Row:
    """The usable reads of one kind."""

    kind: Kind
    files: int
    """Files with at least one read of this kind."""
    runs: int
    """Different run ids."""
    reads: int
    samples: int
    shortest: int
    """Samples of the shortest read."""
    median: float
    """Median length, samples."""
    longest: int
    """Samples of the longest read."""


@dataclass(frozen=True, slots=True)
class Labels:
    """What one in-file label source says of the usable reads."""

    source: str
    """Name in ``LABEL_SOURCES``."""
    labelled: int
    none: int
    """Reads without a label."""
    misfits: Counter[str]
    """Reads whose label does not fit, by reason."""


@dataclass(frozen=True, slots=True)
class Inspection:
    """What is in signal files."""

    files: int
    rows: tuple[Row, ...]
    """By kind, the one with most samples first."""
    labels: tuple[Labels, ...]
    """One per label source that reads the signal files themselves."""
    ledger: Ledger


def inspect(paths: Sequence[Path], *, config: FilesConfig | None = None) -> Inspection:
    """Read every signal once and tell what is there.

    Args:
        paths: Files and folders; see `find_files`.
        config: Whether to note files that cannot be read and go on.

    Raises:
        FormatError: No signal files, or a bad one.
    """
    config, ledger, tallies = config or FilesConfig(), Ledger(), dict[Kind, _Tally]()
    with (
        open_reads(paths, ledger=ledger, skip_bad_files=config.skip_bad_files) as reads,
        _in_file_sources() as sources,
    ):
        answers = {name: Counter[str]() for name in sources}
        for read in _reported(reads):
            ledger.kept += 1
            tallies.setdefault(_kind(read), _Tally()).add(read)
            for name, source in sources.items():
                answers[name][_answer(source, read)] += 1
        for source in sources.values():
            ledger.notes.update(source.notes)
    rows = sorted((tally.row(kind) for kind, tally in tallies.items()), key=lambda row: -row.samples)
    return Inspection(len(reads.files), tuple(rows), tuple(_labels(*item) for item in answers.items()), ledger)


def _reported(reads: ReadStream) -> Iterator[Read]:
    """The reads of a stream, and a bar that tells how many of them are done."""
    with progress_bar("inspect") as report:
        total = max(len(reads), 1)
        for done, read in enumerate(reads, start=1):
            yield read
            report(done / total)


def render(inspection: Inspection) -> RenderableType:
    """Draw an inspection as tables for a terminal."""
    summary = Text(f"files {inspection.files:,}; {inspection.ledger.summary()}")
    return Group(_reads_table(inspection.rows), _labels_table(inspection.labels), summary)


class _Tally:
    """Counts of one kind's reads: 8 bytes per read, whatever their length."""

    def __init__(self) -> None:
        self.lengths = array("q")
        self.runs: set[str] = set()
        self.files: set[Path | None] = set()

    def add(self, read: Read) -> None:
        self.lengths.append(len(read.adc))
        self.runs.add(read.run_id)
        self.files.add(read.source)

    def row(self, kind: Kind) -> Row:
        n = np.frombuffer(self.lengths, np.int64)
        return Row(
            kind=kind,
            files=len(self.files),
            runs=len(self.runs),
            reads=len(n),
            samples=int(n.sum()),
            shortest=int(n.min()),
            median=float(np.median(n)),
            longest=int(n.max()),
        )


def _kind(read: Read) -> Kind:
    return Kind("" if read.source is None else _format(read.source), read.sample_rate_hz, read.chemistry)


@lru_cache(maxsize=16)
def _format(path: Path) -> str:
    return format_of(path).removeprefix(".").replace(".", " ")


@contextmanager
def _in_file_sources() -> Iterator[dict[str, LabelSource]]:
    """Open the label sources that need nothing but the signal files."""
    names = [name for name in LABEL_SOURCES if lookup(LABEL_SOURCES, name, kind="label source").in_file]
    sources = {name: open_labels(name, [], SourceConfig()) for name in names}
    try:
        yield sources
    finally:
        for source in sources.values():
            source.close()


def _answer(source: LabelSource, read: Read) -> str:
    """What a source says of a read: one of two words, or the reason of a misfit."""
    try:
        return NONE if source.events(read) is None else LABELLED
    except LabelError as error:
        return error.reason


def _labels(source: str, answers: Counter[str]) -> Labels:
    misfits = Counter({reason: n for reason, n in answers.items() if reason not in {LABELLED, NONE}})
    return Labels(source, answers[LABELLED], answers[NONE], misfits)


def _reads_table(rows: Sequence[Row]) -> Table:
    table = Table("format", "chemistry", title="Reads")
    for heading in ("Hz", "files", "runs", "reads", "samples", "shortest", "median", "longest"):
        table.add_column(heading, justify="right")
    for row in rows:
        counts = (row.files, row.runs, row.reads, row.samples, row.shortest, round(row.median), row.longest)
        table.add_row(row.kind.format, row.kind.chemistry, f"{row.kind.sample_rate_hz:g}", *(f"{n:,}" for n in counts))
    return table


def _labels_table(labels: Sequence[Labels]) -> Table:
    table = Table("labels in the files", title="Labels")
    for heading in ("labelled reads", "no label"):
        table.add_column(heading, justify="right")
    table.add_column("misfits")
    for one in labels:
        misfits = ", ".join(f"{reason} {n:,}" for reason, n in one.misfits.most_common())
        table.add_row(one.source, f"{one.labelled:,}", f"{one.none:,}", misfits or "0")
    return table
