"""Events as the boundaries that a mapper of raw signals takes in place of its own, a line per read."""

import re
import warnings
from collections import Counter
from pathlib import Path

import pyarrow as pa

from poreconv.errors import FormatError
from poreconv.events.writers._whole_reads import WholeReads
from poreconv.events.writers.table import ReadFacts

NAME = re.compile('[!-"$-~][!-~]*')
"""Ids that can begin a line: no spaces, and no ``#`` at the start, which makes it a comment."""

LONGEST_LINE = 2**20 - 1
"""Bytes of the longest line, its end included: the mapper reads lines into a buffer of 1 MiB, one byte of which ends
the text. It would take the rest of a longer line for another read's."""


class PeaksWriter:
    """Writes ``read_id<TAB>peak<TAB>peak...`` for ``rawhash2 --peaks-file``: the first sample of each event, without 0.

    A read without boundaries has no line, and neither has one whose line would be longer than `LONGEST_LINE`: a warning
    names it, and it is counted as ``lines_too_long``. The mapper finds the events of such reads itself.

    Source:
        github.com/STORMgroup/RawHash2 at 92366afb, src/rextdata.c, ``parse_peaks_line_into``.
    """

    def __init__(self, path: Path) -> None:
        self.notes: Counter[str] = Counter()
        self._path = path
        self._stream = path.open("w", encoding="ascii", newline="\n")
        self._reads = WholeReads(self._add)

    def write(self, table: pa.Table) -> None:
        """Add rows.

        Args:
            table: Rows as `Writer.write` takes them.

        Raises:
            FormatError: A read id that cannot begin a line.
        """
        self._reads.add(table)

    def _add(self, read_id: str, facts: ReadFacts, rows: pa.Table) -> None:
        if not NAME.fullmatch(read_id):
            raise FormatError(
                f"{self._path}: read id {read_id!a}: in a file of peaks it has printable ASCII characters without"
                " spaces, and no # at its start; write .parquet instead"
            )
        peaks = [start for start in rows["start"].to_pylist() if start > 0]
        line = "\t".join(map(str, (read_id, *peaks))) + "\n"
        if len(line) > LONGEST_LINE:
            self.notes["lines_too_long"] += 1
            warnings.warn(
                f"{self._path.name}: read {read_id} is left out: its {len(peaks):,} boundaries make a line of"
                f" {len(line):,} bytes, and the mapper reads {LONGEST_LINE:,}",
                stacklevel=2,
            )
        elif peaks:
            self._stream.write(line)

    def close(self) -> None:
        """Finish the file."""
        try:
            self._reads.finish()
        finally:
            self._stream.close()
