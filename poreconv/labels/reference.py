"""Events in reference places: an event belongs where its called base is aligned."""

import os
from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack, closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pysam
from numpy.typing import NDArray

from poreconv.config import require
from poreconv.errors import FormatError, LabelError
from poreconv.events.events import Events
from poreconv.events.levels import event_levels
from poreconv.events.writers.reference import JOB_ROWS
from poreconv.labels.bases import base_index
from poreconv.labels.parsing.bam import DELETED, OF_BOTH, Records, bases_at, int_tag
from poreconv.labels.sources._called import known_rna, spelled
from poreconv.labels.sources.resquiggle_paf import sequence_mismatch
from poreconv.reads.read import Read
from poreconv.runtime.files import fingerprint

NOWHERE = -1
"""Position of a base that is not aligned: inserted, or clipped."""

UNKNOWN = ord("N")
COMPLEMENT = np.arange(256, dtype=np.uint8)
COMPLEMENT[list(b"ACGTUN")] = list(b"TGCAAN")


@dataclass(frozen=True)
class ReferenceFiles:
    """Alignments of the called sequences, and the reference; not opened yet."""

    alignments: tuple[Path, ...]
    """BAM or SAM files, in any order, without an index."""
    reference: Path | None = None
    """FASTA of the reference; None: the records' tag ``MD`` states its bases, within the alignments."""
    k: int = 5
    """Length of the k-mers, odd: the event's base is in the middle."""

    @property
    def paths(self) -> list[Path]:
        """All files."""
        return [*self.alignments, *([self.reference] if self.reference else [])]

    def described(self) -> dict[str, Any]:
        """Describe files and k-mers, so that a resumed command can check that they are unchanged."""
        return {"files": fingerprint(self.paths), "k": self.k}

    def open(self) -> "Alignments":
        """Open them; the caller closes the result.

        Raises:
            ConfigError: A file does not exist.
            FormatError: A file is not of the format that is expected.
        """
        for path in self.paths:
            require(path.is_file(), f"{path}: no such file; give files that exist as --alignments and --reference")
        return Alignments(self)


class Placed(NamedTuple):
    """The events of a read that have a place on the reference, in signal order; arrays of shape ``(n,)``."""

    events: Events
    contig: NDArray[np.str_]
    position: NDArray[np.int64]
    """From 0."""
    reverse: NDArray[np.bool_]
    """Whether the read is aligned to the reverse strand."""
    kmer: NDArray[np.uint8]
    """Letters around the position on the forward strand, shape ``(n, k)``; N where the reference is not known."""


class _Part(NamedTuple):
    """Called bases of one record, in signal order."""

    code: NDArray[np.int16]
    """Index of each base into `BASES`; -1: unknown."""
    position: NDArray[np.int64]
    """Place of each base; `NOWHERE`."""
    inserted: NDArray[np.bool_]
    """Whether each base stands between aligned ones without being aligned itself."""
    record: pysam.AlignedSegment


