"""Signal files and labels from any source -> a table of events, or the signal with its events in one fast5."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

from poreconv.config import ConvertConfig, require
from poreconv.events.events import UNNAMED
from poreconv.events.tabulation import (
    EVENT_ROWS,
    ReadAnalysis,
    TableKind,
    check_any_reads,
    check_apart,
    check_new,
    check_out,
    tabulate,
    write_ledger,
)
from poreconv.events.targets import BASES
from poreconv.events.writers.reference import JOB_ROWS, reference_writer
from poreconv.events.writers.tombo import Resquiggle, add_resquiggle, resquiggle_of
from poreconv.labels.opening import (
    LabelsAsked,
    SourceChoices,
    choose_labels,
    events_of,
    fingerprints,
    kept_reads,
    label_files,
    opened,
    sendable_to,
)
from poreconv.labels.reference import Alignments, ReferenceFiles, placed_rows
from poreconv.labels.sources import LabelSource
from poreconv.reads.distinct import first_of_each
from poreconv.reads.pieces import Job, LastFile, plan_jobs, reads_of
from poreconv.reads.read import Read
from poreconv.reads.readers import find_files
from poreconv.reads.readers.fast5 import write_annotated
from poreconv.reads.readers.writing import check_written
from poreconv.reads.selection import Selection
from poreconv.runtime.files import whole_file
from poreconv.runtime.ledger import Ledger
from poreconv.runtime.outputs import writes_out
from poreconv.runtime.progress import Progress, progress_bar

FAST5 = ".fast5"
"""Suffix of the one output format that holds the signal too."""


@writes_out
def convert(
    paths: Path | str | Sequence[Path | str],
    *,
    labels: LabelsAsked,
    out: Path | str,
    labels_from: Sequence[Path | str] = (),
    alignments: Sequence[Path | str] = (),
    reference: Path | str | None = None,
    config: ConvertConfig | None = None,
    overwrite: bool = False,
) -> Ledger:
    """Write labels in another format, or in the places of a reference.

    A killed command resumes when it is started again; a ``.fast5`` is written in one pass, by one process, and starts
    from the beginning.

    Args:
        paths: Signal files and folders: one, or several.
        labels: Name in ``LABEL_SOURCES``, or your own, see `prepare`; or several: for each read the first that has a
            label is used.
        out: The suffix names the format. The drop ledger is written to ``<out>.ledger.json``.

            - ``.tsv``, ``.parquet``: everything; label source ``intervals`` reads them.
            - ``.bed``: places, classes, and scores in thousandths, in the coordinates of the reads; for ``intervals``.
            - ``.paf``: places only, for ``resquiggle_paf``.
            - ``.bam``: move tables of stride 1, for ``bam_moves``; a class that is not a base becomes N, and a gap
              between two events is added to the one before it (``gaps_closed`` in the ledger).
            - ``.peaks``: first samples of events, for ``rawhash2 --peaks-file``.
            - ``.fast5``: the labelled reads with their signal and Tombo's table of bases (N where only the place is
              known), for ``tombo``.
        labels_from: Files of the label sources; ``NAME=FILE`` if several sources read files.
        alignments: BAM or SAM files of the called sequences, for reference coordinates; see `Alignments`. The labels
            are then events of called bases, such as those of ``bam_moves``, or those that `refine` made of them.
        reference: FASTA of the reference, for the k-mers; default: the records' tag ``MD``.
        config: Coordinates, processes, and how files and label sources are read.
        overwrite: Replace ``out`` if it exists, and start anew where a command was killed.

    Returns:
        The drop ledger.

    Raises:
        ConfigError: ``out`` exists, its suffix names no format, the format cannot hold such labels, or alignments are
            missing.
        FormatError: A file cannot be used.
    """
    out, config = Path(out), config or ConvertConfig()
    files, kind = _reference_files(alignments, reference, config), _kind(config)
    if out.suffix == FAST5 and files is None:
        check_new(out, overwrite=overwrite)
    else:
        check_out(out, kind, overwrite=overwrite)
    chosen = choose_labels(labels, labels_from)
    check_apart(out, [*label_files(chosen), *(files.paths if files else ())])
    settings = {"labels": fingerprints(chosen), "sources": asdict(config.sources), "files": asdict(config.files)}
    with _opened(chosen, config, files) as (source, places):
        if out.suffix == FAST5:
            found, selection = find_files(paths), Selection.of(config.files)
            check_apart(out, found)
            return _to_fast5(plan_jobs(found, selection), selection, source, out, config)
        return tabulate(
            paths,
            out,
            partial(_converting, chosen, config, files),
            command="convert",
            settings=settings | _described(config, files),
            files=config.files,
            work=sendable_to(config.work, chosen),
            kind=kind,
            here=partial(_converted, source, places),
            overwrite=overwrite,
        )


def _reference_files(
    alignments: Sequence[Path | str], reference: Path | str | None, config: ConvertConfig
) -> ReferenceFiles | None:
    if config.coordinates == "signal":
        unused = not alignments and reference is None
        require(unused, "alignments, reference: for reference coordinates only; give --coordinates reference")
        return None
    require(len(alignments) > 0, "coordinates reference: need alignments of the called sequences; give --alignments")
    return ReferenceFiles(tuple(map(Path, alignments)), None if reference is None else Path(reference), config.k)


def _kind(config: ConvertConfig) -> TableKind:
    if config.coordinates == "signal":
        return EVENT_ROWS
    return TableKind(JOB_ROWS, placed_rows, partial(reference_writer, config.sort))


def _described(config: ConvertConfig, files: ReferenceFiles | None) -> dict[str, Any]:
    """Return what decides the rows in reference coordinates."""
    return {} if files is None else {"reference": files.described(), "sort": config.sort}


@contextmanager
def _opened(
    chosen: SourceChoices, config: ConvertConfig, files: ReferenceFiles | None
) -> Iterator[tuple[LabelSource, Alignments | None]]:
    with opened(chosen, config.sources) as source:
        if files is None:
            yield source, None
            return
        names = ", ".join(choice.name for choice in chosen)
        require(
            source.classes == BASES,
            f"labels {names}: without bases, so without places on the reference; use a source of called bases, such as"
            " bam_moves, or what poreconv refine made of it",
        )
        with closing(files.open()) as places:
            yield source, places


@contextmanager
def _converting(chosen: SourceChoices, config: ConvertConfig, files: ReferenceFiles | None) -> Iterator[ReadAnalysis]:
    with _opened(chosen, config, files) as (source, places):
        yield partial(_converted, source, places)


def _converted(
    source: LabelSource, places: Alignments | None, reads: Iterator[Read], ledger: Ledger
) -> Iterator[tuple[Read, Any]]:
    if places is None:
        yield from kept_reads(reads, source, ledger, partial(events_of, source))
        return
    places.notes.clear()  # they are about earlier reads
    yield from kept_reads(reads, source, ledger, lambda read: places.place(read, events_of(source, read)))
    ledger.notes.update(places.notes)


def _to_fast5(
    jobs: Sequence[Job], selection: Selection, source: LabelSource, out: Path, config: ConvertConfig
) -> Ledger:
    """Write the labelled reads with their labels, one read in memory at a time."""
    places_or_bases = source.classes in {(), (UNNAMED,), BASES}
    classes = ", ".join(source.classes)
    require(places_or_bases, f"{out}: a fast5 holds bases, and these labels are {classes}; use .parquet, .tsv or .bed")
    ledger = Ledger()
    with progress_bar("convert") as progress, whole_file(out) as partial_file:
        reads = first_of_each(_reads(jobs, selection, ledger, config, progress), ledger)
        labelled = kept_reads(reads, source, ledger, lambda read: resquiggle_of(read, events_of(source, read)))
        write_annotated(partial_file, _annotated(labelled, ledger))
        check_any_reads(out, ledger)
        check_written(partial_file, ledger.kept)
        write_ledger(out, ledger)
    return ledger


def _reads(
    jobs: Sequence[Job], selection: Selection, ledger: Ledger, config: ConvertConfig, progress: Progress
) -> Iterator[Read]:
    skip = config.files.skip_bad_files
    with LastFile() as last_file:
        for done, job in enumerate(jobs, start=1):
            yield from reads_of(job, ledger, skip_bad_files=skip, asked=selection.ids, last_file=last_file)
            progress(done / len(jobs), f"{done} of {len(jobs)} jobs")


def _annotated(labelled: Iterable[tuple[Read, Resquiggle]], ledger: Ledger) -> Iterator[tuple[Read, partial[None]]]:
    for read, found in labelled:
        yield read, partial(add_resquiggle, resquiggle=found)
        ledger.kept += 1
