"""Labels from a BED of modified (or canonical) sites of a reference, mapped to the signal through alignments."""

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
from poreconv.labels.parsing.moves import check_margin, without_margins
from poreconv.labels.sources._called import ByMoves, ByPaf, ByTable, Called, CalledBases
from poreconv.labels.sources.intervals import UNKNOWN, classes_with_outside
from poreconv.reads.read import Read

SITES, ALIGNMENTS, PAF, TABLES = (".bed",), (".bam", ".sam"), (".paf",), (".parquet", ".tsv", ".csv")
"""Suffixes of each kind of file; ``.gz`` may follow those of text files."""


class _Group(NamedTuple):
    """Alignments, and the sites that apply to their reads."""

    sites: Sites
    records: Records
    class_of: NDArray[np.int16]
    """Class index of each of the sites' names, in the order of ``sites.names``."""


class _RecordEvents(NamedTuple):
    """Events of one record, in signal order."""

    start: NDArray[np.int64]
    end: NDArray[np.int64]
    label: NDArray[np.int16]
    coverage: NDArray[np.int64]
    """Covered samples of each event, ``[start, end)``, shape ``(n, 2)``."""


class BedModified:
    """Sites of a reference (BED) -> aligned reads (BAM, SAM) -> called bases -> samples.

    The suffix of a file gives its kind, and the order of files matters. A ``.bed`` applies to the reads of the ``.bam``
    and ``.sam`` files that follow it, up to the next ``.bed``; several BEDs in a row apply to the same files. So
    ``can_gt.bed can_mappings.bam mod_gt.bed mod_mappings.bam`` are two groups of files, labelled together into one
    store with the classes of both; one such pair alone has one class, and needs ``--outside`` for task `segment`. A BED
    row is ``reference start end name score strand``: the name is the class; a ``+`` site labels reads aligned forward,
    a ``-`` site reads aligned in reverse, a ``.`` site both. One site with two classes for the same reads is a
    `FormatError`; a read with alignments in two groups is dropped (``label_ambiguous``).

    A site labels the base that is aligned to it, whether it matches or not. A site to which no base is aligned is
    counted as ``sites_deleted``, one whose base has no place on the signal as ``sites_without_place``. Of several
    records of a read the primary is used; the others are counted as ``other_records``.

    The samples of a base come from the record's own ``mv`` and ``ts`` tags (see `BamMoves`; right to about one stride,
    and guppy's moves of the R10.4.1 reads measured come over half a base early). Or they come, exactly and for all
    groups, from a ``.paf`` of f5c resquiggle with an ``ss`` tag (see `kmer_base` for which base a k-mer stands for), or
    from a table of events (``.parquet``, ``.tsv``, ``.csv``) of poreconv refine; reads that are not in it then have no
    label. Moves and exact events count the bases of the whole call, so that reads with hard-clipped records are dropped
    (``label_moves``, ``label_sequence``).

    Classes are the sorted names of all BEDs, the same for every read. Events are the bases of the sites only, and cover
    only themselves; with a class for what is outside (`SourceConfig.outside`) every base with a place is an event. With
    `SourceConfig.move_margin` one stride on each side of each move is not covered.
    """

    in_file = False

    def __init__(self, files: Sequence[Path], config: SourceConfig) -> None:
        """Read the sites and index the alignments.

        Args:
            files: BED files, each before the BAM or SAM files to which it applies; optionally, at any place, PAF files
                or tables of exact events.
            config: ``outside`` and ``move_margin`` are used; the latter only where moves place the bases.

        Raises:
            ConfigError: A file has another suffix or is out of order, or both kinds of exact events are given.
            FormatError: A file is not of the kind that its suffix names, or a site has two classes.
        """
        self.notes: Counter[str] = Counter()
        groups, exact = _by_kind(files)
        self._outside = config.outside != UNKNOWN
        self._margin = config.move_margin and not exact
        all_sites = [Sites(beds) for beds, _ in groups]
        self.classes = classes_with_outside({name for sites in all_sites for name in sites.names}, config.outside)
        self.base_offset = 0 if self.classes == BASES else None
        with ExitStack() as stack:
            self._called = stack.enter_context(closing(_called_bases(exact, self.notes)))
            self._groups = []
            for sites, (_, alignments) in zip(all_sites, groups, strict=True):
                records = stack.enter_context(closing(self._records(alignments, moves=not exact)))
                class_of = np.array([self.classes.index(name) for name in sites.names], np.int16)
                self._groups.append(_Group(sites, records, class_of))
            self._files = stack.pop_all()

    def _records(self, alignments: Sequence[Path], *, moves: bool) -> Records:
        """Index alignments; with exact events no move tables are needed, and parts of split reads are not looked up."""
        return Records(
            alignments,
            tag="mv" if moves else None,
            hint="align the output of dorado --emit-moves, keeping its tags (minimap2 -y), or give exact events",
            size=lambda record: record.query_length,
            notes=self.notes,
            split=moves,
        )

    def events(self, read: Read) -> Events | None:
        """Label one read; see `LabelSource.events`.

        Args:
            read: Its records, or those of its parts, are found by its id; its chemistry, if known, gives the direction
                of the sequence.

        Raises:
            LabelError: Alignments in two groups of files (``label_ambiguous``), places that don't fit the record (see
                `CalledBases.place`) or the signal (see `fitted`), or no sample outside the margins (``label_margin``).
        """
        found = [(group, group.records.of(read.read_id)) for group in self._groups]
        found = [(group, records) for group, records in found if records]
        if len(found) > 1:
            raise LabelError(
                f"{read.where}: has alignments in the BAMs of {len(found)} sets of sites (BED); leave out all but one "
                "set with its BAMs",
                reason="label_ambiguous",
            )
        each = [self._record_events(read, group, record) for group, records in found for record in records]
        parts = sorted((part for part in each if part is not None), key=lambda part: int(part.start[0]))
        if not parts:
            return None
        start, end, label, coverage = (np.concatenate(column) for column in zip(*parts, strict=True))
        if self._margin:
            check_margin(read, coverage)
        return fitted(read, start, end, label=label, classes=self.classes, coverage=coverage)

    def _record_events(self, read: Read, group: _Group, record: pysam.AlignedSegment) -> _RecordEvents | None:
        """Return the events of one record; None if it has none."""
        called = None if record.is_unmapped or not record.cigartuples else self._called.place(read, record)
        if called is None:
            return None
        label = self._labels(group, record, called)
        coverage = without_margins(called.start, called.end, called.stride if self._margin else 0)
        kept = label >= 0
        return _RecordEvents(called.start[kept], called.end[kept], label[kept], coverage[kept]) if kept.any() else None

    def _labels(self, group: _Group, record: pysam.AlignedSegment, called: Called) -> NDArray[np.int16]:
        """Return the class of each called base: that of its site, else that of what is outside, else -1."""
        reference, first, end = str(record.reference_name), record.reference_start, record.reference_end or 0
        sites = group.sites.between(reference, first, end, reverse=record.is_reverse)
        base, deleted = bases_at(record, sites.position.astype(np.int64))
        row_of = np.full(record.query_length + 1, -1)  # the last entry is for sites without a base
        row_of[called.base] = np.arange(len(called.base))
        row = row_of[base]
        self._count(sites_deleted=deleted, sites_without_place=(base >= 0) & (row < 0))
        label = np.full(len(called.base), 0 if self._outside else -1, np.int16)
        label[row[row >= 0]] = group.class_of[sites.code[row >= 0]]
        return label

    def _count(self, **flags: NDArray[np.bool_]) -> None:
        for name, flag in flags.items():
            if flag.any():
                self.notes[name] += int(flag.sum())

    def close(self) -> None:
        """Close the files."""
        self._files.close()


