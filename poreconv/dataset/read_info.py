"""Mean basecall quality and reference sequence of reads, read from alignments, summaries and other tables."""

import math
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pysam
from numpy.typing import ArrayLike

from poreconv.errors import FormatError
from poreconv.labels.parsing.bam import PARENT, alignments, tag_of
from poreconv.labels.parsing.cells import batches_of, columns_in
from poreconv.labels.parsing.table_kinds import open_table

READ_ID = "read_id"
QUALITY_COLUMNS = ("mean_quality", "mean_qscore_template", "mean_qscore")
REFERENCE_COLUMNS = ("reference", "alignment_genome", "alignment_reference")
"""Possible column names in a sequencing summary or a table of one's own; the first that exists counts."""

UNALIGNED = ("", "*")
"""Values of a reference that mean: not aligned."""

PARENT_COLUMN = "parent_read_id"
"""Column of a summary with the read that was split; an unsplit read's is its own id, or empty."""

ALIGNMENTS = (".bam", ".sam", ".cram")


class ReadInfo(NamedTuple):
    """What other files state about one read."""

    quality: float | None
    """Mean quality of its basecall, Phred; None if it is not known."""
    reference: str
    """Name of the sequence that it was aligned to; empty if it was not, or if that is not known."""


UNKNOWN = ReadInfo(None, "")

_Row = tuple[str, ReadInfo, str]
"""Read id, what is known of the read, and the read of which it is a part; empty without one."""


def read_info(files: Sequence[Path]) -> dict[str, ReadInfo]:
    """Read mean quality and reference of reads; memory holds one entry per read.

    A read that the basecaller split is known by its parts, as it is to label sources: the parts that name it (tag
    ``pi``, or column ``parent_read_id``) give it the lowest of their qualities, and their reference if they have one in
    common.

    Args:
        files: BAM, SAM or CRAM (tag ``qs``, else the mean of the base qualities' error rates; the primary alignment's
            reference), or tables with a header: a sequencing summary, or one's own with the columns ``read_id`` and
            ``mean_quality`` or ``reference``. Where two files state the same of a read, the first counts.

    Returns:
        By read id.

    Raises:
        FormatError: A file is none of these.
    """
    found: dict[str, ReadInfo] = {}
    parts: defaultdict[str, set[str]] = defaultdict(set)
    for path in files:
        rows_of: Callable[[Path], Iterator[_Row]] = (
            _from_alignments if path.suffix.lower() in ALIGNMENTS else _from_table
        )
        for read_id, info, parent in rows_of(path):
            known = found.get(read_id, UNKNOWN)
            quality = info.quality if known.quality is None else known.quality
            found[read_id] = ReadInfo(quality, known.reference or info.reference)
            if parent and parent != read_id:
                parts[parent].add(read_id)
    return found | {
        parent: _of_parts([found[part] for part in of]) for parent, of in parts.items() if parent not in found
    }


def _of_parts(parts: Sequence[ReadInfo]) -> ReadInfo:
    """Return what is known of a read that was split."""
    qualities = [part.quality for part in parts if part.quality is not None]
    references = {part.reference for part in parts}
    return ReadInfo(min(qualities, default=None), references.pop() if len(references) == 1 else "")


def _from_alignments(path: Path) -> Iterator[_Row]:
    try:
        with alignments(path) as file:
            for record in file.fetch(until_eof=True):
                if not (record.is_secondary or record.is_supplementary):
                    info = ReadInfo(_quality(record), record.reference_name or "")
                    yield record.query_name or "", info, str(tag_of(record, PARENT) or "")
    except (OSError, ValueError) as exc:
        raise FormatError(f"{path}: not a complete SAM, BAM or CRAM file ({exc}); make or copy it again") from exc


def _quality(record: pysam.AlignedSegment) -> float | None:
    if record.has_tag("qs"):
        quality = tag_of(record, "qs")
        return float(quality) if isinstance(quality, int | float) else None
    return None if record.query_qualities is None else mean_quality(record.query_qualities)


def mean_quality(phred: ArrayLike) -> float:
    """Average base qualities as basecallers do: the Phred value of the mean error rate.

    Args:
        phred: Quality of each base, Phred, shape ``(n_bases,)``, at least one.

    Example:
        >>> round(mean_quality([10, 20]), 2)
        12.6
    """
    return float(-10 * math.log10(np.mean(10 ** (-np.asarray(phred, np.float64) / 10))))


def _from_table(path: Path) -> Iterator[_Row]:
    table = open_table(path)
    columns = columns_in(table, (READ_ID, PARENT_COLUMN, *QUALITY_COLUMNS, *REFERENCE_COLUMNS))
    quality = next((name for name in QUALITY_COLUMNS if name in columns), None)
    reference = next((name for name in REFERENCE_COLUMNS if name in columns), None)
    if READ_ID not in columns or not (quality or reference):
        raise FormatError(
            f"{path}: needs the column read_id, and mean_quality or reference; give a BAM or a sequencing summary"
        )
    used = {name: columns[name] for name in (READ_ID, PARENT_COLUMN, quality, reference) if name in columns}
    for batch in batches_of(table, used):
        cells = [
            batch.text(READ_ID),
            batch.numbers(quality or ""),
            batch.text(reference or ""),
            batch.text(PARENT_COLUMN),
        ]
        for read_id, known, sequence, parent in zip(*(each.to_pylist() for each in cells), strict=True):
            info = ReadInfo(known, "" if sequence is None or sequence in UNALIGNED else sequence)
            yield read_id or "", info, parent or ""
