"""For writers of one record per read: the rows of a read, which may come in several tables, as one."""

from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pyarrow as pa

from poreconv.events.writers.table import ReadFacts, facts_of


class WholeReads:
    """Collects the rows of a read until those of another read come.

    Args:
        write_read: Called with a read's id, its facts, and all its rows.
    """

    def __init__(self, write_read: Callable[[str, ReadFacts, pa.Table], None]) -> None:
        self._write_read = write_read
        self._read: tuple[str, ReadFacts] | None = None
        self._pieces: list[pa.Table] = []

    def add(self, table: pa.Table) -> None:
        """Take rows, and write each read that is complete.

        Args:
            table: Rows as `poreconv.events.writers.Writer.write` takes them.
        """
        facts = facts_of(table)
        read_ids = table["read_id"].combine_chunks().dictionary_encode()
        code = read_ids.indices.to_numpy()
        edge = np.flatnonzero(np.diff(code, prepend=-1, append=-1)).tolist()
        for first, end in pairwise(edge):
            read_id = read_ids.dictionary[code[first]].as_py()
            self._collect((read_id, facts[read_id]), table.slice(first, end - first))

    def _collect(self, read: tuple[str, ReadFacts], rows: pa.Table) -> None:
        if read != self._read:
            self.finish()
            self._read = read
        self._pieces.append(rows)

    def finish(self) -> None:
        """Write the last read."""
        read, pieces = self._read, self._pieces
        self._read, self._pieces = None, []
        if read is not None:
            self._write_read(*read, pa.concat_tables(pieces))
