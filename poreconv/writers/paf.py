"""Events as PAF with an ``ss`` run string, as f5c resquiggle writes it: places only, neither classes nor scores."""

from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from poreconv import ss
from poreconv.writers.table import samples_of

MAPQ = 255
"""Mapping quality that is not known."""


class PafWriter:
    """Writes one record per read that has events; the target of its alignment is its own events, 0 to n.

    Source:
        https://hasindu2008.github.io/f5c/docs/output, "resquiggle paf output format".
    """

    def __init__(self, path: Path) -> None:
        self._stream = path.open("w", encoding="utf-8")
        self._read: tuple[str, int] | None = None
        self._places: list[NDArray[np.int64]] = []

    def write(self, table: pa.Table) -> None:
        """Add rows; those of a read follow each other, in one call or several."""
        n_samples = samples_of(table)
        read_ids = table["read_id"].combine_chunks().dictionary_encode()
        places = np.column_stack([table["start"].to_numpy(), table["end"].to_numpy()])
        code = read_ids.indices.to_numpy()
        for rows in np.split(np.arange(len(code)), np.flatnonzero(np.diff(code)) + 1):
            if len(rows):
                read_id = read_ids.dictionary[code[rows[0]]].as_py()
                self._add((read_id, n_samples[read_id]), places[rows])

    def _add(self, read: tuple[str, int], places: NDArray[np.int64]) -> None:
        if read != self._read:
            self._flush()
            self._read = read
        self._places.append(places)

    def _flush(self) -> None:
        if self._read is not None:
            self._stream.write(_record(*self._read, np.concatenate(self._places)))
        self._read, self._places = None, []

    def close(self) -> None:
        """Finish the file."""
        self._flush()
        self._stream.close()


def _record(read_id: str, n_samples: int, places: NDArray[np.int64]) -> str:
    n, (start, end) = len(places), places.T
    run_string = ss.encode(ss.runs_of(start, end))
    columns = [read_id, n_samples, start[0], end[-1], "+", read_id, n, 0, n, n, n, MAPQ, f"ss:Z:{run_string}"]
    return "\t".join(map(str, columns)) + "\n"
