"""Does what is not the molecule change what a model finds in the rest of a read?

Usage: python -m scripts.studies.splicing [--reads 5] [--stream] [--json splicing.json]

Open pore, blockades and so on are spliced into reads that no model was trained on: at the start, in the middle, behind,
for half and for all of the read's length. Prints a Markdown table: F1 of boundaries within one sample in the read's own
part, less that of the read as it is; the largest loss and gain over the six. With --stream the reads are pushed in
pieces of 400 samples, and boundaries count from 5,000 samples after the part on. The sets are looked for in
$PORECONV_DATA, else in ../shared/data.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from poreconv.config import InferenceConfig, SourceConfig
from poreconv.errors import ReadDropped
from poreconv.evaluation.metrics import BoundaryMetric
from poreconv.events.events import Events
from poreconv.events.targets import boundaries
from poreconv.events.tasks import task_named
from poreconv.inference.labeller import Labeller, load
from poreconv.inference.streaming.labeller import StreamingLabeller
from poreconv.labels.opening import events_of, open_labels
from poreconv.reads.read import Read
from poreconv.reads.readers import open_reads
from scripts.studies.results import MarkdownTable, study_parser, write_results
from scripts.studies.sets import ECOLI, LAMBDA, REMORA, LabelledSet

JUDGED = (
    (LAMBDA, "dna_r9.4.1_boundary_fast"),
    (ECOLI, "dna_r9.4.1_boundary_fast"),
    (REMORA, "dna_r10.4.1_boundary_fast"),
)
"""Sets, each with a model that was trained on none of the reads taken."""

SHORTEST, LONGEST = 8_000, 70_000
"""Lengths of the reads taken, samples."""

SHARES, PLACES = (0.5, 1.0), ("start", "middle", "behind")
"""Lengths of the part, in lengths of the read, and where it stands."""

PIECE, SETTLED = 400, 5000
"""With --stream: samples pushed at a time, and samples after the part from which boundaries count."""

QUIET_PA = 1.5
"""SD of quiet parts."""

Part = Callable[[np.random.Generator, int], NDArray[np.float64]]
"""Makes the current of a part of so many samples, pA."""


def _level(level_pa: float, sd_pa: float) -> Part:
    return lambda rng, n: level_pa + sd_pa * rng.standard_normal(n)


def _bursts(rng: np.random.Generator, n: int) -> NDArray[np.float64]:
    return np.where(np.arange(n) // 500 % 2, 40, 220) + QUIET_PA * rng.standard_normal(n)


def _spikes(rng: np.random.Generator, n: int) -> NDArray[np.float64]:
    spiked = rng.random(n) < 0.01
    return np.where(spiked, rng.choice([-400, 600], n), 80 + QUIET_PA * rng.standard_normal(n))


def _jumps(rng: np.random.Generator, n: int) -> NDArray[np.float64]:
    return np.repeat(rng.uniform(20, 230, n // 100 + 1), 100)[:n] + QUIET_PA * rng.standard_normal(n)


PARTS: dict[str, Part] = {
    "open pore, 220 pA": _level(220, QUIET_PA),
    "blockade, 25 pA": _level(25, QUIET_PA),
    "0 pA": _level(0, QUIET_PA),
    "drift, 180 to 260 pA": lambda rng, n: np.linspace(180, 260, n) + 4 * rng.standard_normal(n),
    "noisy open pore": _level(220, 12),
    "noisy blockade": _level(30, 20),
    "bursts": _bursts,
    "spikes": _spikes,
    "jumps": _jumps,
}
"""What is spliced in."""


@dataclass(frozen=True)
class Spliced:
    """A read with a part spliced in."""

    read: Read
    start: int
    """First sample of the part."""
    n_samples: int
    """Length of the part."""

    def own(self, found: Events, first: int = 0) -> NDArray[np.int64]:
        """Return the boundaries that were found in the read's own samples, as samples of the read as it was.

        Args:
            found: Events of the spliced read.
            first: Samples of the spliced read before this one do not count.
        """
        place = found.start[found.start >= first]
        before, after = place[place < self.start], place[place >= self.start + self.n_samples] - self.n_samples
        return np.concatenate([before, after])


def splice(read: Read, seed: int, *, part: Part, share: float, place: str) -> Spliced:
    """Put a part into a read.

    Args:
        read: The read.
        seed: Of what is drawn.
        part: What makes it.
        share: Its length, in lengths of the read.
        place: ``start``, ``middle`` or ``behind``.
    """
    n, scale = int(share * len(read.adc)), read.calibration.scale
    start = {"start": 0, "middle": len(read.adc) // 2, "behind": len(read.adc)}[place]
    adc = np.round(part(np.random.default_rng(seed), n) / scale - read.calibration.offset).clip(-(2**15), 2**15 - 1)
    joined = np.concatenate([read.counts[:start], adc.astype(np.int16), read.counts[start:]])
    return Spliced(replace(read, adc=joined), start, n)


def labelled(one: LabelledSet, labeller: Labeller, most: int) -> Iterator[tuple[Read, NDArray[Any]]]:
    """Yield reads that the model was not trained on, and their targets.

    Args:
        one: The set.
        labeller: The model.
        most: Number of reads.
    """
    task, n_reads = task_named("boundary"), 0
    with (
        open_reads(one.reads_path()) as reads,
        closing(open_labels(one.labels, one.label_paths(), SourceConfig())) as source,
    ):
        for read in reads:
            if n_reads == most or not SHORTEST < len(read.adc) < LONGEST:
                continue
            try:
                labeller.recipe.check_unseen(read)
                events = events_of(source, read)
            except ReadDropped:
                continue
            n_reads += 1
            yield read, task.target(events, len(read.adc))


def _streamed(labeller: Labeller, read: Read) -> Events:
    streaming = StreamingLabeller(labeller)
    streaming.start(read)
    found = [streaming.push(read.counts[i : i + PIECE]) for i in range(0, len(read.adc), PIECE)]
    starts = np.concatenate([events.start for events in [*found, streaming.finish()]])
    return Events.of(starts, starts + 1)


def f1(
    labeller: Labeller,
    reads: list[tuple[Read, NDArray[Any]]],
    cut: Callable[[Read, int], Spliced],
    *,
    stream: bool,
) -> float:
    """Return F1 within one sample of the reads' own parts.

    Args:
        labeller: The model.
        reads: Reads and their targets.
        cut: Splices a part into a read of this number.
        stream: Push the reads in pieces; then boundaries count from `SETTLED` samples after the part on.
    """
    metric = BoundaryMetric()
    for number, (read, target) in enumerate(reads):
        spliced = cut(read, number)
        first = spliced.start + spliced.n_samples + SETTLED if stream else 0
        found = _streamed(labeller, spliced.read) if stream else labeller(spliced.read)
        own, true = spliced.own(found, first), boundaries(target)
        counts_from = max(first - spliced.n_samples, 0)
        metric.update(true[true >= counts_from], own[target[own] >= 0])
    return float(metric.compute()["f1_1"])


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure what the parts change, print and write.

    Args:
        arguments: Of the command line; default: those of this process.
    """
    parser = study_parser("splicing", __doc__)
    parser.add_argument("--reads", type=int, default=5, help="reads of each set; default: %(default)s")
    parser.add_argument("--stream", action="store_true", help="push the reads in pieces")
    chosen = parser.parse_args(arguments)
    names = [f"{one.name}, {model}" for one, model in JUDGED]
    table, results = MarkdownTable("part", *names), dict[str, dict[str, list[float]]]()
    models = [(one, load(model, InferenceConfig(precision="32"), device="cpu")) for one, model in JUDGED]
    sets = [(labeller, list(labelled(one, labeller, chosen.reads))) for one, labeller in models]
    places = PLACES[:2] if chosen.stream else PLACES
    for name, part in PARTS.items():
        results[name] = {
            of: _changes(labeller, reads, part, places, stream=chosen.stream)
            for of, (labeller, reads) in zip(names, sets, strict=True)
        }
        table.add(name, *(f"{min(some):+.4f} to {max(some):+.4f}" for some in results[name].values()))
    write_results(chosen, results)


def _changes(
    labeller: Labeller,
    reads: list[tuple[Read, NDArray[Any]]],
    part: Part,
    places: tuple[str, ...],
    *,
    stream: bool,
) -> list[float]:
    """Return the change of F1 for each length and place of a part."""
    changes = []
    for place in places:
        cut = partial(splice, part=part, place=place)
        usual = f1(labeller, reads, partial(cut, share=0), stream=stream)
        changes += [f1(labeller, reads, partial(cut, share=share), stream=stream) - usual for share in SHARES]
    return changes


if __name__ == "__main__":
    main()
