"""What readers share whose file lists its reads when it is opened."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Self

from poreconv.errors import SignalError
from poreconv.reads.read import Read
from poreconv.runtime.ledger import Ledger


class ReadsById(ABC):
    """An open file whose reads lie at known places; `Reader` but for opening and recognising it."""

    path: Path
    _ledger: Ledger
    _file: Any
    """Has a ``close``."""
    _places: Mapping[str, Any]
    """Read id -> where it lies, in file order."""

    @abstractmethod
    def _read(self, read_id: str) -> Read:
        """Make a read of what lies at its place.

        Raises:
            SignalError: It is unusable.
        """

    @property
    def read_ids(self) -> list[str]:
        """Ids in file order."""
        return list(self._places)

    def __len__(self) -> int:
        """Number of reads."""
        return len(self._places)

    def __iter__(self) -> Iterator[Read]:
        """Reads in file order, one at a time in memory; unusable ones go into the ledger."""
        for read_id in self._places:
            try:
                read = self._read(read_id)
            except SignalError as error:
                self._ledger.drop(error, read_id=read_id, source=self.path)
                continue
            yield read

    def __getitem__(self, read_id: str) -> Read:
        """One read.

        Raises:
            KeyError: The file has no such read.
            SignalError: It has, and the read is unusable.
        """
        if read_id not in self._places:
            raise KeyError(f"{self.path}: no read {read_id}")
        return self._read(read_id)

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def __enter__(self) -> Self:
        """The open reader."""
        return self

    def __exit__(self, *exc: object) -> None:
        """Close the file."""
        self.close()
