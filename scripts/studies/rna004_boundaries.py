"""How well does a boundary model of RNA004 do on RNA that it has never seen?

Usage: python -m scripts.studies.rna004_boundaries [REFERENCE...] [--steps 600] [--simulated 100] [--fast]
       [--runs runs/rna004] [--json rna004_boundaries.json]

There are reads of three E. coli tRNAs and of one spike-in. For each REFERENCE (default: the three tRNAs) a model is
trained on reads of it alone, with simulated reads of random sequences beside them, and judged on the others and on the
spike-in, none of whose reads it saw: F1 of boundaries against uncalled4's and remora's of tRNA, f5c's of the spike-in,
and our own refined ones. Beside it stand changepoint and the t-test, and the programs themselves against each other on
the same reads: nothing can be expected to be better than those. The reads are looked for in $PORECONV_DATA, else in
../shared/data; stores and training runs go to --runs, where a killed training goes on. Prints a Markdown table.
"""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pysam

from poreconv.commands.evaluate import evaluate
from poreconv.commands.prepare import prepare
from poreconv.commands.train import train
from poreconv.config import EvaluateConfig, FilesConfig, PrepareConfig, SourceConfig, TruthConfig
from poreconv.errors import ReadDropped
from poreconv.evaluation.baselines.own import BaselineFunction
from poreconv.evaluation.result import MODEL
from poreconv.events.events import Events
from poreconv.labels.opening import open_labels
from poreconv.labels.sources import LabelSource
from poreconv.reads.read import Read
from scripts.studies.boundary_training import FAST_NETWORK, NETWORK, RNA004_TRAINING
from scripts.studies.results import ROOT, MarkdownTable, data_folder, required_data, study_parser, write_results
from scripts.studies.sets import DETECTORS, NO_TEST, SIMULATED_RNA004, SPIKE_IN, TRNA, TRNA_OLDER, LabelledSet

SCORES = ("f1_0", "f1_1", "f1_2", "f1_2_low", "f1_2_high", "r_value", "over_segmentation", "n_reads")
PAFS = {
    TRNA.name: ("uncalled4_self.paf", "remora_refined.paf"),
    TRNA_OLDER.name: ("uncalled4_self.paf", "remora_refined.paf"),
    SPIKE_IN.name: ("f5c_resquiggle.paf",),
}
"""Set -> boundaries of programs that know the sequence; remora's only judge, its licence is for research."""


@dataclass(frozen=True)
class Scored:
    """One method on the reads of one reference or set."""

    trained_on: str
    judged_on: str
    truth: str
    method: str
    scores: dict[str, float]


def _as_baseline(name: str, labels: LabelSource) -> BaselineFunction:
    """The boundaries of another program, None where it dropped the read."""

    def find(read: Read) -> Events | None:
        try:
            return labels.events(read)
        except ReadDropped:
            return None

    find.__qualname__ = name
    return find


def reads_by_reference(one: LabelledSet) -> dict[str, list[str]]:
    """Return the reads of each reference of a set.

    Args:
        one: The set; its labels are BAM files.

    Returns:
        Reference -> ids of the reads whose primary alignment is on it, sorted.
    """
    found: dict[str, set[str]] = {}
    for bam in one.label_paths():
        with pysam.AlignmentFile(str(bam)) as records:
            for record in records.fetch(until_eof=True):
                if record.reference_name and not record.is_secondary and not record.is_supplementary:
                    found.setdefault(record.reference_name, set()).add(str(record.query_name))
    return {name: sorted(ids) for name, ids in sorted(found.items())}


def _listed(path: Path, read_ids: Sequence[str]) -> Path:
    """Write a list of reads; one that is there already stays as it is, so that its store does."""
    text = "\n".join(read_ids) + "\n"
    if not path.exists() or path.read_text() != text:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return path


@dataclass(frozen=True)
class Trial:
    """How a model is trained on the reads of one reference, and simulated ones.

    Args:
        runs: Folder of stores and training runs.
        steps: Optimiser steps.
        simulated: Simulated reads beside the real ones.
        fast: Whether it is the small network, which the large one of the same reads teaches.
    """

    runs: Path
    steps: int
    simulated: int
    fast: bool = False

    def bundle(self, reference: str) -> Path:
        """Train, and return the bundle.

        Args:
            reference: What the reads are of.
        """
        stores = [self._store(one, reference) for one in (TRNA, TRNA_OLDER)]
        if self.simulated:
            stores.append(replace(SIMULATED_RNA004, reads=self.simulated).store(self.runs / "stores").path)
        teacher = str(replace(self, fast=False).bundle(reference)) if self.fast else None
        config = replace(RNA004_TRAINING, max_steps=self.steps, teacher=teacher)
        out = self.runs / f"{reference}_{self.steps}_{self.simulated}{'_fast' * self.fast}"
        network = FAST_NETWORK if self.fast else NETWORK
        return train(stores, out=out, network="unet", settings=network, config=config, with_report=False).bundle

    def _store(self, one: LabelledSet, reference: str) -> Path:
        listed = _listed(self.runs / "read_ids" / one.name / f"{reference}.txt", reads_by_reference(one)[reference])
        truth = TruthConfig(truth_name=one.truth)
        config = PrepareConfig(split=NO_TEST, files=FilesConfig(read_ids=listed), truth=truth)
        table, out = one.refined(self.runs / "stores"), self.runs / "stores" / f"{one.name}_{reference}"
        return prepare(one.reads_path(), labels="intervals", labels_from=[table], out=out, config=config).path

    def scored(self, reference: str, *, beside: bool = True) -> Iterator[Scored]:
        """Train on a reference, and judge on the others and on the spike-in.

        Args:
            reference: What the reads are of.
            beside: Whether detectors and the other programs are judged too, and the refined truth counts as one.
        """
        bundle, all_reads = self.bundle(reference), reads_by_reference(TRNA)
        trained = {*all_reads[reference], *reads_by_reference(TRNA_OLDER)[reference]}
        others = sorted({read_id for ids in all_reads.values() for read_id in ids} - trained)
        listed = _listed(self.runs / "read_ids" / f"not_{reference}.txt", others)
        yield from _judged(bundle, reference, TRNA, "other tRNAs", FilesConfig(read_ids=listed), beside=beside)
        yield from _judged(bundle, reference, SPIKE_IN, "spike-in", FilesConfig(), beside=beside)


