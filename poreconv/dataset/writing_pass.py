"""Second pass of a preparation: staged reads -> a store; all events are known now, hence their median dwell."""

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from poreconv.config import SplitConfig
from poreconv.dataset.preparation import Preparation
from poreconv.dataset.split_counts import SplitCounts
from poreconv.dataset.splits import SplitName, group_of, intervals, moved_groups
from poreconv.dataset.staging import LabelledRead, StagedFile, staged_files
from poreconv.dataset.store import StoreInfo
from poreconv.dataset.store_writer import StoreWriter
from poreconv.errors import StoreError
from poreconv.runtime.explaining import see
from poreconv.runtime.ledger import Ledger

LONGEST_DWELL = 1 << 16
"""Dwells up to this many samples are counted for the median; longer ones count as this long."""


@dataclass(frozen=True)
class WritingPass:
    """Writes the store, with the reads in the order of the input."""

    preparation: Preparation
    classes: tuple[str, ...]
    """Of the task."""
    source_classes: tuple[str, ...]
    """Of the staged events."""
    staged: list[Path]
    """The staged file of each job, in order."""

    def write(self, folder: Path, progress: Callable[[float], None]) -> None:
        """Write targets and the store's files into a new folder.

        Args:
            folder: Removed first if it is there.
            progress: Called with the share of this pass that is done, 0 to 1.

        Raises:
            StoreError: No read was kept.
        """
        staged, ledger = staged_files(self.staged)
        task, median_dwell = self.preparation.task, _median_dwell(staged)
        longest = task.longest_event(median_dwell)
        moved = _moved(staged, self.preparation.config.split)
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        counts = SplitCounts(self.classes, task)
        with StoreWriter(folder, task) as writer:
            for read in self._reads(staged, progress):
                target = task.target(read.events, len(read.adc), longest)
                split = moved.get(_group(read.row, self.preparation.config.split), read.row["split"])
                writer.append(read.row | {"split": split}, read.adc, target)
                counts.add(split, target, len(read.events))
                ledger.kept += 1
            if not ledger.kept:
                cause = next((f"; {drop.detail}" for drop in ledger.named if drop.reason != "no_label"), "")
                more = f"{cause}{see(ledger.main_reason)}"
                raise StoreError(f"no read was kept, so no store was written; {ledger.summary()}{more}")
            writer.finish(self._info(median_dwell, longest, counts, ledger, moved))

    def _reads(self, staged: list[StagedFile], progress: Callable[[float], None]) -> Iterator[LabelledRead]:
        for done, file in enumerate(staged, start=1):
            yield from file.reads(self.source_classes)
            progress(done / len(staged))

    def _info(
        self, median_dwell: float, longest: float, counts: SplitCounts, ledger: Ledger, moved: dict[str, SplitName]
    ) -> StoreInfo:
        return StoreInfo(
            task=self.preparation.config.task,
            classes=self.classes,
            labels=self.preparation.truth,
            split=self.preparation.config.split,
            median_dwell=median_dwell,
            longest_event=None if np.isinf(longest) else longest,
            counts=counts.by_split,
            ledger=ledger,
            provenance=self.preparation.provenance(),
            resampled=self.preparation.config.resample_hz is not None,
            moved=moved,
        )


def _moved(staged: list[StagedFile], config: SplitConfig) -> dict[str, SplitName]:
    """Choose what is moved into a split that would be empty; reads staged files only until no split is."""
    groups, splits = set[str](), set[str]()
    for file in staged:
        for row in file.rows(["read_id", "run_id", "channel", "reference", "split"]):
            groups.add(_group(row, config))
            splits.add(row["split"])
        if splits >= intervals(config).keys():
            return {}
    return moved_groups(config, groups)


def _group(row: dict[str, Any], config: SplitConfig) -> str:
    return group_of(
        config.by,
        read_id=row["read_id"],
        run_id=row["run_id"],
        channel=row["channel"],
        reference=row["reference"],
    )


def _median_dwell(staged: list[StagedFile]) -> float:
    """Return the median duration of all staged events, samples; 0 without events."""
    counts = np.zeros(LONGEST_DWELL + 1, np.int64)
    for dwell in (dwell for file in staged for dwell in file.durations()):
        of_read = np.bincount(np.minimum(dwell, LONGEST_DWELL))
        counts[: len(of_read)] += of_read
    cumulative = np.cumsum(counts)
    return float(np.searchsorted(cumulative, cumulative[-1] / 2))
