"""A reader of signal files, and a writer of events, that poreconv finds by their suffixes."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from functools import cached_property
from pathlib import Path
from typing import Self

import numpy as np
import pyarrow as pa
import pyarrow.csv

from poreconv import Read
from poreconv.runtime.ledger import Ledger

RATE = "sample_rate_hz"
"""Name of the array with the sample rate; the others are reads by id, current in pA."""


class NpzReader:
    """Reads as arrays of numpy's ``.npz``."""

    write: Callable[[Path, Iterable[Read]], None] | None = None

    def __init__(self, path: Path, ledger: Ledger) -> None:
        self.path, self._arrays = path, np.load(path, allow_pickle=False)

    @staticmethod
    def recognises(path: Path, head: bytes) -> bool:
        """Return whether a file is a zip archive with that suffix."""
        return path.suffix == ".npz" and head.startswith(b"PK")

    @cached_property
    def read_ids(self) -> list[str]:
        """Ids in file order."""
        return [name for name in self._arrays if name != RATE]

    def __len__(self) -> int:
        """Return the number of reads."""
        return len(self.read_ids)

    def __iter__(self) -> Iterator[Read]:
        """Yield the reads in file order."""
        return map(self.__getitem__, self.read_ids)

    def record(self, number: int) -> Read:
        """Return the read of one record."""
        return self[self.read_ids[number]]

    def __getitem__(self, read_id: str) -> Read:
        """Return one read."""
        if read_id not in self.read_ids:
            raise KeyError(read_id)
        return Read.from_array(self._arrays[read_id], self._arrays[RATE], read_id=read_id, source=self.path)

    def __enter__(self) -> Self:
        """Return the reader."""
        return self

    def __exit__(self, *exc: object) -> None:
        """Close the file."""
        self._arrays.close()


class CsvWriter:
    """Events as comma-separated values."""

    def __init__(self, path: Path) -> None:
        self.notes: Counter[str] = Counter()
        self._path, self._writer = path, None

    def write(self, table: pa.Table) -> None:
        """Add rows."""
        if self._writer is None:
            self._writer = pyarrow.csv.CSVWriter(self._path, table.schema)
        self._writer.write_table(table)

    def close(self) -> None:
        """Finish the file."""
        if self._writer is not None:
            self._writer.close()
        self._path.touch()
