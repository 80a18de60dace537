"""Contents of signal files: reads, chemistry, lengths, and the labels in them and beside them."""

from array import array
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from poreconv.config import FilesConfig, FitConfig, SourceConfig
from poreconv.errors import LabelError
from poreconv.labels.offers import Offer, offers_of
from poreconv.labels.opening import open_labels
from poreconv.labels.recognising import LabelFile, recognised
from poreconv.labels.sources import LABEL_SOURCES, LabelSource
from poreconv.models.shipped import models_for
from poreconv.reads.read import Read
from poreconv.reads.readers import ReadStream, format_of, open_reads
from poreconv.reads.readers.beside import files_beside
from poreconv.reads.selection import Selection
from poreconv.runtime.explaining import hint_on
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
    """Number of different run ids."""
    reads: int
    samples: int
    shortest: int
    """Samples of the shortest read."""
    median: float
    """Median length, samples."""
    longest: int
    """Samples of the longest read."""
    models: tuple[str, ...]
    """Shipped models that were trained on such reads."""
    models_if_resampled: tuple[str, ...]
    """Those that fit with ``--resample`` alone."""


@dataclass(frozen=True, slots=True)
class Labels:
    """The usable reads by what one in-file label source has for them."""

    source: str
    """Name in ``LABEL_SOURCES``."""
    labelled: int
    """Reads with a label that fits."""
    none: int
    """Reads without a label."""
    misfits: Counter[str]
    """Reads whose label does not fit, by reason."""


@dataclass(frozen=True, slots=True)
class Beside:
    """What one file that lies beside the reads can be used for."""

    file: LabelFile
    matching: int
    """Reads named in the file's head that are among the usable reads."""


@dataclass(frozen=True, slots=True)
class Inspection:
    """Contents of signal files, and labels for them."""

    files: int
    rows: tuple[Row, ...]
    """One per kind, the one with most samples first."""
    labels: tuple[Labels, ...]
    """One per label source that reads the signal files themselves."""
    beside: tuple[Beside, ...]
    """One per use of a file beside the reads."""
    offers: tuple[Offer, ...]
    """The labels that there are for these reads."""
    commands: tuple[str, ...]
    """For each offer the command that prepares a store with these labels."""
    ledger: Ledger


def inspect(paths: Path | str | Sequence[Path | str], *, config: FilesConfig | None = None) -> Inspection:
    """Read every signal once, count reads and labels by kind, and look for labels beside them.

    Args:
        paths: Signal files and folders: one, or several; see `find_files`.
        config: Which reads are used, and whether to skip files that cannot be read, and record them in the ledger.

    Raises:
        ConfigError: The list of read ids cannot be read.
        FormatError: There is no signal file, or one cannot be read.
    """
    places = [Path(path) for path in ([paths] if isinstance(paths, Path | str) else paths)]
    config, ledger, tallies = config or FilesConfig(), Ledger(), dict[Kind, _Tally]()
    formats = dict[Path, str]()
    asked = Selection.of(config)
    with (
        open_reads(places, ledger=ledger, skip_bad_files=config.skip_bad_files, selection=asked) as reads,
        _in_file_sources() as sources,
    ):
        answers, read_ids = {name: Counter[str]() for name in sources}, set[str]()
        for read in _with_progress(reads):
            ledger.kept += 1
            read_ids.add(read.read_id)
            tallies.setdefault(_kind(read, formats), _Tally(read)).add(read)
            for name, source in sources.items():
                answers[name][_answer(source, read)] += 1
        for source in sources.values():
            ledger.notes.update(source.notes)
    rows = sorted((tally.row(kind) for kind, tally in tallies.items()), key=lambda row: -row.samples)
    labels = tuple(_labels(*item) for item in answers.items())
    without_reads = [path for path in reads.files if path not in formats]
    files = [found for path in [*files_beside(places), *without_reads] for found in recognised(path)]
    offers = [Offer(each.source, "boundary") for each in labels if each.labelled] + offers_of(files, read_ids)
    return Inspection(
        files=len(reads.files),
        rows=tuple(rows),
        labels=labels,
        beside=tuple(_beside(files, read_ids)),
        offers=tuple(offers),
        commands=tuple(_commands(places, offers)),
        ledger=ledger,
    )


