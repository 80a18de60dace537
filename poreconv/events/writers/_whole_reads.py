"""What writers of one record per read share: a read's rows come in pieces, and are wanted as one."""

from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pyarrow as pa

from poreconv.events.writers.table import ReadFacts, facts_of


class WholeReads:
    """Gathers the rows of a read until another read's come.

    Args:
        use: Called with a read's id, what is known of it, and all its rows.
    """

    def __init__(self, use: Callable[[str, ReadFacts, pa.Table], None]) -> None:
        self._use = use
        self._read: tuple[str, ReadFacts] | None = None
        self._pieces: list[pa.Table] = []

    def add(self, table: pa.Table) -> None:
        """Take rows; see `poreconv.events.writers.Writer.write`."""
        facts = facts_of(table)
        read_ids = table["read_id"].combine_chunks().dictionary_encode()
        code = read_ids.indices.to_numpy()
        edge = np.flatnonzero(np.diff(code, prepend=-1, append=-1)).tolist()
        for first, end in pairwise(edge):
            read_id = read_ids.dictionary[code[first]].as_py()
            self._gather((read_id, facts[read_id]), table.slice(first, end - first))

    def _gather(self, read: tuple[str, ReadFacts], rows: pa.Table) -> None:
        if read != self._read:
            self.finish()
            self._read = read
        self._pieces.append(rows)

    def finish(self) -> None:
        """Use the last read."""
        read, pieces = self._read, self._pieces
        self._read, self._pieces = None, []
        if read is not None:
            self._use(*read, pa.concat_tables(pieces))
