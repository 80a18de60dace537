"""The reads that the studio shows: what is known of each, and which ones a filter lets through."""

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from poreconv.reads.read import Read
from poreconv.reads.readers import ReadStream


@dataclass(frozen=True, slots=True)
class ReadEntry:
    """What the list of reads shows of one."""

    read_id: str
    n_samples: int
    sample_rate_hz: float
    chemistry: str
    channel: int
    source: Path
    """File that contains it."""


@dataclass(frozen=True, slots=True)
class ReadFilter:
    """Which reads to list; an empty text and 0 let every read through."""

    search: str = ""
    """Part of the id."""
    chemistry: str = ""
    channel: int = 0
    shortest: int = 0
    """Samples."""
    longest: int = 0
    """Samples."""
    marked: str = ""
    """``yes`` or ``no``."""

    def fits(self, entry: ReadEntry, marks: Mapping[str, int]) -> bool:
        """Return whether a read is to be listed.

        Args:
            entry: The read.
            marks: Number of its marks by kind; empty without one.
        """
        return (
            self.search.lower() in entry.read_id.lower()
            and self.chemistry in {"", entry.chemistry}
            and self.channel in {0, entry.channel}
            and entry.n_samples >= self.shortest
            and (not self.longest or entry.n_samples <= self.longest)
            and (not self.marked or (self.marked == "yes") == bool(marks))
        )


class Catalogue:
    """The list of reads, which grows in the background while the files are read.

    Args:
        reads: Used by the thread of `start` alone.
    """

    def __init__(self, reads: ReadStream) -> None:
        self._reads, self._entries = reads, dict[str, ReadEntry]()
        self._first, self._stopping = threading.Event(), threading.Event()
        self.problem: Exception | None = None
        """Why the files were not read to their end."""
        self.complete = False
        """Whether all files were read."""

    def start(self) -> None:
        """Begin to list the reads; return when the first is known, or there is none."""
        threading.Thread(target=self._fill, daemon=True, name="catalogue").start()
        self._first.wait()

    def _fill(self) -> None:
        try:
            with self._reads as reads:
                for read in reads:
                    self._entries[read.read_id] = _entry(read)
                    self._first.set()
                    if self._stopping.is_set():
                        return
        except Exception as exc:  # noqa: BLE001 - it is shown in the page, and raised by the command if no read is known
            self.problem = exc
        finally:
            self.complete = True
            self._first.set()

    def stop(self) -> None:
        """Stop listing."""
        self._stopping.set()

    def __len__(self) -> int:
        """Return the number of reads known so far."""
        return len(self._entries)

    def __getitem__(self, read_id: str) -> ReadEntry:
        """Return what is known of a read.

        Raises:
            KeyError: There is no such read.
        """
        return self._entries[read_id]

    def chemistries(self) -> list[str]:
        """Return the chemistries of the reads, sorted."""
        return sorted({entry.chemistry for entry in self._known()})

    def read_ids(self) -> list[str]:
        """Return the ids of the reads, in the order of the files."""
        return [entry.read_id for entry in self._known()]

    def listed(self, chosen: ReadFilter, marks: Mapping[str, Mapping[str, int]]) -> list[ReadEntry]:
        """Return the reads that a filter lets through, in the order of the files.

        Args:
            chosen: The filter.
            marks: Number of marks by kind, of each read that has any.
        """
        return [entry for entry in self._known() if chosen.fits(entry, marks.get(entry.read_id, {}))]

    def _known(self) -> Sequence[ReadEntry]:
        return list(self._entries.values())  # a copy: the thread goes on adding


def _entry(read: Read) -> ReadEntry:
    source = read.source or Path()
    chemistry = read.chemistry.code
    return ReadEntry(read.read_id, len(read.adc), read.sample_rate_hz, chemistry, read.channel, source)
