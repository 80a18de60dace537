"""Read the best record of each read from SAM and BAM files, one record in memory at a time."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pysam
from numpy.typing import NDArray

from poreconv.errors import FormatError

pysam.set_verbosity(0)  # our errors report what htslib would write to stderr

PARENT = "pi"
"""Tag of a split read: the id of the read that was split, which is the id in the signal file."""

DELETED = pysam.CDEL
"""CIGAR operation of a base that is in the reference only."""
OF_REFERENCE = (pysam.CMATCH, pysam.CEQUAL, pysam.CDIFF, pysam.CDEL, pysam.CREF_SKIP)
OF_READ = (pysam.CMATCH, pysam.CEQUAL, pysam.CDIFF, pysam.CINS, pysam.CSOFT_CLIP)
OF_BOTH = (pysam.CMATCH, pysam.CEQUAL, pysam.CDIFF)
"""CIGAR operations that advance in the reference, in the read, and in both."""


class _Place(NamedTuple):
    """Place of a record; of several with one name the largest is used, the first among equals."""

    primary: bool
    size: int
    file: int
    offset: int


class Records:
    """The records that have a tag, by the read whose signal they describe.

    The files may be unsorted, not indexed, and not aligned: they are read once, and memory holds the id and place of
    one record per read. Of several records for a read, the primary one is used, then the largest; the others are
    counted in ``notes`` as ``other_records`` when the read is looked up.

    Args:
        files: BAM files, or SAM files, plain or BGZF-compressed.
        tag: Tag that a record must have to be used; None: every record is.
        hint: Advice for the error message when no record of a file has the tag.
        size: Returns the size by which records of one read are compared.
        notes: Counter of the other records.
        split: Whether a record with a ``pi`` tag belongs to the read named there, of which it is a part.

    Raises:
        FormatError: A file is not SAM or BAM, is truncated, or has records but none with the tag.
    """

    def __init__(
        self,
        files: Sequence[Path],
        *,
        tag: str | None,
        hint: str,
        size: Callable[[pysam.AlignedSegment], int],
        notes: Counter[str],
        split: bool = False,
    ) -> None:
        self._tag, self._hint, self._size, self._notes, self._split = tag, hint, size, notes, split
        self._own: dict[str, _Place] = {}
        self._parts: dict[str, dict[str, _Place]] = {}
        self._others: Counter[str] = Counter()
        self._paths, self._open = list(files), list[pysam.AlignmentFile]()
        with ExitStack() as stack:
            for path in files:
                with _format_errors(path):
                    self._open.append(stack.enter_context(_opened(path)))
                    self._index(path)
            self._files = stack.pop_all()

    def _index(self, path: Path) -> None:
        number, n_records, n_tagged = len(self._open) - 1, 0, 0
        file = self._open[number]
        offset = file.tell()
        for record in file.fetch(until_eof=True):
            n_records += 1
            if self._tag is None or record.has_tag(self._tag):
                n_tagged += 1
                self._add(record, number, offset)
            offset = file.tell()
        if n_records and not n_tagged:
            raise FormatError(f"{path}: none of its {n_records} records has the tag {self._tag!r}; {self._hint}")

    def _add(self, record: pysam.AlignedSegment, file: int, offset: int) -> None:
        name, primary = record.query_name or "", not (record.is_secondary or record.is_supplementary)
        parent = tag_of(record, PARENT) if self._split else None
        places = self._own if parent is None else self._parts.setdefault(str(parent), {})
        place, best = _Place(primary, self._size(record), file, offset), places.get(name)
        if best is not None:
            self._others[name] += 1
        if best is None or place[:2] > best[:2]:
            places[name] = place

    def of(self, read_id: str) -> list[pysam.AlignedSegment]:
        """Return the record of a read, or else those of the parts that it was split into, in the order of the files.

        Args:
            read_id: Id of the read in the signal file.

        Returns:
            One record, or one per part; empty if there is none.

        Raises:
            FormatError: A record cannot be read any more.
        """
        own = self._own.get(read_id)
        places = self._parts.get(read_id, {}) if own is None else {read_id: own}
        for name in places:
            if name in self._others:
                self._notes["other_records"] += self._others[name]
        return [self._record(place) for place in places.values()]

    def _record(self, place: _Place) -> pysam.AlignedSegment:
        file, path = self._open[place.file], self._paths[place.file]
        with _format_errors(path):
            file.seek(place.offset)
            for record in file.fetch(until_eof=True):
                return record
        raise FormatError(f"{path}: changed while it was read; start again")

    def close(self) -> None:
        """Close the files."""
        self._files.close()


@contextmanager
def alignments(path: Path) -> Iterator[pysam.AlignmentFile]:
    """Open alignments, and close them: there htslib reports a damaged file that was only read for a second time.

    Args:
        path: SAM, BAM or CRAM, in any order, without an index.

    Raises:
        OSError: It cannot be read.
        ValueError: It is none of these.
    """
    file = pysam.AlignmentFile(str(path), check_sq=False)
    try:
        yield file
    finally:
        with suppress(OSError):
            file.close()


@contextmanager
def _opened(path: Path) -> Iterator[pysam.AlignmentFile]:
    with alignments(path) as file:
        if file.is_cram:
            raise FormatError(f"{path}: CRAM, which has no random access; convert it to BAM with samtools view -b")
        if not file.is_bam and not str(file.header):
            raise FormatError(f"{path}: SAM without header lines; convert it to BAM with samtools view -b -T REFERENCE")
        yield file


@contextmanager
def _format_errors(path: Path) -> Iterator[None]:
    """Turn the errors of pysam into `FormatError`s that name the file."""
    try:
        yield
    except NotImplementedError as exc:
        raise FormatError(f"{path}: no random access ({exc}); convert it to BAM with samtools view -b") from exc
    except (OSError, ValueError) as exc:
        raise FormatError(f"{path}: not a complete SAM or BAM file ({exc}); create or copy it again") from exc


def tag_of(record: pysam.AlignedSegment, name: str) -> Any:
    """Return the value of a tag.

    Args:
        record: The record.
        name: Name of the tag, two characters.

    Returns:
        The value; None if the record has no such tag, or one that cannot be decoded, as in a damaged file.
    """
    try:
        return record.get_tag(name)
    except (KeyError, ValueError):
        return None


def int_tag(record: pysam.AlignedSegment, name: str) -> int | None:
    """Return the value of a numeric tag, truncated to an integer.

    A record can contain two tags with the same name: minimap2 writes its ``ts:A``, the transcript strand, before
    dorado's ``ts:i`` when it copies the basecaller's tags (``-y``). The number is used.

    Args:
        record: The record.
        name: Name of the tag, two characters.

    Returns:
        The number; None without such a tag.
    """
    found = tag_of(record, name)
    if isinstance(found, str):
        with suppress(ValueError):  # a tag that cannot be decoded
            found = next((value for tag, value in record.get_tags() if tag == name and isinstance(value, int)), None)
    return int(found) if isinstance(found, (int, float)) else None


def bases_at(record: pysam.AlignedSegment, position: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Find the bases of a read that are aligned to places of the reference.

    Args:
        record: An aligned record.
        position: 0-based places within the reference span of the record, shape ``(n,)``.

    Returns:
        For each place, the number of its base in the record's sequence as it was sequenced, 5' to 3', -1 where none
        is aligned; and whether the place is deleted in the read (a place that is neither lies in an intron). Shape
        ``(n,)`` each.
    """
    operation, length = np.array(record.cigartuples, np.int64).T
    uses_reference, uses_read = np.isin(operation, OF_REFERENCE) * length, np.isin(operation, OF_READ) * length
    reference = record.reference_start + np.cumsum(uses_reference) - uses_reference
    in_read = np.cumsum(uses_read) - uses_read
    in_reference = np.flatnonzero(uses_reference)
    at = in_reference[np.searchsorted(reference[in_reference], position, side="right") - 1]
    base = in_read[at] + position - reference[at]
    if record.is_reverse:
        base = int(uses_read.sum()) - 1 - base
    return np.where(np.isin(operation[at], OF_BOTH), base, -1), operation[at] == DELETED
