"""Read tables of poly(A) tails, one row per read, of three programs."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.csv

from poreconv.errors import FormatError
from poreconv.labels.parsing.tables import header_of


class Tail(NamedTuple):
    """Place of the poly(A) tail of one read, raw samples ``[start, end)``."""

    start: int
    """First sample; -1: no tail was found."""
    end: int
    """Sample after the last; -1: no tail was found."""
    adapter_start: int | None = None
    """First sample of the adapter, which comes before the tail; None if the program does not report it."""
    quality: str = ""
    """The program's verdict: one of `PASSED`, or why the row must not be used."""


PASSED = ("", "PASS", "TRUE")
"""Verdicts of usable rows."""


class _Format(NamedTuple):
    """Column names of a program; None: it has no such column."""

    read_id: str
    start: str
    end: str
    adapter_start: str | None = None
    quality: str | None = None
    quality_needed: bool = False


FORMATS = {
    "nanopolish polya": _Format("readname", "polya_start", "transcript_start", "leader_start", "qc_tag", True),
    "tailfindr": _Format("read_id", "tail_start", "tail_end", None, "tail_is_valid"),
    "dorado summary": _Format("read_id", "poly_tail_start", "poly_tail_end"),
}
"""Column names by program. Tailfindr reports whether a tail is valid only for cDNA."""


def tails_in(path: Path) -> Iterator[tuple[str, Tail]]:
    """Read the read id and the tail of each row of a table.

    Args:
        path: Table in one of `FORMATS`; the columns decide which.

    Raises:
        FormatError: The file is in none of `FORMATS`, or a place is not a number.
    """
    try:
        delimiter, names = header_of(path)
        columns = _columns(path, names)
        for batch in _batches(path, delimiter, columns):
            for read_id, *places, quality in _rows(batch, columns):
                start, end, adapter_start = (None if place is None else int(place) for place in places)
                if start is None or end is None or start < 0:
                    start, end = -1, -1
                yield read_id, Tail(start, end, adapter_start, quality or "")
    except (pa.ArrowException, OSError, UnicodeDecodeError) as exc:
        problem = str(exc).split("\n", 1)[0]
        raise FormatError(f"{path}: not a table of tails ({problem}); create or copy it again") from exc


def _columns(path: Path, names: Sequence[str]) -> list[str | None]:
    """Names of the columns read id, start, end, adapter start and quality in this file; None: it has no such column."""
    for form in FORMATS.values():
        needed = [form.read_id, form.start, form.end, form.adapter_start, form.quality if form.quality_needed else None]
        if all(name is None or name in names for name in needed):
            quality = form.quality if form.quality in names else None
            return [form.read_id, form.start, form.end, form.adapter_start, quality]
    raise FormatError(
        f"{path}: not a table of {', '.join(FORMATS)}, by its columns; give the table of one of these, or dorado's BAM"
    )


def _batches(path: Path, delimiter: str, columns: Sequence[str | None]) -> Iterator[pa.RecordBatch]:
    types = [pa.string(), pa.float64(), pa.float64(), pa.float64(), pa.string()]
    typed = {name: kind for name, kind in zip(columns, types, strict=True) if name is not None}
    return iter(
        pa.csv.open_csv(
            str(path),
            parse_options=pa.csv.ParseOptions(delimiter=delimiter),
            convert_options=pa.csv.ConvertOptions(
                include_columns=list(typed), column_types=typed, strings_can_be_null=True
            ),
        )
    )


def _rows(batch: pa.RecordBatch, columns: Sequence[str | None]) -> Iterator[tuple[Any, ...]]:
    """Values of each row; None for a column that the file lacks."""
    return zip(*([None] * batch.num_rows if name is None else batch[name].to_pylist() for name in columns), strict=True)