class Alignments:
    """Primary alignments of reads, by which events of called bases get places on the reference.

    Only the primary alignment of a read is used; of a read that was split, that of each part. Bases that are not
    aligned have no place: their events are left out, and counted as ``inserted_bases`` and ``clipped_bases``. A base
    that is deleted in the read has no event. Reads whose reference bases are not known are counted as
    ``without_reference_bases``.

    Args:
        files: The files.

    Raises:
        FormatError: A file is not SAM or BAM, or the reference cannot be read.
    """

    def __init__(self, files: ReferenceFiles) -> None:
        self.notes: Counter[str] = Counter()
        self._k = files.k
        with ExitStack() as stack:
            self._records = stack.enter_context(closing(_records(files.alignments, self.notes)))
            self._fasta = stack.enter_context(closing(_opened(files.reference))) if files.reference else None
            self._files = stack.pop_all()

    def place(self, read: Read, events: Events) -> Placed:
        """Find the places of events on the reference.

        Args:
            read: Its alignment is found by its id; its chemistry gives the direction of the sequence.
            events: One event per base of its called sequence, classes A, C, G, T; a few bases at either end may have no
                event.

        Returns:
            The events with a place.

        Raises:
            LabelError: The read has no alignment (``no_alignment``), or no primary one (``unaligned``); the events are
                not those of its called sequence (``label_sequence``); or whether it is RNA is not known
                (``orientation_unknown``).
        """
        parts = self._parts(read)
        code, position, inserted = (np.concatenate([part[i] for part in parts]) for i in range(3))
        at = _spelled_in_order(read, code, events)
        has_place = position[at] != NOWHERE
        lost = {"inserted_bases": inserted[at].sum(), "clipped_bases": (~has_place & ~inserted[at]).sum()}
        self.notes += Counter({name: int(n) for name, n in lost.items()})  # keeps no zeros
        at = at[has_place]
        length = [len(part.code) for part in parts]
        return Placed(
            _chosen(events, has_place),
            np.repeat([part.record.reference_name or "" for part in parts], length)[at],
            position[at],
            np.repeat([part.record.is_reverse for part in parts], length)[at],
            np.concatenate([self._kmers(part) for part in parts])[at],
        )

    def _parts(self, read: Read) -> list[_Part]:
        records = self._records.of(read.read_id)
        if not records:
            raise LabelError(
                f"{read.where}: not in the alignments; give the file that contains it with --alignments",
                reason="no_alignment",
            )
        parts = [_part(read, record) for record in sorted(records, key=lambda one: int_tag(one, "sp") or 0)]
        if all((part.position == NOWHERE).all() for part in parts):
            raise LabelError(
                f"{read.where}: unmapped, or without its primary record; leave it out, or give all records",
                reason="unaligned",
            )
        return parts

    def _kmers(self, part: _Part) -> NDArray[np.uint8]:
        """Return the k-mer around each base of a part, shape ``(n, k)``."""
        record, flank, aligned = part.record, self._k // 2, part.position != NOWHERE
        kmer = np.full((len(part.code), self._k), UNKNOWN, np.uint8)
        if aligned.any():
            first, end = record.reference_start - flank, int(record.reference_end or 0) + flank
            letters = _of_md(record, flank) if self._fasta is None else _fetched(self._fasta, record, first, end)
            self.notes += Counter(without_reference_bases=int((letters == UNKNOWN).all()))
            around = np.lib.stride_tricks.sliding_window_view(letters, self._k)
            kmer[aligned] = around[part.position[aligned] - record.reference_start]
        return kmer

    def close(self) -> None:
        """Close the files."""
        self._files.close()