def _called_bases(exact: Sequence[Path], notes: Counter[str]) -> CalledBases:
    if not exact:
        return ByMoves(notes)
    return ByPaf(exact, notes) if _suffix(exact[0]) in PAF else ByTable(exact)


def _suffix(path: Path) -> str:
    return Path(path.stem).suffix if path.suffix == ".gz" else path.suffix


def _by_kind(files: Sequence[Path]) -> tuple[list[tuple[list[Path], list[Path]]], list[Path]]:
    """Return the BEDs and alignments of each group, and the files of exact events."""
    groups: list[tuple[list[Path], list[Path]]] = []
    exact: list[Path] = []
    for path in files:
        suffix = _suffix(path)
        if suffix in SITES:
            if not groups or groups[-1][1]:
                groups.append(([], []))
            groups[-1][0].append(path)
        elif suffix in ALIGNMENTS:
            require(bool(groups), f"{path}: no BED before it; give each BED before the BAM to which it applies")
            groups[-1][1].append(path)
        else:
            known = suffix in PAF + TABLES
            require(
                known,
                f"{path}: unknown suffix; give sites (.bed), alignments (.bam, .sam) or exact events (.paf, .parquet, "
                ".tsv, .csv)",
            )
            exact.append(path)
    names = ", ".join(map(str, files))
    require(bool(groups) and bool(groups[-1][1]), f"{names}: a BED without a BAM after it; give BED and BAM in pairs")
    require(
        len({_suffix(path) in PAF for path in exact}) < 2, f"{names}: a PAF and a table of events; give one of them"
    )
    return groups, exact
