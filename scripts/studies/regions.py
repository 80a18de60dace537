"""The regions of RNA reads (adapter, poly(A) tail, transcript): true ones, cut tails, two rules, and scores."""

import uuid
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from poreconv.commands.tails import tail_in
from poreconv.config import IGNORE, SourceConfig
from poreconv.errors import LabelError
from poreconv.events.events import Events
from poreconv.events.tasks import task_named
from poreconv.labels.opening import open_labels
from poreconv.reads.read import Read
from poreconv.reads.readers import open_reads
from scripts.studies.sets import LabelledSet

CLASSES = ("adapter", "polya", "transcript")

WINDOW, FLAT = 100, 0.7
"""The rule: a tail is the longest stretch in which the current's SD over `WINDOW` samples is below `FLAT` times its
median over the read. Of 20 such rules, the one with the best IoU on the RNA002 reads."""

Regions = tuple[Read, Events]
"""A read and its regions."""


def true_regions(labelled: LabelledSet) -> dict[str, Regions]:
    """Read the reads whose regions are known: those whose tail its program does not doubt.

    Args:
        labelled: The set.

    Returns:
        Read id -> the read and its regions, ordered by read id.
    """
    found = {}
    labels = open_labels(labelled.labels, labelled.label_paths(), SourceConfig())
    with closing(labels), open_reads(labelled.reads_path()) as reads:
        for read in reads:
            try:
                events = labels.events(read)
            except LabelError:
                continue
            if events is not None:
                found[read.read_id] = read, events
    return dict(sorted(found.items()))


def cut(regions: Regions, share: float) -> Regions:
    """Shorten a read's tail, from its middle.

    Args:
        regions: The read and its regions.
        share: Of the tail that stays, both ends of it.

    Returns:
        The shorter read, under a read id of its own, and its regions.
    """
    read, events = regions
    tail = int(np.flatnonzero(events.label == CLASSES.index("polya"))[0])
    start, end = int(events.start[tail]), int(events.end[tail])
    left = round(share * (end - start) / 2)
    gone = end - start - 2 * left
    adc = np.concatenate([read.adc[: start + left], read.adc[end - left :]])
    first, last = (edge - gone * (edge >= end) for edge in (events.start, events.end))
    there = last > first
    shorter = Events.of(first[there], last[there], label=events.label[there], classes=CLASSES)
    return replace(read, read_id=str(uuid.uuid5(uuid.UUID(read.read_id), f"{share}")), adc=adc), shorter


@dataclass(frozen=True)
class Scores:
    """How near one read's regions are to the true ones."""

    start_error: float
    """Found minus true start of the tail, samples; NaN if none is there, or found."""
    end_error: float
    iou: NDArray[np.float64]
    """Of each of `CLASSES`, inside the coverage; 1 of a class that is neither there nor found."""


def score(truth: Regions, found: Events) -> Scores:
    """Compare a read's regions with the true ones.

    Args:
        truth: The read and its true regions.
        found: What was found in it.
    """
    read, events = truth
    true, here = (task_named("segment").target(one, len(read.adc)) for one in (events, found))
    here[true == IGNORE] = IGNORE
    both, either = (
        np.array([op(true == c, here == c).sum() for c in range(len(CLASSES))])
        for op in (np.logical_and, np.logical_or)
    )
    iou = np.where(either > 0, both / np.maximum(either, 1), 1.0)
    tail, true_tail = tail_in(found, 1.0), tail_in(events, 1.0)
    if min(tail.start, true_tail.start) < 0:
        return Scores(np.nan, np.nan, iou)
    return Scores(tail.start - true_tail.start, tail.end - true_tail.end, iou)


@dataclass(frozen=True)
class Summary:
    """Scores of several reads."""

    method: str
    reads: int
    tail_start_samples: float
    """Median distance, over the reads in which a tail was found; NaN if in none."""
    tail_end_samples: float
    iou: dict[str, float]
    """Class -> mean over reads."""
    mean_iou: float


def summary_of(method: str, scores: Sequence[Scores]) -> Summary:
    """Summarise the scores of several reads.

    Args:
        method: What found the regions.
        scores: One per read.
    """
    iou = np.mean([one.iou for one in scores], axis=0)
    start, end = (_median_distance([getattr(one, name) for one in scores]) for name in ("start_error", "end_error"))
    per_class = {name: float(value) for name, value in zip(CLASSES, iou, strict=True)}
    return Summary(method, len(scores), start, end, per_class, float(iou.mean()))


def _median_distance(errors: Sequence[float]) -> float:
    known = np.abs(errors)[np.isfinite(errors)]
    return float(np.median(known)) if len(known) else np.nan


def _flat_stretch(read: Read) -> Events:
    """The rule with `WINDOW` and `FLAT`."""
    pa = read.pa.astype(np.float64)
    windows = np.lib.stride_tricks.sliding_window_view(pa, WINDOW)
    sd = windows.std(axis=1)
    flat = np.concatenate([[False], sd < FLAT * np.median(sd), [False]])
    first, end = np.flatnonzero(np.diff(flat)).reshape(-1, 2).T
    longest = (end - first).argmax()
    return _regions_at(read, int(first[longest]), int(end[longest]) + WINDOW - 1)


def _all_transcript(read: Read) -> Events:
    """The class of most samples."""
    return _regions_at(read, 0, 0)


def _regions_at(read: Read, start: int, end: int) -> Events:
    """Adapter, tail, transcript, given the tail's place."""
    edge = np.array([0, start, end, len(read.adc)])
    there = np.flatnonzero(np.diff(edge))
    return Events.of(edge[there], edge[there + 1], label=there, classes=CLASSES)


RULES: dict[str, Callable[[Read], Events]] = {"flat stretch": _flat_stretch, "majority": _all_transcript}
"""Rules that learn nothing, to stand beside a model."""