def judged_elsewhere(runs: Path, steps: int, *, fast: bool) -> dict[str, dict[str, float]]:
    """Judge models that learnt from one tRNA each, in the way of the shipped one, on what they have not seen.

    Args:
        runs: Folder of stores and training runs.
        steps: Of each training.
        fast: Whether those of the fast tier are judged.

    Returns:
        What was judged on -> score -> mean over the models; of the number of reads the least.
    """
    trial = Trial(runs, steps, SIMULATED_RNA004.reads, fast)
    found: dict[str, list[dict[str, float]]] = {}
    for reference in reads_by_reference(TRNA):
        for one in trial.scored(reference, beside=False):
            found.setdefault(f"{one.judged_on}, {one.truth}", []).append(one.scores)
    return {
        name: {key: round(float(np.mean([one[key] for one in all_scores])), 4) for key in SCORES}
        | {"n_reads": min(one["n_reads"] for one in all_scores)}
        for name, all_scores in found.items()
    }


def _judged(
    bundle: Path, trained_on: str, one: LabelledSet, judged_on: str, files: FilesConfig, *, beside: bool
) -> Iterator[Scored]:
    """Judge on some reads of a set, against each program; with the others and detectors beside the model, or alone."""
    pafs = {Path(name).stem: data_folder() / one.name / name for name in PAFS[one.name]}
    truths: dict[str, tuple[str, Path]] = {name: ("resquiggle_paf", path) for name, path in pafs.items()}
    if beside:
        truths["refined"] = ("intervals", one.refined(bundle.parents[1] / "stores"))
    for truth, (labels, path) in truths.items():
        others = {name: source for name, source in truths.items() if name != truth} if beside else {}
        with ExitStack() as stack:
            opened = {
                name: stack.enter_context(closing(open_labels(source, [file], SourceConfig())))
                for name, (source, file) in others.items()
            }
            result = evaluate(
                bundle,
                one.reads_path(),
                labels=labels,
                labels_from=[path],
                baselines=[*DETECTORS * beside, *(_as_baseline(name, source) for name, source in opened.items())],
                config=EvaluateConfig(files=files, include_training=True),  # other references: the split does not know
            )
        for method, scores in result.scores.items():
            yield Scored(trained_on, judged_on, truth, method, {key: float(scores[key]) for key in SCORES})


COLUMNS = ("trained on", "judged on", "truth", "", "exact", "±1", "±2", "R", "many", "reads")


def _cells(one: Scored) -> list[str]:
    numbers = [f"{one.scores[key]:.3f}" for key in ("f1_0", "f1_1", "f1_2", "r_value")]
    surplus = f"{one.scores['over_segmentation']:+.0%}"
    name = "**model**" if one.method == MODEL else one.method
    return [one.trained_on, one.judged_on, one.truth, name, *numbers, surplus, f"{one.scores['n_reads']:.0f}"]


def main(arguments: Sequence[str] | None = None) -> None:
    """Train, judge, print and write.

    Args:
        arguments: Of the command line; default: those of this process.
    """
    parser = study_parser("rna004_boundaries", __doc__)
    parser.add_argument("references", nargs="*", metavar="REFERENCE", help="what trains, one at a time; default: all")
    parser.add_argument("--steps", type=int, default=RNA004_TRAINING.max_steps, help="of each training")
    parser.add_argument(
        "--simulated", type=int, default=SIMULATED_RNA004.reads, help="simulated reads beside; 0: none; default: 100"
    )
    parser.add_argument("--fast", action="store_true", help="the small network, taught by the large one")
    parser.add_argument("--runs", type=Path, default=ROOT / "runs" / "rna004", help="stores and training runs")
    chosen = parser.parse_args(arguments)
    required_data(TRNA.name, TRNA_OLDER.name, SPIKE_IN.name)
    table, results = MarkdownTable(*COLUMNS), list[Scored]()
    trial = Trial(chosen.runs, chosen.steps, chosen.simulated, chosen.fast)
    for reference in chosen.references or reads_by_reference(TRNA):
        for scored in trial.scored(reference):
            table.add(*_cells(scored))
            results.append(scored)
        write_results(chosen, results)


if __name__ == "__main__":
    main()
