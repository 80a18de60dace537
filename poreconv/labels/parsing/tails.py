"""Read tables of poly(A) tails, one row per read, of three programs."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from poreconv.errors import FormatError
from poreconv.labels.parsing.cells import Table, batches_of, columns_in
from poreconv.labels.parsing.table_kinds import open_table


class Tail(NamedTuple):
    """Place of the poly(A) tail of one read, raw samples ``[start, end)``."""

    start: int
    """First sample; -1: no tail was found."""
    end: int
    """Sample after the last; -1: no tail was found."""
    adapter_start: int | None = None
    """First sample of the adapter, which comes before the tail; None if the program does not report it."""
    transcript_end: int | None = None
    """Sample after the transcript, which comes after the tail; None: it ends with the read."""
    quality: str = ""
    """The program's verdict: one of `PASSED`, or why the row must not be used."""


PASSED = ("", "NA", "PASS", "TRUE")
"""Verdicts of usable rows, in upper case: R writes TRUE, or NA where there is none, Python True."""


class _Format(NamedTuple):
    """Column names of a program; None: it has no such column."""

    read_id: str
    start: str
    end: str
    adapter_start: str | None = None
    quality: str | None = None
    quality_needed: bool = False

    def columns(self) -> dict[str, str | None]:
        """Return field -> name of its column."""
        return {field: name for field, name in self._asdict().items() if field != "quality_needed"}


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
    table = open_table(path)
    columns = _columns(table)
    for batch in batches_of(table, columns):
        places = [batch.numbers(name).to_pylist() for name in ("start", "end", "adapter_start")]
        for read_id, start, end, adapter, quality in zip(
            batch.text("read_id").to_pylist(), *places, batch.text("quality").to_pylist(), strict=True
        ):
            found = start is not None and end is not None and start >= 0
            place = (int(start), int(end)) if found else (-1, -1)
            adapter_start = None if adapter is None else int(adapter)
            yield read_id or "", Tail(*place, adapter_start, quality=(quality or "").upper())


def _columns(table: Table) -> dict[str, int]:
    """Find the columns of one of `FORMATS`: field of `_Format` -> index of the column; those that the file has."""
    for form in FORMATS.values():
        named = {field: name for field, name in form.columns().items() if name is not None}
        found = columns_in(table, list(named.values()))
        needed = [name for field, name in named.items() if field != "quality" or form.quality_needed]
        if all(name in found for name in needed):
            return {field: found[name] for field, name in named.items() if name in found}
    raise FormatError(
        f"{table.path}: not a table of {', '.join(FORMATS)}, by its columns; give the table of one of these, or"
        " dorado's BAM"
    )
