"""The drop ledger: reads in = reads kept + reads dropped, each drop with its reason."""

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, NamedTuple, Self

from poreconv.errors import ReadDropped

NOT_ASKED = "not_asked"
"""Reason of reads that a command was asked to leave out: they are not in the list, or come after the first N. They are
only counted."""

NAMED_PER_REASON = 10_000
"""Largest number of dropped reads listed by id per reason; further ones are only counted, to limit the memory."""


class Drop(NamedTuple):
    """One read or file that was not used, and why."""

    read_id: str
    """Empty for a skipped file."""
    source: str
    """The file."""
    reason: str
    """Short name under which it is counted, such as ``flat``."""
    detail: str
    """The error's message."""


@dataclass(frozen=True)
class LedgerRecord:
    """A ledger as JSON contains it."""

    reads_in: int
    kept: int
    dropped: dict[str, int]
    """Reason -> number of reads."""
    notes: dict[str, int]
    drops: list[Drop]
    bad_files: list[tuple[str, str]]
    """File and detail of each."""
    settings: dict[str, Any] = field(default_factory=dict)
    """What decided the results of a command, besides its files."""


class Ledger:
    """The number of reads that a command kept, and of those that it dropped, by reason.

    Args:
        kept: Number of reads that were used.
        all_named: Whether all dropped reads are listed by id, not only `NAMED_PER_REASON` of each reason.
    """

    RECORD: ClassVar[Any] = LedgerRecord

    def __init__(self, kept: int = 0, *, all_named: bool = False) -> None:
        self.kept: int = kept
        self._all_named = all_named
        self.counts: Counter[str] = Counter()
        """Number of dropped reads, by reason."""
        self.named: list[Drop] = []
        """The dropped reads by id, a limited number of each reason."""
        self.bad_files: list[Drop] = []
        """Files skipped under ``--skip_bad_files``; the number of their reads is not known."""
        self.notes: Counter[str] = Counter()
        """Counts of other things than reads, such as second records of a labelled read."""
        self.settings: dict[str, Any] = {}
        """What decided the results of the command, besides its files, as JSON types."""

    @property
    def dropped(self) -> int:
        """Number of reads dropped."""
        return self.counts.total()

    @property
    def reads_in(self) -> int:
        """Number of reads, kept and dropped."""
        return self.kept + self.dropped

    @property
    def main_reason(self) -> str:
        """The most frequent reason, apart from `NOT_ASKED`; empty if there is none."""
        return next((reason for reason, _ in self.counts.most_common() if reason != NOT_ASKED), "")

    def drop(self, error: ReadDropped, *, read_id: str, source: Path | str | None) -> None:
        """Count one dropped read.

        Args:
            error: Why it is dropped.
            read_id: Its id.
            source: Its file; None for a read made in memory.
        """
        self._name(Drop(read_id, str(source or ""), error.reason, str(error)))

    def count(self, reason: str, n_reads: int) -> None:
        """Count dropped reads without naming them.

        Args:
            reason: Short name under which they are counted.
            n_reads: Their number.
        """
        if n_reads:
            self.counts[reason] += n_reads

    def _name(self, drop: Drop) -> None:
        self.counts[drop.reason] += 1
        if self._all_named or self.counts[drop.reason] <= NAMED_PER_REASON:
            self.named.append(drop)

    def take_out(self, read_ids: Collection[str]) -> None:
        """Forget the dropped reads that are listed by id and have one of some ids.

        Args:
            read_ids: The ids.
        """
        self.counts.subtract(Counter(drop.reason for drop in self.named if drop.read_id in read_ids))
        self.counts = +self.counts
        self.named = [drop for drop in self.named if drop.read_id not in read_ids]

    def merge(self, other: "Ledger") -> None:
        """Add the counts of another ledger.

        Args:
            other: A ledger of other reads.
        """
        self.kept += other.kept
        self.notes.update(other.notes)
        self.bad_files.extend(other.bad_files)
        named = Counter(drop.reason for drop in other.named)
        for drop in other.named:
            self._name(drop)
        self.counts.update(other.counts - named)

    def to_record(self) -> LedgerRecord:
        """Return what JSON contains of the ledger."""
        return LedgerRecord(
            reads_in=self.reads_in,
            kept=self.kept,
            dropped=dict(sorted(self.counts.items())),
            notes=dict(sorted(self.notes.items())),
            drops=self.named,
            bad_files=[(drop.source, drop.detail) for drop in self.bad_files],
            settings=self.settings,
        )

    @classmethod
    def from_record(cls, record: LedgerRecord) -> Self:
        """Return the ledger that JSON contains.

        Args:
            record: What `to_record` returned.
        """
        ledger = cls(record.kept)
        ledger.counts.update(record.dropped)
        ledger.named.extend(record.drops)
        ledger.bad_files.extend(Drop("", source, "bad_file", detail) for source, detail in record.bad_files)
        ledger.notes.update(record.notes)
        ledger.settings = record.settings
        return ledger

    def __eq__(self, other: object) -> bool:
        """Return whether two ledgers have counted and named the same."""
        return isinstance(other, Ledger) and self.to_record() == other.to_record()

    __hash__: ClassVar[None] = None  # type: ignore[assignment]  # it changes

    def summary(self) -> str:
        """Return one line: reads in, kept, and dropped by reason; skipped files; notes."""
        reasons = ", ".join(f"{reason} {n:,}" for reason, n in self.counts.most_common())
        line = f"reads in {self.reads_in:,} = kept {self.kept:,} + dropped {self.dropped:,}"
        line += f" ({reasons})" if reasons else ""
        line += f"; files passed over {len(self.bad_files):,}" if self.bad_files else ""
        notes = ", ".join(f"{what} {n:,}" for what, n in sorted(self.notes.items()))
        return line + (f"; {notes}" if notes else "")
