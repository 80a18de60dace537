"""SAM and BAM files as label sources read them: the best record of each read, one in memory at a time."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pysam
from numpy.typing import NDArray

from poreconv.errors import FormatError

PARENT = "pi"
"""Tag of a split read: the id of the read that was cut, which is the one in the signal file."""


DELETED = pysam.CDEL
OF_REFERENCE = (pysam.CMATCH, pysam.CEQUAL, pysam.CDIFF, pysam.CDEL, pysam.CREF_SKIP)
OF_READ = (pysam.CMATCH, pysam.CEQUAL, pysam.CDIFF, pysam.CINS, pysam.CSOFT_CLIP)
OF_BOTH = (pysam.CMATCH, pysam.CEQUAL, pysam.CDIFF)
"""What CIGAR operations use up."""


class _Place(NamedTuple):
    """Where a record stands; the largest of a name wins, the first of equals."""

    primary: bool
    size: int
    file: int
    offset: int


class Records:
    """The records that carry a tag, by the read whose signal they are about.

    Sorted or not, indexed or not, aligned or not: the files are passed through once, and memory holds the id and place
    of one record per read. The primary record wins, then the largest; the others are counted in ``notes`` as
    ``other_records`` when their read is asked for.

    Args:
        files: BAM or SAM, this one plain or BGZF-compressed.
        tag: What a record must have to count; None: every record does.
        hint: What to do where no record of a file has it.
        size: How much a record says.
        notes: Where other records are counted.
        split: Whether a record with a ``pi`` tag is about (a part of) the read named there.

    Raises:
        FormatError: A file is no SAM or BAM, is cut short, or has records, none of them with the tag.
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
        self._open: list[pysam.AlignmentFile] = []
        with ExitStack() as stack:
            for path in files:
                with _format_errors(path):
                    self._open.append(stack.enter_context(_opened(path)))
                    self._index(path)
            self._files = stack.pop_all()

    def _index(self, path: Path) -> None:
        number, met, found = len(self._open) - 1, 0, 0
        file = self._open[number]
        offset = file.tell()
        for record in file.fetch(until_eof=True):
            met += 1
            if self._tag is None or record.has_tag(self._tag):
                found += 1
                self._add(record, number, offset)
            offset = file.tell()
        if met and not found:
            raise FormatError(f"{path}: none of its {met} records has the tag {self._tag!r}; {self._hint}")

    def _add(self, record: pysam.AlignedSegment, file: int, offset: int) -> None:
        name, primary = record.query_name or "", not (record.is_secondary or record.is_supplementary)
        is_part = self._split and record.has_tag(PARENT)
        places = self._parts.setdefault(str(record.get_tag(PARENT)), {}) if is_part else self._own
        place, best = _Place(primary, self._size(record), file, offset), places.get(name)
        if best is not None:
            self._others[name] += 1
        if best is None or place[:2] > best[:2]:
            places[name] = place

    def of(self, read_id: str) -> list[pysam.AlignedSegment]:
        """Give a read's own record, else those of the parts that it was split into, as they stand in the files."""
        own = self._own.get(read_id)
        places = self._parts.get(read_id, {}) if own is None else {read_id: own}
        for name in places:
            if name in self._others:
                self._notes["other_records"] += self._others[name]
        return [self._record(place) for place in places.values()]

    def _record(self, place: _Place) -> pysam.AlignedSegment:
        file = self._open[place.file]
        file.seek(place.offset)
        return next(file.fetch(until_eof=True))

    def close(self) -> None:
        """Close the files."""
        self._files.close()


@contextmanager
def _opened(path: Path) -> Iterator[pysam.AlignmentFile]:
    """Open without htslib's remark on stderr that there is no index: none is needed."""
    said = pysam.set_verbosity(0)
    try:
        file = pysam.AlignmentFile(str(path), check_sq=False)
    finally:
        pysam.set_verbosity(said)
    with file:
        if not file.is_bam and not str(file.header):
            raise FormatError(f"{path}: a SAM without header lines; make it a BAM with samtools view -b -T REFERENCE")
        yield file


@contextmanager
def _format_errors(path: Path) -> Iterator[None]:
    """Name the file that pysam can't read."""
    try:
        yield
    except NotImplementedError as exc:
        raise FormatError(f"{path}: can't be read by place ({exc}); make it a BAM with samtools view -b") from exc
    except (OSError, ValueError) as exc:
        raise FormatError(f"{path}: no whole SAM or BAM ({exc}); make or copy it again") from exc


def int_tag(record: pysam.AlignedSegment, name: str) -> int | None:
    """Give a number among a record's tags, None without one.

    A record can hold two tags of one name: minimap2's ``ts:A``, the transcript strand, stands before dorado's ``ts:i``
    where it copied the basecaller's tags (``-y``).
    """
    found = record.get_tag(name) if record.has_tag(name) else None
    if isinstance(found, str):
        found = next((value for tag, value in record.get_tags() if tag == name and isinstance(value, int)), None)
    return int(found) if isinstance(found, (int, float)) else None


def bases_at(record: pysam.AlignedSegment, position: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Find the read's bases that are aligned to places of the reference.

    Args:
        record: An aligned one.
        position: 0-based places within the reference span of the record, shape ``(n,)``.

    Returns:
        For each place the number of the base in the record's sequence as it was sequenced, 5' to 3', -1 where none is
        aligned; and whether that is because it was deleted (else it is in an intron).
    """
    operation, length = np.array(record.cigartuples, np.int64).T
    uses_reference, uses_read = np.isin(operation, OF_REFERENCE) * length, np.isin(operation, OF_READ) * length
    reference = record.reference_start + np.cumsum(uses_reference) - uses_reference
    in_read = np.cumsum(uses_read) - uses_read
    there = np.flatnonzero(uses_reference)
    at = there[np.searchsorted(reference[there], position, side="right") - 1]
    base = in_read[at] + position - reference[at]
    if record.is_reverse:
        base = int(uses_read.sum()) - 1 - base
    return np.where(np.isin(operation[at], OF_BOTH), base, -1), operation[at] == DELETED
