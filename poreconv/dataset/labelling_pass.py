"""First pass of a preparation: read, check and label the reads of each job, and stage them in one file per job."""

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from poreconv.config import SplitConfig
from poreconv.dataset.preparation import Preparation
from poreconv.dataset.read_info import UNKNOWN, ReadInfo, read_info
from poreconv.dataset.splits import split_of
from poreconv.dataset.staging import LabelledRead, StagedWriter
from poreconv.errors import ReadDropped
from poreconv.events.events import Events
from poreconv.events.resampling import resample_events
from poreconv.labels.combining import Agreement
from poreconv.labels.opening import events_of, kept_reads, opened
from poreconv.labels.sources import LabelSource
from poreconv.reads.distinct import JobLedger
from poreconv.reads.pieces import Job, LastFile, reads_of
from poreconv.reads.read import Read
from poreconv.reads.resampling import resample_read
from poreconv.reads.scaling import read_scale
from poreconv.reads.selection import Selection
from poreconv.runtime.files import check_seen, whole_file

StagedJob = tuple[Job, Path]
"""A job, and the file in which its reads are staged."""


@dataclass(frozen=True)
class LabellingPass:
    """Labels the reads of a job and stages them; made by `open_labelling`."""

    preparation: Preparation
    source: LabelSource
    """The open label source, or several as one."""
    read_info: Mapping[str, ReadInfo]
    """Mean quality and reference, by read id."""
    asked: frozenset[str] | None
    """Ids of the reads that are asked for; None: all."""
    last_file: LastFile
    """Keeps a large file open from one job to the next."""

    def __call__(self, staged_job: StagedJob) -> None:
        """Do a job.

        Args:
            staged_job: The job and its file.
        """
        job, out = staged_job
        check_seen(out.parent)
        ledger = JobLedger()
        skip = self.preparation.config.files.skip_bad_files
        reads = reads_of(job, ledger.reading, skip_bad_files=skip, asked=self.asked, last_file=self.last_file)
        with whole_file(out) as path, StagedWriter(path) as staged:
            for _, labelled in kept_reads(ledger.distinct(reads), self.source, ledger.analysis, self._labelled):
                staged.append(labelled)
            staged.finish(ledger)

    def _labelled(self, read: Read) -> LabelledRead:
        """Label a read and resample it, if the settings ask for it.

        Raises:
            ReadDropped: The read is flat, has no label or one that doesn't fit, or the guard doesn't admit it.
        """
        config, info = self.preparation.config, self.read_info.get(read.read_id, UNKNOWN)
        if self.preparation.guard is not None:
            self.preparation.guard.admit(read, info.reference)
        at_rate = resample_read(read, config.resample_hz or read.sample_rate_hz)
        scale = read_scale(at_rate)
        events = events_of(self.source, read, may_be_empty=self.preparation.task.needs_starts)
        self._filter(read, info, events)
        events = self.preparation.task.labels(events, read)
        if at_rate is not read:
            events = _resampled(events, read, at_rate, self.source.notes)
        row = _index_row(read, at_rate.sample_rate_hz, scale, info.reference, config.split)
        return LabelledRead(row, at_rate.counts, events)

    def _filter(self, read: Read, info: ReadInfo, events: Events) -> None:
        """Raise `ReadDropped` if a filter removes the read."""
        keep, by_reference = self.preparation.config.filter, self.preparation.config.split.by == "reference"
        n_samples, covered = len(read.adc), int((events.coverage[:, 1] - events.coverage[:, 0]).sum())
        dropped = {
            "too_short": n_samples < keep.min_samples,
            "too_long": keep.max_samples is not None and n_samples > keep.max_samples,
            "little_labelled": covered < keep.min_labelled * n_samples,
            "no_quality": keep.min_quality > 0 and info.quality is None,
            "low_quality": info.quality is not None and info.quality < keep.min_quality,
            "no_reference": by_reference and not info.reference,
        }
        for reason, applies in dropped.items():
            if applies:
                raise ReadDropped(
                    f"{read.where}: removed by a filter ({reason}): {n_samples} samples, {covered} of them labelled, "
                    f"quality {info.quality}, reference {info.reference or None}",
                    reason=reason,
                )


@contextmanager
def open_labelling(preparation: Preparation) -> Iterator[LabellingPass]:
    """Open the label sources, and read the other files that describe the reads; called once in each process.

    Args:
        preparation: What is prepared.

    Raises:
        ConfigError: The list of read ids cannot be read, or the label sources cannot be opened as asked.
        FormatError: A file of labels, or of quality and reference, is not in its format.
    """
    tolerance = preparation.config.truth.agreement_samples
    agreement = None if tolerance is None else Agreement(preparation.task, tolerance)
    asked = Selection.of(preparation.config.files).ids
    with opened(preparation.labels, preparation.config.sources, agreement) as source, LastFile() as last_file:
        yield LabellingPass(preparation, source, read_info(preparation.info_files), asked, last_file)


def _index_row(
    read: Read, sample_rate_hz: float, scale: tuple[float, float], reference: str, split: SplitConfig
) -> dict[str, Any]:
    """Make a read's row of the store's index.

    Args:
        read: As it was recorded.
        sample_rate_hz: Of the stored signal.
        scale: Its shift and scale, pA.
        reference: Name of the sequence that it was aligned to, or empty.
        split: The rule that decides which split the read belongs to.
    """
    return {
        "read_id": read.read_id,
        "shift_pa": scale[0],
        "scale_pa": scale[1],
        "calibration_offset": read.calibration.offset,
        "calibration_scale": read.calibration.scale,
        "sample_rate_hz": sample_rate_hz,
        "recorded_hz": read.sample_rate_hz,
        "run_id": read.run_id,
        "channel": read.channel,
        "chemistry": read.chemistry.code,
        "reference": reference,
        "split": split_of(split, read_id=read.read_id, run_id=read.run_id, channel=read.channel, reference=reference),
        "source": str(read.source or ""),
    }


def _resampled(events: Events, read: Read, at_rate: Read, notes: Counter[str]) -> Events:
    """Move a read's events to the resampled read; count those that are left without a sample."""
    moved = resample_events(events, len(read.adc), len(at_rate.adc), at_rate.sample_rate_hz / read.sample_rate_hz)
    if lost := len(events) - len(moved):
        notes["events_lost_in_resampling"] += lost
    return moved
