"""Events as PAF with an ``ss`` run string, as f5c resquiggle writes it: without classes and scores."""

from collections import Counter
from pathlib import Path

import pyarrow as pa

from poreconv.events import run_strings as ss
from poreconv.events.writers._whole_reads import WholeReads
from poreconv.events.writers.table import ReadFacts

MAPQ = 255
"""Mapping quality of PAF where it is not known."""


class PafWriter:
    """Writes one record per read that has events; the target of its alignment is its own events, 0 to n.

    Source:
        https://hasindu2008.github.io/f5c/docs/output, "resquiggle paf output format".
    """

    def __init__(self, path: Path) -> None:
        self.notes: Counter[str] = Counter()
        self._stream = path.open("w", encoding="utf-8")
        self._reads = WholeReads(self._add)

    def write(self, table: pa.Table) -> None:
        """Add rows.

        Args:
            table: Rows as `Writer.write` takes them.
        """
        self._reads.add(table)

    def _add(self, read_id: str, facts: ReadFacts, rows: pa.Table) -> None:
        n, start, end = len(rows), rows["start"].to_numpy(), rows["end"].to_numpy()
        run_string = ss.encode(ss.runs_of(start, end))
        columns = [read_id, facts.n_samples, start[0], end[-1], "+", read_id, n, 0, n, n, n, MAPQ, f"ss:Z:{run_string}"]
        self._stream.write("\t".join(map(str, columns)) + "\n")

    def close(self) -> None:
        """Finish the file."""
        self._reads.finish()
        self._stream.close()
