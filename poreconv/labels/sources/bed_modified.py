"""Labels from a BED of modified (or canonical) sites of a reference, carried through alignments to the signal."""

from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack, closing
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pysam
from numpy.typing import NDArray

from poreconv.config import SourceConfig, require
from poreconv.errors import LabelError
from poreconv.events.events import Events
from poreconv.labels.bases import BASES
from poreconv.labels.fit import fitted
from poreconv.labels.parsing.bam import Records, bases_at
from poreconv.labels.parsing.bed import Sites
from poreconv.labels.parsing.moves import check_margin, inner
from poreconv.labels.sources._called import ByMoves, ByPaf, ByTable, Called, CalledBases
from poreconv.labels.sources.intervals import UNKNOWN, classes_with
from poreconv.reads.read import Read

SITES, ALIGNMENTS, PAF, TABLES = (".bed",), (".bam", ".sam"), (".paf",), (".parquet", ".tsv", ".csv")
"""What a file is, by its suffix; ``.gz`` may follow those of text."""


class _Sample(NamedTuple):
    """Alignments, and the sites that are known of their reads."""

    sites: Sites
    records: Records
    class_of: NDArray[np.int16]
    """Index into the source's classes of each of the sites' names."""


class _Part(NamedTuple):
    """Events of one record."""

    start: NDArray[np.int64]
    end: NDArray[np.int64]
    label: NDArray[np.int16]
    coverage: NDArray[np.int64]
    """Of each event, shape ``(n, 2)``."""


class BedModified:
    """Sites of a reference (BED) -> aligned reads (BAM, SAM) -> called bases -> samples.

    Files are told apart by their suffixes, and their order counts: a ``.bed`` is about the reads of the ``.bam`` and
    ``.sam`` files that follow it, up to the next ``.bed``; BEDs in a row are about the same files. So two samples are
    labelled at once, into one store with the classes of both, with ``can_gt.bed can_mappings.bam mod_gt.bed
    mod_mappings.bam``; one pair alone has one class, and needs ``--outside`` for task `segment`. A BED row is
    ``reference start end name score strand``: the name is the class, a ``+`` site labels reads aligned forward, ``-``
    reads aligned in reverse, ``.`` both. One site with two classes for the same reads is a `FormatError`; a read with
    alignments in two samples is dropped (``label_ambiguous``).

    A site is at the base that is aligned to it, matching or not. Where the read has none it is passed over: counted as
    ``sites_deleted``, or, if the base has no place on the signal, as ``sites_without_place``. Of several records of a
    read the primary wins; the others are counted as ``other_records``.

    The base's samples are told by the record's own ``mv`` and ``ts`` tags (see `BamMoves`; right to about one stride,
    and guppy's moves of the R10.4.1 reads measured come over half a base early), or exactly, for all samples, by a
    ``.paf`` with ``ss`` of f5c resquiggle (see `kmer_base` for which base a k-mer is), or by a table of events
    (``.parquet``, ``.tsv``, ``.csv``) of poreconv refine; reads that are not in it have no label then. Moves and exact
    events count the bases of the whole call: hard-clipped records don't fit them, a named drop.

    Classes are the sorted names of all BEDs, whichever a read belongs to. Events are the sites' bases only, and cover
    themselves; with a class for what is outside (`SourceConfig.outside`) every placed base is an event. With
    `SourceConfig.move_margin` one stride on each side of each move is uncovered.
    """

    in_file = False

    def __init__(self, files: Sequence[Path], config: SourceConfig) -> None:
        """Read the sites and index the alignments.

        Raises:
            ConfigError: A file of another suffix or out of order, or both kinds of exact events.
            FormatError: A file is not what its suffix says, or a site has two classes.
        """
        self.notes: Counter[str] = Counter()
        samples, exact = _sorted_out(files)
        self._outside = config.outside != UNKNOWN
        self._margin = config.move_margin and not exact
        sites = [Sites(beds) for beds, _ in samples]
        self.classes = classes_with({name for one in sites for name in one.names}, config.outside)
        self.base_offset = 0 if self.classes == BASES else None
        with ExitStack() as stack:
            self._called = stack.enter_context(closing(_called_bases(exact, self.notes)))
            self._samples = []
            for one, (_, alignments) in zip(sites, samples, strict=True):
                records = stack.enter_context(closing(self._records(alignments, moves=not exact)))
                code = np.array([self.classes.index(name) for name in one.names], np.int16)
                self._samples.append(_Sample(one, records, code))
            self._files = stack.pop_all()

    def _records(self, alignments: Sequence[Path], *, moves: bool) -> Records:
        """Index alignments; those with exact events elsewhere need no move table, and know no parts of reads."""
        return Records(
            alignments,
            tag="mv" if moves else None,
            hint="align what dorado --emit-moves wrote, keeping its tags (minimap2 -y), or give exact events",
            size=lambda record: record.query_length,
            notes=self.notes,
            split=moves,
        )

    def events(self, read: Read) -> Events | None:
        """Label one read; see `LabelSource.events`."""
        found = [(sample, sample.records.of(read.read_id)) for sample in self._samples]
        found = [(sample, records) for sample, records in found if records]
        if len(found) > 1:
            raise LabelError(
                f"{read.where}: has alignments in {len(found)} samples, each with its own sites; leave out one of them",
                reason="label_ambiguous",
            )
        parts = [self._part(read, sample, record) for sample, records in found for record in records]
        there = sorted((part for part in parts if part is not None), key=lambda part: int(part.start[0]))
        if not there:
            return None
        start, end, label, coverage = (np.concatenate(column) for column in zip(*there, strict=True))
        if self._margin:
            check_margin(read, coverage)
        return fitted(read, start, end, label=label, classes=self.classes, coverage=coverage)

    def _part(self, read: Read, sample: _Sample, record: pysam.AlignedSegment) -> _Part | None:
        """Events of one record; None without any."""
        called = None if record.is_unmapped or not record.cigartuples else self._called.of(read, record)
        if called is None:
            return None
        label = self._labels(sample, record, called)
        coverage = inner(called.start, called.end, called.stride if self._margin else 0)
        kept = label >= 0
        return _Part(called.start[kept], called.end[kept], label[kept], coverage[kept]) if kept.any() else None

    def _labels(self, sample: _Sample, record: pysam.AlignedSegment, called: Called) -> NDArray[np.int16]:
        """Class of each called base: of its site, else of what is outside, else -1."""
        reference, first, end = str(record.reference_name), record.reference_start, record.reference_end or 0
        sites = sample.sites.between(reference, first, end, reverse=record.is_reverse)
        base, deleted = bases_at(record, sites.position.astype(np.int64))
        row_of = np.full(record.query_length + 1, -1)  # the last one stands for bases that are not aligned
        row_of[called.base] = np.arange(len(called.base))
        row = row_of[base]
        self._count(sites_deleted=deleted, sites_without_place=(base >= 0) & (row < 0))
        label = np.full(len(called.base), 0 if self._outside else -1, np.int16)
        label[row[row >= 0]] = sample.class_of[sites.code[row >= 0]]
        return label

    def _count(self, **happened: NDArray[np.bool_]) -> None:
        for name, where in happened.items():
            if where.any():
                self.notes[name] += int(where.sum())

    def close(self) -> None:
        """Close the files."""
        self._files.close()


