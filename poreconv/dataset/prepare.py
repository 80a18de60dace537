"""Reads and labels -> a store: parallel over pieces of files, whole or not at all, going on where it was killed.

Two passes. The first, in several processes, reads, checks and labels, and leaves signal and events in parts. The second
knows all events, hence their median dwell, and writes the targets.
"""

import hashlib
import json
import shutil
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from poreconv.config import PrepareConfig, SplitConfig, require
from poreconv.dataset.guard import Guard
from poreconv.dataset.read_info import NOTHING, ReadInfo, read_info
from poreconv.dataset.splits import split_of
from poreconv.dataset.staging import Labelled, PartWriter, durations, ledger_of, read_part
from poreconv.dataset.store import SPLITS, Store, StoreInfo, StoreWriter
from poreconv.errors import ConfigError, LabelError, ReadDropped, StoreError
from poreconv.events.events import Events
from poreconv.events.resampling import resample_events
from poreconv.events.targets import classes_of, encode, stuck_after, whole_read
from poreconv.labels.combining import Agreement
from poreconv.labels.opening import Assigned, assign_files, each_kept, events_of, opened
from poreconv.labels.sources import LabelSource
from poreconv.reads.pieces import Job, plan, reads_of
from poreconv.reads.read import Read
from poreconv.reads.readers import find_files
from poreconv.reads.resampling import resample_read
from poreconv.reads.scaling import read_scale
from poreconv.runtime.executors import run_all
from poreconv.runtime.files import Parts, check_seen, fingerprint, whole_file
from poreconv.runtime.ledger import Ledger

LONGEST_DWELL = 1 << 16
"""Dwells are counted up to here for the median; longer ones count as this."""

SHARE_OF_LABELLING = 0.9
"""Of the time that a preparation takes, for its progress."""

Planned = tuple[Job, Path]
"""A job, and the file that its reads go into."""


@dataclass(frozen=True)
class Preparation:
    """What to prepare: all that decides the result."""

    files: tuple[Path, ...]
    labels: Assigned
    config: PrepareConfig
    guard: Guard | None = None
    """Decides which reads may go in; None: all may."""
    told_by: tuple[Path, ...] = ()
    """Files that tell quality and reference of reads."""

    def __post_init__(self) -> None:
        """Check that what the settings ask of each read is told somewhere."""
        config = self.config
        asked = {
            "filter.min_quality": config.filter.min_quality > 0,
            "split.by reference": config.split.by == "reference",
        }
        for setting, applies in asked.items():
            require(not applies or len(self.told_by) > 0, f"{setting}: nothing tells it; give --read_info calls.bam")

    @property
    def label_files(self) -> list[Path]:
        """Files of all label sources, the list of reads to keep, and what tells of reads."""
        listed = [self.config.filter.read_ids] if self.config.filter.read_ids else []
        return [*(path for _, files in self.labels for path in files), *listed, *self.told_by]

    @cached_property
    def plan(self) -> dict[str, Any]:
        """As JSON types, for telling whether a killed run was this one."""
        settings = json.loads(json.dumps(asdict(self.config), default=str))
        del settings["work"]  # where the jobs are done decides nothing
        guard = self.guard.to_json() if self.guard else ""
        inputs = [fingerprint(list(self.files)), fingerprint(self.label_files)]
        return {"inputs": inputs, "labels": self.sources, "config": settings, "guard": guard}

    @contextmanager
    def opened(self) -> Iterator["FirstPass"]:
        """Open the labels, and read what other files hold on the reads."""
        truth, keep = self.config.truth, self.config.filter
        tolerance = truth.agreement_samples
        agreement = None if tolerance is None else Agreement(self.config.task, tolerance)
        listed = None if keep.read_ids is None else _listed(keep.read_ids)
        with opened(self.labels, self.config.sources, agreement) as source:
            yield FirstPass(self, source, read_info(self.told_by), listed)

    @property
    def sources(self) -> list[str]:
        """Names of the label sources."""
        return [name for name, _ in self.labels]

    def provenance(self) -> dict[str, Any]:
        """What the store says of how it was made."""
        plan = self.plan
        digest = hashlib.sha256(json.dumps(plan, sort_keys=True).encode()).hexdigest()
        return {
            "poreconv_version": version("poreconv"),
            "files": len(self.files),
            "labels": self.sources,
            "labels_from": [str(path) for path in self.label_files],
            "config": plan["config"],
            "plan_hash": digest,
        }


def _listed(path: Path) -> frozenset[str]:
    try:
        return frozenset(path.read_text().split())
    except (OSError, UnicodeDecodeError) as exc:
        raise ConfigError(f"{path}: no list of read ids ({exc}); give a text file, one id per line") from exc


