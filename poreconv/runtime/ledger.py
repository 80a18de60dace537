"""The drop ledger: reads in = reads kept + reads dropped, each with its reason."""

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from poreconv.errors import ReadDropped

NAMED_PER_REASON = 10_000
"""Dropped reads named per reason; beyond it they are only counted, so that memory stays bounded."""


@dataclass(frozen=True, slots=True)
class Drop:
    """One read or file that was not used, and why."""

    read_id: str
    """Empty where a whole file was passed over."""
    source: str
    reason: str
    detail: str


@dataclass
class Ledger:
    """What became of every read that a command met."""

    kept: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    """Dropped reads by reason."""
    named: list[Drop] = field(default_factory=list)
    """The drops by name, at most ``NAMED_PER_REASON`` of each reason."""
    bad_files: list[Drop] = field(default_factory=list)
    """Files passed over under ``--skip_bad_files``; how many reads they held is not known."""
    notes: Counter[str] = field(default_factory=Counter)
    """Things counted that are not reads, such as second records of a labelled read."""

    @property
    def dropped(self) -> int:
        """Number of reads dropped."""
        return self.counts.total()

    @property
    def reads_in(self) -> int:
        """Number of reads met."""
        return self.kept + self.dropped

    def drop(self, error: ReadDropped, *, read_id: str, source: Path | str | None) -> None:
        """Count one dropped read."""
        self._name(Drop(read_id, str(source or ""), error.reason, str(error)))

    def _name(self, drop: Drop) -> None:
        self.counts[drop.reason] += 1
        if self.counts[drop.reason] <= NAMED_PER_REASON:
            self.named.append(drop)

    def merge(self, other: "Ledger") -> None:
        """Add what another ledger, of other reads, has counted."""
        self.kept += other.kept
        self.notes.update(other.notes)
        self.bad_files.extend(other.bad_files)
        named = Counter(drop.reason for drop in other.named)
        for drop in other.named:
            self._name(drop)
        self.counts.update(other.counts - named)

    def to_dict(self) -> dict[str, Any]:
        """As plain JSON types."""
        return {
            "reads_in": self.reads_in,
            "kept": self.kept,
            "dropped": dict(sorted(self.counts.items())),
            "notes": dict(sorted(self.notes.items())),
            "drops": [[d.read_id, d.source, d.reason, d.detail] for d in self.named],
            "bad_files": [[d.source, d.detail] for d in self.bad_files],
        }

    @classmethod
    def from_dict(cls, plain: dict[str, Any]) -> Self:
        """The inverse of `to_dict`."""
        return cls(
            kept=int(plain["kept"]),
            counts=Counter({str(k): int(v) for k, v in plain["dropped"].items()}),
            named=[Drop(*map(str, row)) for row in plain["drops"]],
            bad_files=[Drop("", str(source), "bad_file", str(detail)) for source, detail in plain["bad_files"]],
            notes=Counter({str(k): int(v) for k, v in plain["notes"].items()}),
        )

    def summary(self) -> str:
        """One line: reads in, kept, dropped by reason."""
        reasons = ", ".join(f"{reason} {n:,}" for reason, n in self.counts.most_common())
        line = f"reads in {self.reads_in:,} = kept {self.kept:,} + dropped {self.dropped:,}"
        line += f" ({reasons})" if reasons else ""
        line += f"; files passed over {len(self.bad_files):,}" if self.bad_files else ""
        notes = ", ".join(f"{what} {n:,}" for what, n in sorted(self.notes.items()))
        return line + (f"; {notes}" if notes else "")
