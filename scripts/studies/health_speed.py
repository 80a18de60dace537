"""Measure how well `poreconv health` knows a read's speed, and how fast it is beside `poreconv label`.

Usage: python -m scripts.studies.health_speed [--chemistry dna_r10.4.1 rna004] [--rounds 3] [--json health_speed.json]

Truths are moves of a basecaller, or bases that an aligner placed. What a model expects per second is a line over the
speed: a share of the bases, and some boundaries where there are none. Both are estimated on the reads of one set, the
second from windows of many bases (median of their slopes), then the first as the median over reads; the error of speed
is that on another set. That with the numbers of the package stands beside it. A speed is bases over time: of the truth,
from its first base to its last; of `health`, from the end of the adapter that it found to the end of the read. Beside
the error stands that of two guesses that look at no current: the speed of all reads is the same, and the number of
bases of all reads is the same, both as in the set that calibrates. Rates are those of whole commands in one process,
which take turns, per second of CPU.
"""

import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from numpy.typing import NDArray
from scipy.stats import theilslopes

from poreconv.commands.health import health
from poreconv.commands.label import label
from poreconv.config import BOUNDARY, FitConfig, HealthConfig, LabelConfig, SourceConfig, WorkConfig
from poreconv.errors import ReadDropped
from poreconv.inference.labeller import Labeller, load
from poreconv.inference.speed import SPEEDOMETERS, Speedometer, passage_of
from poreconv.labels.opening import events_of, open_labels
from poreconv.reads.read import Read
from poreconv.reads.readers import open_reads
from scripts.studies.results import MarkdownTable, required_data, study_parser, write_results
from scripts.studies.timing import seconds

RESAMPLES = 2000
"""Bootstrapped medians behind an interval."""


@dataclass(frozen=True)
class CountedSet:
    """Reads whose bases were counted by somebody who knows the sequence."""

    name: str
    """Folder among the real data."""
    reads: str
    labels: str
    labels_from: tuple[str, ...] = ()
    window: int = 400
    """Bases of the windows by which it calibrates; 0: its reads are too short for windows, and all boundaries are those
    of bases."""


HUMAN = CountedSet("dna_r1041_4khz_human_f5c_and_moves", "reads.blow5", "resquiggle_paf", ("move.paf",))
REMORA = CountedSet("dna_r1041_4khz_remora", ".", "bam_moves", ("can_mappings.bam", "mod_mappings.bam"))
BAMS = ("ecoli_trna_tb_mappings.bam", "ecoli_trna_wt_mappings.bam")
OLDER, TRNA = (CountedSet(name, ".", "bam_moves", BAMS, 0) for name in ("rna004_trna_ecoli_older", "rna004_trna_ecoli"))
RFC1 = CountedSet("dna_r941_rfc1", ".", "resquiggle_paf", ("resquiggle.paf",))
LAMBDA = CountedSet("dna_r941_lambda_tombo", ".", "tombo")
RRNA = CountedSet("rna002_18s_tombo", ".", "tombo", window=100)
ACTB = CountedSet("rna001_actb_tombo_and_moves", ".", "fast5_moves")

SETS = {
    "dna_r10.4.1": (HUMAN, REMORA),
    "rna004": (OLDER, TRNA),
    "dna_r9.4.1": (RFC1, LAMBDA),
    "rna002": (RRNA, ACTB),
}
"""Chemistry -> the set that calibrates, and the one that judges."""


