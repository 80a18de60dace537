"""The base of readers that list the reads of a file when they open it."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Self

from poreconv.errors import SignalError
from poreconv.reads.read import Read
from poreconv.runtime.ledger import Ledger


class ReadsById(ABC):
    """An open file with reads at known places; subclasses open and recognise it, and read from a place."""

    path: Path
    _ledger: Ledger
    _file: Any
    """The library's handle; it has a ``close``."""
    _places: Mapping[str, Any]
    """Read id -> its place in the file, in file order."""

    @abstractmethod
    def _read(self, read_id: str) -> Read:
        """Read from the place of an id that the file contains.

        Raises:
            SignalError: The read is unusable.
        """

    @property
    def read_ids(self) -> list[str]:
        """Ids in file order."""
        return list(self._places)

    def __len__(self) -> int:
        """Return the number of reads."""
        return len(self._places)

    def __iter__(self) -> Iterator[Read]:
        """Yield the reads in file order, one in memory at a time; unusable ones go into the ledger."""
        for read_id in self._places:
            try:
                read = self._read(read_id)
            except SignalError as error:
                self._ledger.drop(error, read_id=read_id, source=self.path)
                continue
            yield read

    def __getitem__(self, read_id: str) -> Read:
        """Return one read.

        Raises:
            KeyError: The file contains no read of this id.
            SignalError: The read is unusable.
        """
        if read_id not in self._places:
            raise KeyError(f"{self.path}: no read {read_id}")
        return self._read(read_id)

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def __enter__(self) -> Self:
        """Return the reader."""
        return self

    def __exit__(self, *exc: object) -> None:
        """Close the file."""
        self.close()
