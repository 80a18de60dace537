"""The base of the readers: the records of a file have numbers, and an id is that of the first record with it."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import Self

from poreconv.errors import ReadDropped
from poreconv.reads.read import Read
from poreconv.runtime.ledger import Ledger


class ReadsByRecord(ABC):
    """An open file of numbered records; subclasses open and recognise it, and read one record."""

    path: Path
    _ledger: Ledger

    @property
    @abstractmethod
    def read_ids(self) -> Sequence[str]:
        """The id of each record, in file order; an id that stands twice is listed twice."""

    @abstractmethod
    def record(self, number: int) -> Read:
        """Return the read of one record.

        Args:
            number: Place of the record in ``read_ids``.

        Raises:
            ReadDropped: The read is unusable.
        """

    @abstractmethod
    def close(self) -> None:
        """Close the file."""

    def __len__(self) -> int:
        """Return the number of records."""
        return len(self.read_ids)

    def __iter__(self) -> Iterator[Read]:
        """Yield the reads in file order, one in memory at a time; unusable ones go into the ledger."""
        for number, read_id in enumerate(self.read_ids):
            try:
                read = self.record(number)
            except ReadDropped as error:
                self._ledger.drop(error, read_id=read_id, source=self.path)
                continue
            yield read

    def __getitem__(self, read_id: str) -> Read:
        """Return one read; of several records with one id, the first.

        Raises:
            KeyError: The file contains no read of this id.
            ReadDropped: The read is unusable.
        """
        if read_id not in self._number_of:
            raise KeyError(f"{self.path}: no read {read_id}")
        return self.record(self._number_of[read_id])

    def __enter__(self) -> Self:
        """Return the reader."""
        return self

    def __exit__(self, *exc: object) -> None:
        """Close the file."""
        self.close()

    @cached_property
    def _number_of(self) -> dict[str, int]:
        """Read id -> the first record with it."""
        numbers: dict[str, int] = {}
        for number, read_id in enumerate(self.read_ids):
            numbers.setdefault(read_id, number)
        return numbers