@dataclass(frozen=True)
class CountedRead:
    """One read: the places of its bases, and what the model expects."""

    read: Read
    probability_T: NDArray[np.float32]
    """Of a boundary; perhaps at another sample rate than the read's."""
    edges_s: NDArray[np.float64]
    """Starts of its bases, and the end of the last, in seconds since its first sample."""

    @property
    def true_speed(self) -> float:
        """Bases per second."""
        return (len(self.edges_s) - 1) / float(self.edges_s[-1] - self.edges_s[0])

    def expected_until(self, seconds: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the number of boundaries that the model expects before some times."""
        rate_hz = self.read.sample_rate_hz * len(self.probability_T) / len(self.read.adc)
        passed = Speedometer("", 1.0, 0.0).passed(self.probability_T, rate_hz)
        return np.asarray(passed[np.minimum(np.rint(seconds * rate_hz).astype(int), len(passed) - 1)])

    def windows(self, n_bases: int) -> NDArray[np.float64]:
        """Return true and expected boundaries per second in windows of some bases, shape ``(n, 2)``."""
        edges_s = self.edges_s[::n_bases]
        took = np.diff(edges_s)
        return np.column_stack([n_bases / took, np.diff(self.expected_until(edges_s)) / took])


@dataclass(frozen=True)
class Error:
    """Relative error over reads."""

    median: float
    low: float
    high: float
    """95 % interval of the median, bootstrapped over reads."""
    p90: float

    @classmethod
    def of(cls, found: NDArray[np.float64], true: NDArray[np.float64]) -> "Error":
        """Compare two speeds of the same reads, shape ``(n,)`` each."""
        errors, rng = np.abs(found / true - 1), np.random.default_rng(0)
        medians = np.median(rng.choice(errors, (RESAMPLES, len(errors))), axis=1)
        low, high = np.percentile(medians, [2.5, 97.5])
        return cls(float(np.median(errors)), float(low), float(high), float(np.percentile(errors, 90)))

    def __str__(self) -> str:
        """Median and interval in per cent."""
        return f"{self.median:.1%} ({self.low:.1%} to {self.high:.1%})"


@dataclass(frozen=True)
class Finding:
    """What was found for one chemistry."""

    chemistry: str
    model: str
    calibrated_on: str
    judged_on: str
    n_calibrating: int
    n_judged: int
    per_base: float
    per_s: float
    """Boundaries that the model expects for each base, and in each second besides, of the set that calibrates."""
    error: Error
    error_of_package: Error
    """With the share that the package has."""
    bias: float
    """Median over reads of found over true speed, less 1."""
    correlation: float
    """Of the logarithms of found and true speed."""
    same_speed: Error
    """Of a guess: all reads have the median speed of the set that calibrates."""
    same_count: Error
    """Of a guess: all reads have the median number of bases of the set that calibrates."""


def _counted(one: CountedSet, speedometer: Speedometer, labeller: Labeller) -> Iterator[CountedRead]:
    folder = required_data(one.name) / one.name
    files = [folder / file for file in one.labels_from]
    with closing(open_labels(one.labels, files, SourceConfig())) as labels, open_reads(folder / one.reads) as reads:
        for read in reads:
            try:
                events = events_of(labels, read)
            except ReadDropped:
                continue
            edges = np.append(events.start, events.end[-1])
            probability_T = labeller.probabilities(read)[BOUNDARY]
            yield CountedRead(read, probability_T, edges / read.sample_rate_hz)


def calibrated(reads: Sequence[CountedRead], window: int, speedometer: Speedometer) -> Speedometer:
    """Estimate what a model expects per base, and per second besides.

    Args:
        reads: Reads whose bases were counted.
        window: Bases of a window; 0: none.
        speedometer: The model.
    """
    per_s = 0.0
    if window:
        true, expected = np.concatenate([read.windows(window) for read in reads]).T
        per_s = max(float(theilslopes(expected, true).intercept), 0.0)
    of_reads = [
        (np.diff(read.expected_until(read.edges_s[[0, -1]]))[0] - per_s * (read.edges_s[-1] - read.edges_s[0]))
        / (len(read.edges_s) - 1)
        for read in reads
    ]
    return replace(speedometer, per_base=float(np.median(of_reads)), per_s=per_s)


def _speeds(reads: Sequence[CountedRead], speedometer: Speedometer) -> NDArray[np.float64]:
    return np.array([passage_of(each.read, each.probability_T, speedometer).bases_per_s for each in reads])


def _finding(chemistry: str) -> Finding:
    speedometer, (calibrating, judging) = SPEEDOMETERS[chemistry], SETS[chemistry]
    labeller = load(speedometer.model, threads=1, fit=FitConfig(resample=True))
    known = list(_counted(calibrating, speedometer, labeller))
    seen = {one.read.read_id for one in known}  # one read stands in both sets of RNA004
    judged = [one for one in _counted(judging, speedometer, labeller) if one.read.read_id not in seen]
    learnt = calibrated(known, calibrating.window, speedometer)
    true, found = np.array([one.true_speed for one in judged]), _speeds(judged, learnt)
    same_speed = np.full(len(true), statistics.median(one.true_speed for one in known))
    usual_count = statistics.median(len(one.edges_s) - 1 for one in known)
    same_count = np.array([usual_count / (one.edges_s[-1] - one.edges_s[0]) for one in judged])
    return Finding(
        chemistry,
        speedometer.model,
        calibrating.name,
        judging.name,
        len(known),
        len(judged),
        learnt.per_base,
        learnt.per_s,
        Error.of(found, true),
        Error.of(_speeds(judged, speedometer), true),
        float(np.median(found / true)) - 1,
        float(np.corrcoef(np.log(found), np.log(true))[0, 1]),
        Error.of(same_speed, true),
        Error.of(same_count, true),
    )


def _rates(chemistry: str, rounds: int) -> dict[str, float]:
    """Return the samples per second of CPU of `health`, and of `label` with the accurate model: medians of rounds."""
    judging = SETS[chemistry][1]
    path, work = required_data(judging.name) / judging.name / judging.reads, WorkConfig(workers=1)
    with open_reads(path) as reads:
        n_samples = sum(len(read.adc) for read in reads)
    rates: dict[str, list[float]] = {"health": [], "label": []}
    works: dict[str, Callable[[], object]]
    with TemporaryDirectory() as folder:
        table = Path(folder) / "reads.parquet"
        model, fit = SPEEDOMETERS[chemistry].model.removesuffix("_fast"), FitConfig(any_chemistry=True, resample=True)
        works = {
            "health": partial(health, path, out=table, config=HealthConfig(work=work), overwrite=True),
            "label": partial(label, model, path, out=table, config=LabelConfig(work=work, fit=fit), overwrite=True),
        }
        for _ in range(rounds + 1):  # the first compiles and measures
            for name, command in works.items():
                rates[name].append(n_samples / seconds(command, time.process_time))
    return {name: statistics.median(some[1:]) for name, some in rates.items()}


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, print and write.

    Args:
        arguments: Of the command line; default: those of this process.
    """
    parser = study_parser("health_speed", __doc__)
    chemistries, text = list(SETS), f"of {', '.join(SETS)}; default: all"
    parser.add_argument("--chemistry", nargs="+", choices=chemistries, default=chemistries, metavar="CODE", help=text)
    parser.add_argument("--rounds", type=int, default=3, metavar="N", help="times that rates are measured; default: 3")
    chosen = parser.parse_args(arguments)
    table = MarkdownTable(
        "chemistry", "reads", "per base", "per s", "error", "p90", "same speed", "same count", "health/label"
    )
    results = []
    for chemistry in chosen.chemistry:
        found, rates = _finding(chemistry), _rates(chemistry, chosen.rounds) if chosen.rounds else {}
        faster = f"{rates['health'] / rates['label']:.1f}" if rates else ""
        errors = (found.error, f"{found.error.p90:.1%}", found.same_speed, found.same_count)
        table.add(chemistry, found.n_judged, f"{found.per_base:.3f}", f"{found.per_s:.1f}", *errors, faster)
        results.append({"finding": found, "samples_per_s": rates})
    write_results(chosen, results)


if __name__ == "__main__":
    main()
