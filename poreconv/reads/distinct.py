"""One rule for reads that turn up several times, in one file or in several: each record is counted, each id used once.

Of the readable records with one id, the first in the order of the input is used, and every later one is dropped as
``duplicate``, whatever else could be found out about it. In a stream, and within a job, it is dropped before anything
is done with it. Jobs may be done at the same time by several processes: where their results are joined in order,
`JoinedJobs` takes out what a job found out about reads that an earlier one has used.
"""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from poreconv.errors import ReadDropped
from poreconv.reads.read import Read
from poreconv.runtime.ledger import Ledger

ReadSources = dict[str, Path | None]
"""Read id -> the file of the read that is used; None for a read made in memory."""


def first_of_each(reads: Iterable[Read], ledger: Ledger, used: ReadSources | None = None) -> Iterator[Read]:
    """Yield the first read of each id.

    Args:
        reads: Taken one at a time.
        ledger: Receives the others, as ``duplicate``.
        used: Receives the reads that are yielded.
    """
    used = {} if used is None else used
    for read in reads:
        if read.read_id in used:
            _drop(read.read_id, read.source, ledger)
            continue
        used[read.read_id] = read.source
        yield read


def _drop(read_id: str, source: Path | None, ledger: Ledger) -> None:
    message = f"{source or 'in memory'}: read {read_id}: duplicate id; the first record is used"
    ledger.drop(ReadDropped(message, reason="duplicate"), read_id=read_id, source=source)


@dataclass
class JobLedger:
    """What happened to the reads of one job."""

    reading: Ledger = field(default_factory=Ledger)
    """Records that are not analysed: unreadable ones, duplicates within the job, those that are not asked for."""
    analysis: Ledger = field(default_factory=lambda: Ledger(all_named=True))
    """Reads that the analysis dropped, all by id, and its notes."""
    used: ReadSources = field(default_factory=dict)
    """The reads that were analysed."""

    def distinct(self, reads: Iterable[Read]) -> Iterator[Read]:
        """Yield the first read of each id, for the analysis.

        Args:
            reads: The reads of the job, taken one at a time.
        """
        return first_of_each(reads, self.reading, self.used)


class JoinedJobs:
    """The jobs of a command, added in the order of the input."""

    def __init__(self) -> None:
        self.ledger = Ledger()
        """Of all jobs added; the reads that are kept are counted by `add`."""
        self._used: set[str] = set()

    def add(self, job: JobLedger, kept: Collection[str]) -> frozenset[str]:
        """Count what happened to the reads of a job.

        Args:
            job: Its ledger; what it contains about repeated reads is taken out.
            kept: Ids of the reads that it has results of.

        Returns:
            The ids of its reads that an earlier job has used: their results must be left out.
        """
        again = frozenset(job.used.keys() & self._used)
        job.analysis.take_out(again)
        self.ledger.merge(job.reading)
        self.ledger.merge(job.analysis)
        for read_id, source in job.used.items():
            if read_id in again:
                _drop(read_id, source, self.ledger)
        self.ledger.kept += sum(read_id not in again for read_id in kept)
        self._used.update(job.used)
        return again