def _beside(files: Sequence[LabelFile], read_ids: set[str]) -> Iterator[Beside]:
    """Yield the uses of files, but those for other reads where the same file has another use."""
    uses = Counter(file.path for file in files)
    for file in files:
        matching = len(file.read_ids & read_ids)
        if matching or not file.read_ids or uses[file.path] == 1:
            yield Beside(file, matching)


def _commands(paths: Sequence[Path], offers: Sequence[Offer]) -> Iterator[str]:
    """Yield the command of each offer, each with a store of its own."""
    sources, taken = Counter(offer.source for offer in offers), Counter[str]()
    for offer in offers:
        stem = f"{offer.source}_{offer.files[0].stem}" if sources[offer.source] > 1 else offer.source
        taken[stem] += 1
        yield offer.command(paths, f"{stem}_store" if taken[stem] == 1 else f"{stem}_{taken[stem]}_store")


def _with_progress(reads: ReadStream) -> Iterator[Read]:
    """Yield the reads of a stream, and show how many of them are done."""
    with progress_bar("inspect") as progress:
        total = max(len(reads), 1)
        for done, read in enumerate(reads, start=1):
            yield read
            progress(done / total, f"{done:,} of {total:,} reads")


def render(inspection: Inspection) -> RenderableType:
    """Return the tables for the terminal.

    Args:
        inspection: What `inspect` returned.
    """
    summary = Text(f"files {inspection.files:,}; {inspection.ledger.summary()}")
    if hint := hint_on(inspection.ledger.main_reason):
        summary.append(f"\n{hint}")
    tables = [_reads_table(inspection.rows), _labels_table(inspection.labels)]
    if inspection.beside:
        tables.append(_beside_table(inspection.beside))
    return Group(*tables, summary)


def next_steps(inspection: Inspection) -> Iterator[str]:
    """Yield the lines about models, and the commands, which are to be copied as they are.

    Args:
        inspection: What `inspect` returned.
    """
    rows = {(row.kind.chemistry, row.kind.sample_rate_hz): row for row in inspection.rows}
    for (chemistry, rate), row in rows.items():
        resampled = f"; with --resample: {', '.join(row.models_if_resampled)}" if row.models_if_resampled else ""
        yield f"shipped models for {chemistry} at {rate:g} Hz: {', '.join(row.models) or 'none'}{resampled}"
    yield from inspection.commands


class _Tally:
    """Lengths, run ids and files of one kind's reads; 8 bytes per read, whatever its length."""

    def __init__(self, example: Read) -> None:
        self.models = tuple(models_for(example))
        resampled = models_for(example, FitConfig(resample=True))
        self.models_if_resampled = tuple(name for name in resampled if name not in self.models)
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
            models=self.models,
            models_if_resampled=self.models_if_resampled,
        )


def _kind(read: Read, formats: dict[Path, str]) -> Kind:
    """Return a read's kind.

    Args:
        read: The read.
        formats: File -> its format; receives those of new files, as a file is opened to find its format.
    """
    if read.source is None:
        return Kind("", read.sample_rate_hz, read.chemistry.code)
    if read.source not in formats:
        formats[read.source] = format_of(read.source).removeprefix(".").replace(".", " ")
    return Kind(formats[read.source], read.sample_rate_hz, read.chemistry.code)


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
    """Return `LABELLED`, `NONE`, or the reason why the label does not fit."""
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
    table.add_column("label does not fit")
    for row in labels:
        misfits = ", ".join(f"{reason} {n:,}" for reason, n in row.misfits.most_common())
        table.add_row(row.source, f"{row.labelled:,}", f"{row.none:,}", misfits or "0")
    return table


def _beside_table(beside: Sequence[Beside]) -> Table:
    table = Table("file", "content", "--labels", title="Beside the reads")
    table.add_column("reads", justify="right")
    table.add_column("use")
    for each in beside:
        file, known = each.file, len(each.file.read_ids)
        matching = f"{each.matching} of {known}" if known else ""
        use = "about other reads" if known and not each.matching else file.with_others
        table.add_row(*map(Text, (str(file.path), file.content, file.source, matching, use)))
    return table
