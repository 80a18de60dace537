"""Judging a model of boundaries without true ones: by how constant the current is within its events, and known levels.

Without an alignment a boundary cannot be right or wrong, but good boundaries cut the current into events that are
constant inside and differ from each other. Both can be had cheaply: by cutting everywhere, or by reporting only the
surest steps. So each baseline is set, read by read, to find as many boundaries as the model, in the same samples.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from poreconv.errors import ReadDropped, StoreError
from poreconv.evaluation.baselines.graded import Numbered
from poreconv.evaluation.judge import MOST_READS, ranked, spread, versions
from poreconv.evaluation.judged_part import JudgedPart
from poreconv.evaluation.known_levels import KnownLevels
from poreconv.evaluation.levels_presentation import LABELS
from poreconv.evaluation.metrics.levels import LevelsMetric, variance_of
from poreconv.evaluation.presentation import JUDGES
from poreconv.evaluation.result import MODEL, Evaluation, ReadScores, Scores
from poreconv.evaluation.words import BETWEEN, JUDGED
from poreconv.events.events import Events
from poreconv.events.levels import event_levels
from poreconv.inference.labeller import Labeller
from poreconv.pore_models.model import PoreModel
from poreconv.reads.read import Read
from poreconv.runtime.explaining import see
from poreconv.runtime.ledger import NOT_ASKED, Ledger
from poreconv.runtime.progress import Progress

WITHOUT, WITH_SEQUENCE = JUDGES


@dataclass(frozen=True)
class Sequences:
    """Where the sequences of reads come from, and the levels of their k-mers."""

    labels: Callable[[Read], Events]
    """Returns the coarse events of a read's bases; raises `ReadDropped` for a read without."""
    model: PoreModel


@dataclass(frozen=True)
class _Judged:
    """What was judged so far."""

    metrics: Mapping[str, LevelsMetric]
    reads: list[tuple[str, int]] = field(default_factory=list)
    """Id and length of each read."""
    samples: list[tuple[int, int]] = field(default_factory=list)
    """Judged samples of each read, and those from the model's first boundary to its last."""


def judge_levels(
    labeller: Labeller,
    reads: Iterable[Read],
    n_reads: int,
    baselines: Mapping[str, Numbered],
    ledger: Ledger,
    progress: Progress,
    sequences: Sequences | None = None,
) -> Evaluation:
    """Judge a model of boundaries and some baselines on the same samples of the same reads.

    Args:
        labeller: The model.
        reads: Reads that it may be judged on.
        n_reads: Number of reads that there are, for the progress.
        baselines: By name; see `numbered_baselines`.
        ledger: Records the reads that cannot be judged, and counts the others.
        progress: Called after each read with the share of the reads that is done.
        sequences: The reads' sequences, where events are to be compared with the levels of their k-mers.

    Raises:
        StoreError: No read is left to judge on.
    """
    known = sequences is not None
    names = (MODEL, *baselines, *([LABELS] if known else []))
    judged = _Judged({name: LevelsMetric(with_levels=known) for name in names})
    for read, probabilities_CT in labeller.with_probabilities(reads, ledger):
        found = labeller.decode(read, probabilities_CT)
        try:
            _judge_read(read, found, labeller, baselines, sequences, judged)
            ledger.kept += 1
        except ReadDropped as exc:
            ledger.drop(exc, read_id=read.read_id, source=read.source)
        done = ledger.reads_in - ledger.counts[NOT_ASKED]
        progress(done / max(n_reads, 1), f"{done:,} of {n_reads:,} reads")
    if not judged.reads:
        raise StoreError(f"no read is left to judge on; {ledger.summary()}{see(ledger.main_reason)}")
    return _evaluation(judged, labeller, ledger, WITH_SEQUENCE if known else WITHOUT)


def _judge_read(
    read: Read,
    found: Events,
    labeller: Labeller,
    baselines: Mapping[str, Numbered],
    sequences: Sequences | None,
    judged: _Judged,
) -> None:
    labels = None if sequences is None else sequences.labels(read)
    levels = None if sequences is None or labels is None else KnownLevels.of(read, labels, sequences.model)
    part = JudgedPart.of(read, found, labeller.recipe, None if levels is None else levels.intervals)
    n = part.n_inside(found.start)
    boundaries = {MODEL: found.start} | {name: find(read, part.spans, n) for name, find in baselines.items()}
    if labels is not None:
        boundaries[LABELS] = labels.start
    for name, places in boundaries.items():
        cut = part.cut(places)
        fit = None if levels is None else levels.fit(event_levels(read, cut)[0], cut)
        judged.metrics[name].update(variance_of(part.current, cut, n, read.sample_rate_hz), fit)
    judged.reads.append((read.read_id, len(read.adc)))
    judged.samples.append((part.n_samples, part.span_all))


def _evaluation(judged: _Judged, labeller: Labeller, ledger: Ledger, judge: str) -> Evaluation:
    samples, span_all = (sum(column) for column in zip(*judged.samples, strict=True))
    result = Evaluation(
        scores={name: Scores(metric.compute()) for name, metric in judged.metrics.items()},
        recipe=labeller.recipe,
        ledger=ledger,
        data={JUDGED: samples, BETWEEN: span_all},
        network=asdict(labeller.backend.size),
        versions=versions(),
        judge=judge,
    )
    result.reads.extend(_read_scores(judged, result))
    return result


def _read_scores(judged: _Judged, result: Evaluation) -> list[ReadScores]:
    of_reads: dict[str, Any] = {name: metric.per_read() for name, metric in judged.metrics.items()}
    keys, headline = result.presentation.read_scores, result.read_headline
    return [
        ReadScores(
            *judged.reads[i],
            Scores({key: float(of_reads[MODEL][key][i]) for key in keys}),
            Scores({name: float(scores[headline][i]) for name, scores in of_reads.items() if name != MODEL}),
        )
        for i in spread(ranked(of_reads[MODEL][headline]), MOST_READS)
    ]