def _called_bases(exact: Sequence[Path], notes: Counter[str]) -> CalledBases:
    if not exact:
        return ByMoves(notes)
    return ByPaf(exact, notes) if _suffix(exact[0]) in PAF else ByTable(exact)


def _suffix(path: Path) -> str:
    return Path(path.stem).suffix if path.suffix == ".gz" else path.suffix


def _sorted_out(files: Sequence[Path]) -> tuple[list[tuple[list[Path], list[Path]]], list[Path]]:
    """BEDs and alignments of each sample, and the files of exact events."""
    samples: list[tuple[list[Path], list[Path]]] = []
    exact: list[Path] = []
    for path in files:
        suffix = _suffix(path)
        if suffix in SITES:
            if not samples or samples[-1][1]:
                samples.append(([], []))
            samples[-1][0].append(path)
        elif suffix in ALIGNMENTS:
            require(bool(samples), f"{path}: no BED before it; give each BED before the BAM that it is about")
            samples[-1][1].append(path)
        else:
            known = suffix in PAF + TABLES
            require(known, f"{path}: neither .bed, .bam or .sam, nor exact events (.paf, .parquet, .tsv, .csv)")
            exact.append(path)
    named = ", ".join(map(str, files))
    require(
        bool(samples) and bool(samples[-1][1]), f"{named}: a BED without a BAM behind it; give BED and BAM, in pairs"
    )
    require(
        len({_suffix(path) in PAF for path in exact}) < 2, f"{named}: a PAF and a table of events; give one of them"
    )
    return samples, exact
