"""Mean basecall quality and reference sequence of reads, read from alignments, summaries and other tables."""

import math
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pysam
from numpy.typing import ArrayLike

from poreconv.errors import FormatError

QUALITY_COLUMNS = ("mean_quality", "mean_qscore_template", "mean_qscore")
REFERENCE_COLUMNS = ("reference", "alignment_genome", "alignment_reference")
"""Possible column names in a sequencing summary or a table of one's own; the first that exists counts."""

UNALIGNED = ("", "*")
"""Values of a reference that mean: not aligned."""

ALIGNMENTS = (".bam", ".sam")


class ReadInfo(NamedTuple):
    """What other files state about one read."""

    quality: float | None
    """Mean quality of its basecall, Phred; None if it is not known."""
    reference: str
    """Name of the sequence that it was aligned to; empty if it was not, or if that is not known."""


UNKNOWN = ReadInfo(None, "")


def read_info(files: Sequence[Path]) -> dict[str, ReadInfo]:
    """Read mean quality and reference of reads; memory holds one entry per read.

    Args:
        files: BAM or SAM (tag ``qs``, else the mean of the base qualities' error rates; the primary alignment's
            reference), or tables with a header: a sequencing summary, or one's own with the columns ``read_id`` and
            ``mean_quality`` or ``reference``. Where two files state the same of a read, the first counts.

    Returns:
        By read id.

    Raises:
        FormatError: A file is none of these.
    """
    found: dict[str, ReadInfo] = {}
    for path in files:
        rows_of: Callable[[Path], Iterator[tuple[str, ReadInfo]]] = (
            _from_alignments if path.suffix.lower() in ALIGNMENTS else _from_table
        )
        for read_id, info in rows_of(path):
            known = found.get(read_id, UNKNOWN)
            quality = info.quality if known.quality is None else known.quality
            found[read_id] = ReadInfo(quality, known.reference or info.reference)
    return found


def _from_alignments(path: Path) -> Iterator[tuple[str, ReadInfo]]:
    try:
        with pysam.AlignmentFile(str(path), check_sq=False) as file:
            for record in file.fetch(until_eof=True):
                if not (record.is_secondary or record.is_supplementary):
                    yield record.query_name or "", ReadInfo(_quality(record), record.reference_name or "")
    except (OSError, ValueError) as exc:
        raise FormatError(f"{path}: not a complete SAM or BAM file ({exc}); make or copy it again") from exc


def _quality(record: pysam.AlignedSegment) -> float | None:
    if record.has_tag("qs"):
        quality = record.get_tag("qs")
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


def _from_table(path: Path) -> Iterator[tuple[str, ReadInfo]]:
    try:
        table = pa.csv.read_csv(str(path), parse_options=pa.csv.ParseOptions(delimiter=_delimiter(path)))
        ids = _column(table, ("read_id",), pa.string())
        qualities = _column(table, QUALITY_COLUMNS, pa.float64())
        references = _column(table, REFERENCE_COLUMNS, pa.string())
    except (pa.ArrowException, OSError) as exc:
        problem = str(exc).split("\n", 1)[0]
        raise FormatError(f"{path}: not a table of reads ({problem}); give a BAM or a sequencing summary") from exc
    if ids is None or (qualities is None and references is None):
        raise FormatError(
            f"{path}: needs the column read_id, and mean_quality or reference; give a BAM or a sequencing summary"
        )
    for i, read_id in enumerate(ids):
        reference = (references[i] if references else None) or ""
        yield read_id or "", ReadInfo(qualities[i] if qualities else None, "" if reference in UNALIGNED else reference)


def _column(table: pa.Table, names: Sequence[str], kind: pa.DataType) -> list[Any] | None:
    """Return the cells of the first of these columns that exists; None without one."""
    found = next((name for name in names if name in table.column_names), None)
    cells: list[Any] | None = None if found is None else table[found].cast(kind).to_pylist()
    return cells


def _delimiter(path: Path) -> str:
    with pa.input_stream(str(path), compression="detect") as stream:
        return "\t" if b"\t" in stream.read(1 << 16).split(b"\n", 1)[0] else ","