def prepare(
    paths: Sequence[Path],
    *,
    labels: str | Sequence[str],
    out: Path,
    labels_from: Sequence[Path | str] = (),
    config: PrepareConfig | None = None,
    read_info: Sequence[Path | str] = (),
    guard: Guard | None = None,
    progress: Callable[[float], None] = lambda share: None,
) -> Store:
    """Prepare a store from signal files and labels.

    Args:
        paths: Signal files and folders.
        labels: Name in ``LABEL_SOURCES``, or several: the first that has a label for a read counts.
        out: The store's folder; if this very preparation has made it before, it is opened.
        labels_from: The label sources' files; ``NAME=FILE`` where several sources read files.
        config: Task, split and processes.
        read_info: BAM files or sequencing summaries, for mean quality and reference; see `poreconv.dataset.read_info`.
        guard: Decides which reads may go in, such as those that a model has not seen in training; default: all may.
        progress: Told the share of the work that is done, 0 to 1.

    Returns:
        The open store.

    Raises:
        StoreError: ``out`` is something else, or no read was kept.
        PoreconvError: A file or table that cannot be used.
    """
    config = config or PrepareConfig()
    assigned = assign_files([labels] if isinstance(labels, str) else labels, labels_from)
    told_by = tuple(map(Path, read_info))
    preparation = Preparation(tuple(find_files(paths)), assigned, config, guard, told_by)
    if out.exists():
        return _finished(preparation, out)
    with preparation.opened() as first_pass:
        source_classes = first_pass.source.classes
        classes = classes_of(config.task, source_classes)
        with Parts(out, preparation.plan) as parts:
            jobs = [(job, parts.path(number, ".parquet")) for number, job in enumerate(plan(preparation.files))]
            _label_all(preparation, jobs, first_pass, progress)
    assembly = Assembly(preparation, classes, source_classes, [path for _, path in jobs])
    assembly.write(parts.folder / "store", progress)
    (parts.folder / "store").rename(out)
    parts.remove()
    return Store(out)


def _finished(preparation: Preparation, out: Path) -> Store:
    """The store that this very preparation has made before."""
    elsewhere = "remove it, or choose another --out"
    try:
        store = Store(out)
    except StoreError as exc:
        raise StoreError(f"{out}: exists already, and cannot be used ({exc}); {elsewhere}") from exc
    if store.info.provenance != json.loads(json.dumps(preparation.provenance())):
        raise StoreError(f"{out}: exists already, of other reads, labels or settings; {elsewhere}")
    if Parts.remain(out):  # it was killed when all was done
        Parts(out, preparation.plan).remove()
    return store


def _label_all(
    preparation: Preparation, jobs: list[Planned], first_pass: "FirstPass", progress: Callable[[float], None]
) -> None:
    left = [job for job in jobs if not job[1].exists()]
    opening = replace(preparation, files=()).opened  # a worker needs its own files only
    for done, _ in enumerate(run_all(opening, left, preparation.config.work, here=first_pass), start=1):
        progress(SHARE_OF_LABELLING * (len(jobs) - len(left) + done) / len(jobs))


@dataclass(frozen=True)
class FirstPass:
    """Labels reads, job by job: their signal and events, in one table for each job."""

    preparation: Preparation
    source: LabelSource
    read_info: Mapping[str, ReadInfo]
    listed: frozenset[str] | None
    """Ids of the reads to keep; None: all."""

    def __call__(self, planned: Planned) -> None:
        """Do a job."""
        job, out = planned
        check_seen(out.parent)
        ledger = Ledger()
        reads = reads_of(job, ledger, skip_bad_files=self.preparation.config.files.skip_bad_files)
        with whole_file(out) as path, PartWriter(path) as part:
            for _, one in each_kept(reads, self.source, ledger, self._labelled):
                part.append(one)
            part.finish(ledger)

    def _labelled(self, read: Read) -> Labelled:
        """A read and its events.

        Raises:
            ReadDropped: The read is flat, has no label or one that doesn't fit, or the guard doesn't admit it.
            MismatchError: The guard admits no read like it.
        """
        config, info = self.preparation.config, self.read_info.get(read.read_id, NOTHING)
        if self.preparation.guard is not None:
            self.preparation.guard.admit(read, info.reference)
        at_rate = resample_read(read, config.resample_hz or read.sample_rate_hz)
        scale = read_scale(at_rate)
        events = events_of(self.source, read)
        self._filter(read, info, events)
        if config.task == "read":
            events = whole_read(events, read)
        if at_rate is not read:
            events = _moved(events, read, at_rate, self.source.notes)
        return Labelled(_row(read, at_rate.sample_rate_hz, scale, info.reference, config.split), at_rate.adc, events)

    def _filter(self, read: Read, info: ReadInfo, events: Events) -> None:
        """Raise `ReadDropped` unless a read is to be kept."""
        keep, by_reference = self.preparation.config.filter, self.preparation.config.split.by == "reference"
        n_samples, covered = len(read.adc), int((events.coverage[:, 1] - events.coverage[:, 0]).sum())
        dropped = {
            "too_short": n_samples < keep.min_samples,
            "too_long": keep.max_samples is not None and n_samples > keep.max_samples,
            "little_labelled": covered < keep.min_labelled * n_samples,
            "not_listed": self.listed is not None and read.read_id not in self.listed,
            "no_quality": keep.min_quality > 0 and info.quality is None,
            "low_quality": info.quality is not None and info.quality < keep.min_quality,
            "no_reference": by_reference and not info.reference,
        }
        for reason, applies in dropped.items():
            if applies:
                raise ReadDropped(
                    f"{read.where}: {n_samples} samples, {covered} of them labelled, quality {info.quality}, reference"
                    f" {info.reference or None}: filtered",
                    reason=reason,
                )