def placed_rows(read: Read, placed: Placed) -> pa.Table:
    """Make the rows of a read.

    Args:
        read: The read.
        placed: Its events with a place.

    Returns:
        Columns as in `JOB_ROWS`; pA are rounded to 3 decimals, seconds to 6.
    """
    events, k = placed.events, placed.kmer.shape[1]
    mean_pa, sd_pa = event_levels(read, events)
    own = np.where(placed.reverse[:, None], COMPLEMENT[placed.kmer[:, ::-1]], placed.kmer)
    columns = {
        "contig": placed.contig,
        "position": placed.position,
        "reference_kmer": _texts(placed.kmer),
        "read_id": pa.repeat(read.read_id, len(events)),
        "strand": np.where(placed.reverse, "-", "+"),
        "event_level_mean": np.round(mean_pa, 3),
        "event_stdv": np.round(sd_pa, 3),
        "event_length": np.round(events.duration / read.sample_rate_hz, 6),
        "model_kmer": _texts(own),
        "start_idx": events.start,
        "end_idx": events.end,
        "reference_base": _texts(own[:, k // 2 : k // 2 + 1]),
        "run_id": pa.repeat(read.run_id, len(events)),
    }
    return pa.table(columns, JOB_ROWS)


def places_of(record: pysam.AlignedSegment) -> NDArray[np.int64]:
    """Return the reference position of each base of a record's sequence as it was called, 5' to 3'.

    Args:
        record: An aligned record.

    Returns:
        From 0; `NOWHERE` for bases that are not aligned; shape ``(n_bases,)``, without bases that are hard-clipped.
    """
    position = np.arange(record.reference_start, record.reference_end or 0)
    base, _ = bases_at(record, position)
    place = np.full(record.query_length, NOWHERE)
    place[base[base >= 0]] = position[base >= 0]
    return place


def _records(alignments: Sequence[Path], notes: Counter[str]) -> Records:
    return Records(
        alignments, tag=None, hint="", size=lambda record: record.query_alignment_length, notes=notes, split=True
    )


def _opened(reference: Path) -> pysam.FastaFile:
    try:
        return pysam.FastaFile(str(reference))
    except (OSError, ValueError) as exc:
        raise FormatError(f"{reference}: no FASTA with an index ({exc}); run samtools faidx on it") from exc


def _part(read: Read, record: pysam.AlignedSegment) -> _Part:
    sequence = base_index((record.get_forward_sequence() or "").encode("ascii", "replace"))
    if not len(sequence):
        raise sequence_mismatch(read, 0, "its primary record contains no sequence")
    used = not (record.is_unmapped or record.is_secondary or record.is_supplementary) and bool(record.cigartuples)
    place = places_of(record) if used else np.full(len(sequence), NOWHERE)
    step = -1 if known_rna(read, record) else 1
    aligned = np.flatnonzero(place != NOWHERE)
    inserted = place == NOWHERE
    inserted[: aligned[0] if len(aligned) else None] = False
    inserted[aligned[-1] if len(aligned) else 0 :] = False
    return _Part(sequence[::step], place[::step], inserted[::step], record)


def _spelled_in_order(read: Read, code: NDArray[np.int16], events: Events) -> NDArray[np.int64]:
    """Return the number of each event's base among the called ones, both in signal order.

    Events with samples between them, as the parts of a split read have them, may leave out bases there.
    """
    at, after = list[NDArray[np.int64]](), 0
    for label in np.split(events.label, np.flatnonzero(events.start[1:] > events.end[:-1]) + 1):
        first = spelled(code[after:], label)
        if first is None:
            raise sequence_mismatch(read, len(code), f"the labels of its {len(events)} events spell no one part of it")
        at.append(after + first + np.arange(len(label)))
        after += first + len(label)
    return np.concatenate(at)


def _chosen(events: Events, chosen: NDArray[np.bool_]) -> Events:
    return Events.of(
        events.start[chosen],
        events.end[chosen],
        label=events.label[chosen],
        classes=events.classes,
        score=events.score[chosen],
    )


def _of_md(record: pysam.AlignedSegment, flank: int) -> NDArray[np.uint8]:
    """Return the letters of the reference from ``flank`` before an alignment to ``flank`` after it, from its ``MD``."""
    start, end = record.reference_start, int(record.reference_end or 0)
    letters = np.full(end - start + 2 * flank, UNKNOWN, np.uint8)
    operation, length = np.array(record.cigartuples, np.int64).T
    in_md, skipped = np.isin(operation, (*OF_BOTH, DELETED)), operation == pysam.CREF_SKIP
    has_letter = np.repeat(in_md, np.where(in_md | skipped, length, 0))
    with suppress(ValueError, AssertionError):  # no MD, or not that of this alignment
        known = np.frombuffer(record.get_reference_sequence().upper().encode(), np.uint8)
        letters[flank : flank + end - start][has_letter] = known
    return letters


def _fetched(fasta: pysam.FastaFile, record: pysam.AlignedSegment, first: int, end: int) -> NDArray[np.uint8]:
    """Return letters ``[first, end)`` of the reference, N beyond its ends."""
    name = str(record.reference_name)
    try:
        length = fasta.get_reference_length(name)
        known = fasta.fetch(name, max(first, 0), min(end, length)).upper()
    except (KeyError, OSError, ValueError) as exc:
        raise FormatError(
            f"{os.fsdecode(fasta.filename)}: no sequence {name}; give the FASTA of the alignments' reference"
        ) from exc
    return np.frombuffer(("N" * max(-first, 0) + known).ljust(end - first, "N").encode("ascii", "replace"), np.uint8)


def _texts(letters: NDArray[np.uint8]) -> NDArray[np.str_]:
    """Join letters, shape ``(n, k)``, to texts, shape ``(n,)``."""
    return np.ascontiguousarray(letters).view(f"S{letters.shape[1]}").ravel().astype(str)
