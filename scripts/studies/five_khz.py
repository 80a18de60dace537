"""How good is a model of R10.4.1 at 5 kHz, for which no labelled read may be used?

Usage: python -m scripts.studies.five_khz [--model dna_r10.4.1_5khz_boundary] [--json five_khz.json]

Twice, as Markdown tables. With a truth: the reads of `dna_r1041_4khz_remora`, f5c's boundaries, brought to 5 kHz, as
they are and with ends as a sequencer of today writes them: 0 pA, then open pore, before the molecule, and both behind
it. Without one: on reads that were recorded at 5 kHz, how constant the current is within the model's events, and how
far it jumps between them, beside detectors that find as many events in each read. A changepoint detector minimises the
variance within a given number of events: by that ratio nothing can be better. The sets are looked for in
$PORECONV_DATA, else in ../shared/data.
"""

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from poreconv.commands.evaluate import evaluate
from poreconv.config import EvaluateConfig, SourceConfig
from poreconv.errors import ReadDropped
from poreconv.evaluation.metrics import BoundaryMetric
from poreconv.events.events import Events
from poreconv.events.resampling import resample_events
from poreconv.events.targets import boundaries, known_starts
from poreconv.events.tasks import task_named
from poreconv.inference.labeller import Labeller, load
from poreconv.labels.opening import events_of, open_labels
from poreconv.reads.read import Read
from poreconv.reads.readers import open_reads
from poreconv.reads.resampling import resample_read
from scripts.studies.results import MarkdownTable, required_data, study_parser, write_results
from scripts.studies.sets import REMORA

RATE_HZ = 5000.0
UNLABELLED = "dna_r1041_5khz_unlabelled"
OPEN_PORE_PA, QUIET_PA = 210.0, 1.5
"""Mean and SD of the open pore's current."""
ENDS_S = {"none": 0.0, "0.5 s": 0.25, "4 s": 2.0}
"""Name -> duration of 0 pA, and of open pore, at either end."""


@dataclass(frozen=True)
class WithEnds:
    """What a model has on reads with ends."""

    ends: str
    scores: dict[str, float]


def at_5khz(read: Read, events: Events) -> tuple[Read, Events]:
    """Bring a read and its events to 5 kHz.

    Args:
        read: A read of any rate.
        events: Its events.
    """
    faster = resample_read(read, RATE_HZ)
    ratio = RATE_HZ / read.sample_rate_hz
    return faster, resample_events(events, len(read.adc), len(faster.adc), ratio)


def with_ends(read: Read, target: NDArray[np.int8], duration_s: float) -> tuple[Read, NDArray[np.int8]]:
    """Put 0 pA and open pore before a read, and behind it.

    Args:
        read: The read.
        target: Its target, shape ``(n_samples,)``.
        duration_s: Of either, at either end, seconds.

    Returns:
        The longer read and its target, which ignores the ends.
    """
    n = round(duration_s * read.sample_rate_hz)
    rng = np.random.default_rng(0)
    current_pa = np.concatenate([np.zeros(n), OPEN_PORE_PA + QUIET_PA * rng.standard_normal(n)])
    end = np.round(current_pa / read.calibration.scale - read.calibration.offset).astype(np.int16)
    ignored = np.full(2 * n, -1, np.int8)
    longer = replace(read, adc=np.concatenate([end, read.counts, end[::-1]]))
    return longer, np.concatenate([ignored, target, ignored])


def _with_truth(labeller: Labeller) -> list[WithEnds]:
    task, metrics = task_named("boundary"), {name: BoundaryMetric() for name in ENDS_S}
    labels = open_labels(REMORA.labels, REMORA.label_paths(), SourceConfig())
    with closing(labels), open_reads(REMORA.reads_path()) as reads:
        for recorded in reads:
            try:
                read, events = at_5khz(recorded, events_of(labels, recorded))
            except ReadDropped:
                continue
            longest = task.longest_event(float(np.median(events.duration)))
            target = task.target(events, len(read.adc), longest)
            for name, duration_s in ENDS_S.items():
                longer, of_longer = with_ends(read, target, duration_s)
                metrics[name].update(boundaries(of_longer), known_starts(labeller(longer), of_longer))
    kept = ("f1_0", "f1_1", "f1_1_low", "f1_1_high", "f1_2", "r_value", "over_segmentation", "n_reads")
    return [
        WithEnds(name, {key: float(value) for key, value in metric.compute().items() if key in kept})
        for name, metric in metrics.items()
    ]


def main(arguments: Sequence[str] | None = None) -> None:
    """Judge, print and write.

    Args:
        arguments: Of the command line; default: those of this process.
    """
    parser = study_parser("five_khz", __doc__)
    parser.add_argument("--model", default="dna_r10.4.1_5khz_boundary", help="name, or file; default: %(default)s")
    chosen = parser.parse_args(arguments)
    data = required_data(REMORA.name, UNLABELLED)
    found = _with_truth(load(chosen.model))
    table = MarkdownTable("ends", "reads", "exact", "±1", "±2", "R")
    for one in found:
        numbers = (f"{one.scores[key]:.3f}" for key in ("f1_0", "f1_1", "f1_2", "r_value"))
        table.add(one.ends, f"{one.scores['n_reads']:.0f}", *numbers)
    judged = evaluate(chosen.model, data / UNLABELLED, config=EvaluateConfig(judge="levels"))
    table = MarkdownTable("", *judged.columns)
    for method, scores in judged.scores.items():
        table.add(method, *(f"{scores[key]:.3f}" for key in judged.columns.values()))
    write_results(chosen, {"with truth": found, "without": judged.scores, "reads": judged.ledger.summary()})


if __name__ == "__main__":
    main()