def _row(
    read: Read, sample_rate_hz: float, scale: tuple[float, float], reference: str, split: SplitConfig
) -> dict[str, Any]:
    """What the store's index holds of a read.

    Args:
        read: As it was recorded.
        sample_rate_hz: Of the stored signal.
        scale: Its shift and scale, pA.
        reference: Name of the sequence that it was aligned to, or empty.
        split: Decides on which side it stands.
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
        "chemistry": read.chemistry,
        "reference": reference,
        "split": split_of(split, read_id=read.read_id, run_id=read.run_id, channel=read.channel, reference=reference),
        "source": str(read.source or ""),
    }


def _moved(events: Events, read: Read, new: Read, notes: Counter[str]) -> Events:
    """The events of a read on the same read at another sample rate; those left without a sample are counted."""
    moved = resample_events(events, len(read.adc), len(new.adc), new.sample_rate_hz / read.sample_rate_hz)
    if lost := len(events) - len(moved):
        notes["events_lost_in_resampling"] += lost
    return moved


@dataclass(frozen=True)
class Assembly:
    """Second pass: parts -> a store, in the order of the input."""

    preparation: Preparation
    classes: tuple[str, ...]
    """Of the task."""
    source_classes: tuple[str, ...]
    """Of the events."""
    parts: list[Path]

    def write(self, folder: Path, progress: Callable[[float], None]) -> None:
        """Write targets and the store's files into a new folder.

        Raises:
            StoreError: No read was kept.
        """
        task, median_dwell = self.preparation.config.task, _median_dwell(self.parts)
        longest = stuck_after(task, median_dwell)
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        ledger, counts = Ledger(), Counts(self.classes, of_reads=task == "read")
        with StoreWriter(folder) as writer:
            for one in self._unique(ledger, progress):
                target = encode(one.events, len(one.adc), task, longest)
                writer.append(one.row, one.adc, target)
                counts.add(one.row["split"], target, len(one.events))
                ledger.kept += 1
            if not ledger.kept:
                raise StoreError(f"no read was kept, so there is no store; {ledger.summary()}")
            writer.finish(self._info(median_dwell, longest, counts, ledger))

    def _unique(self, ledger: Ledger, progress: Callable[[float], None]) -> Iterator[Labelled]:
        """Reads of all parts, in order; a read id seen twice is dropped, and each part's ledger is added."""
        seen: set[str] = set()
        for done, path in enumerate(self.parts, start=1):
            ledger.merge(ledger_of(path))
            for one in read_part(path, self.source_classes):
                read_id, source = one.row["read_id"], one.row["source"]
                if read_id in seen:
                    twice = LabelError(f"{source}: read {read_id}: seen before", reason="duplicate")
                    ledger.drop(twice, read_id=read_id, source=source)
                    continue
                seen.add(read_id)
                yield one
            progress(SHARE_OF_LABELLING + (1 - SHARE_OF_LABELLING) * done / len(self.parts))

    def _info(self, median_dwell: float, longest: float, counts: "Counts", ledger: Ledger) -> StoreInfo:
        return StoreInfo(
            task=self.preparation.config.task,
            classes=self.classes,
            labels=tuple(self.preparation.sources),
            split=self.preparation.config.split,
            median_dwell=median_dwell,
            longest_event=None if np.isinf(longest) else longest,
            counts=counts.by_split,
            ledger=ledger.to_dict(),
            provenance=self.preparation.provenance(),
            resampled=self.preparation.config.resample_hz is not None,
        )


class Counts:
    """What stands in each split of a store; of each class its samples, or its reads (task `read`)."""

    def __init__(self, classes: tuple[str, ...], *, of_reads: bool) -> None:
        self._classes, self._of_reads = classes, of_reads
        zeros = dict.fromkeys(("reads", "samples", "events", *classes), 0)
        self.by_split: dict[str, dict[str, int]] = {split: dict(zeros) for split in SPLITS}

    def add(self, split: str, target: NDArray[np.int8], n_events: int) -> None:
        """Count one read."""
        here = self.by_split[split]
        counted = target[:1] if self._of_reads else target
        for index, name in enumerate(self._classes):
            here[name] += int(np.count_nonzero(counted == index))
        here["reads"] += 1
        here["samples"] += len(target)
        here["events"] += n_events


def _median_dwell(parts: list[Path]) -> float:
    """Median duration of all events of all parts, samples; 0 without events."""
    counts = np.zeros(LONGEST_DWELL + 1, np.int64)
    for dwell in (dwell for path in parts for dwell in durations(path)):
        some = np.bincount(np.minimum(dwell, LONGEST_DWELL))
        counts[: len(some)] += some
    cumulative = np.cumsum(counts)
    return float(np.searchsorted(cumulative, cumulative[-1] / 2))
