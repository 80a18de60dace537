"""Train a model of an RNA read's regions (adapter, poly(A) tail, transcript), and measure how good it is.

Usage: python -m scripts.studies.train_regions {rna002_regions,rna004_regions} [--out FOLDER] [--folds 5]
       [--max_steps 1000] [--json train_regions.json]

The reads are those of the model's set (see `PLANS`) whose tail its program does not doubt, looked for in
$PORECONV_DATA, else in ../shared/data. They are judged in folds: each read by a model that was trained on the other
folds' reads. Prints two Markdown tables: how near the regions are to the true ones, beside two rules that learn
nothing; and how near the tails' lengths are to those of other programs. With --out a model is trained on all the reads,
in the same way, and written into that folder with a card of what the folds gave; for RNA002 a line reports where its
tails end on another run's reads, beside f5c's first base. Judging takes four minutes of one core, the model one.
"""

import shutil
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from poreconv.cli.terminal import print_line
from poreconv.commands.tails import speed_of, tail_in
from poreconv.config import DecodeConfig, SourceConfig, TailsConfig
from poreconv.evaluation.metrics import SegmentMetric
from poreconv.events.events import Events
from poreconv.events.tasks import task_named
from poreconv.inference.decoding.decoder import decoder_of
from poreconv.inference.labeller import Labeller, load
from poreconv.labels.opening import open_labels
from poreconv.models.bundle import load_bundle, save_bundle
from poreconv.models.card import Card, TrainingSet
from poreconv.reads.read import Read
from poreconv.reads.readers import open_reads
from scripts.studies.regions import (
    CLASSES,
    RULES,
    Regions,
    Scores,
    Summary,
    cut,
    score,
    summary_of,
    true_regions,
)
from scripts.studies.regions_training import JUDGED_CUT_TO, PLANS, TRAINING, Plan, model_of
from scripts.studies.results import MarkdownTable, data_folder, required_data, study_parser, write_results
from scripts.studies.sets import LabelledSet
from scripts.studies.tail_lengths import compare_lengths

CLASS_SCORES = (
    "f1", "segments_true", "segments_found", "over_segmented", "under_segmented", "absolute_start", "absolute_end",
)  # fmt: skip
"""Scores of each class that go into a card; see `SegmentMetric`."""


def _judged(labeller: Labeller, reads: Sequence[Read]) -> list[tuple[Events, Events]]:
    """Regions of reads, decoded in order, and as runs of the likeliest class."""
    plain = DecodeConfig()
    return [
        (labeller.decode(read, p_CT), decoder_of(task_named("segment"), labeller.recipe.classes, plain)(p_CT))
        for read, p_CT in labeller.with_probabilities(reads)
    ]


@dataclass
class Folds:
    """What the folds gave, by read id: each read was judged by a model that has not seen it."""

    truth: Mapping[str, Regions]
    ordered: dict[str, Scores] = field(default_factory=dict)
    plain: dict[str, Scores] = field(default_factory=dict)
    """Decoded as runs of the likeliest class."""
    shorter: dict[float, list[Scores]] = field(default_factory=lambda: {share: [] for share in JUDGED_CUT_TO})
    """Share of the tail that was left -> scores."""
    nucleotides: dict[str, float] = field(default_factory=dict)
    metric: SegmentMetric = field(default_factory=lambda: SegmentMetric(CLASSES))

    def add(self, labeller: Labeller, held_out: Sequence[str]) -> None:
        """Judge a model on reads that it has not seen.

        Args:
            labeller: The model.
            held_out: Ids of the reads.
        """
        speed = speed_of(labeller.recipe, TailsConfig())
        reads = [self.truth[one][0] for one in held_out]
        for read, (found, likeliest) in zip(reads, _judged(labeller, reads), strict=True):
            truth, name, n_samples = self.truth[read.read_id], read.read_id, len(read.adc)
            self.ordered[name], self.plain[name] = score(truth, found), score(truth, likeliest)
            self.metric.update(
                task_named("segment").target(truth[1], n_samples), task_named("segment").target(found, n_samples)
            )
            self.nucleotides[name] = tail_in(found, read.sample_rate_hz / speed).nucleotides
        for share, scores in self.shorter.items():
            scores.extend(score(one, labeller(one[0])) for one in (cut(self.truth[name], share) for name in held_out))

    def summaries(self) -> list[Summary]:
        """Summarise all folds, and the rules that learn nothing."""
        return [
            summary_of("all folds", list(self.ordered.values())),
            summary_of("the same, not ordered", list(self.plain.values())),
            *(summary_of(f"tails cut to {share:.0%}", scores) for share, scores in self.shorter.items()),
            *(
                summary_of(name, [score(one, rule(one[0])) for one in self.truth.values()])
                for name, rule in RULES.items()
            ),
        ]

    def scores(self) -> dict[str, float]:
        """Return the scores that go into a card."""
        measured, total = self.metric.compute(), summary_of("", list(self.ordered.values()))
        of_classes = [f"{key}_{name}" for key in CLASS_SCORES for name in CLASSES]
        kept = ("n_reads", "accuracy", "macro_f1", "macro_f1_low", "macro_f1_high", *of_classes)
        rounded = {name: round(float(measured[name]), 4) for name in kept} | {"mean_iou": round(total.mean_iou, 4)}
        places = {"tail_start_samples": total.tail_start_samples, "tail_end_samples": total.tail_end_samples}
        return {name: value for name, value in (rounded | places).items() if np.isfinite(value)}


def _cross_validated(plan: Plan, truth: Mapping[str, Regions], n_folds: int, work: Path) -> tuple[Folds, list[Summary]]:
    """Judge in folds, and print the first table."""
    folds, read_ids = Folds(truth), list(truth)
    table, summaries = MarkdownTable(*COLUMNS), list[Summary]()
    for fold in range(n_folds):
        held_out = read_ids[fold::n_folds]
        others = {one: truth[one] for one in read_ids if one not in held_out}
        folds.add(load(model_of(plan, others, work / f"fold{fold}")), held_out)
        summaries.append(summary_of(f"fold {fold + 1}", [folds.ordered[one] for one in held_out]))
        table.add(*_cells(summaries[-1]))
    for one in folds.summaries():
        summaries.append(one)
        table.add(*_cells(one))
    return folds, summaries


COLUMNS = ("", "reads", "tail start", "tail end", *(f"IoU {name}" for name in CLASSES), "mean IoU")


def _cells(one: Summary) -> list[str]:
    places = ["-" if np.isnan(x) else f"{x:.0f}" for x in (one.tail_start_samples, one.tail_end_samples)]
    return [one.method, str(one.reads), *places, *(f"{x:.3f}" for x in [*one.iou.values(), one.mean_iou])]


def _write_card(out: Path, plan: Plan, truth: Mapping[str, Regions], scores: dict[str, float], tested: str) -> None:
    """Put a card into the model's file, and beside it."""
    network, recipe = load_bundle(out)
    samples, labelled = sum(len(read.adc) for read, _ in truth.values()), plan.labelled
    card = Card(
        summary=plan.summary,
        data=(TrainingSet(labelled.name, labelled.source, labelled.licence, len(truth), samples),),
        scores={f"{labelled.name}, {plan.lengths[0].program}, {tested}": scores},
        limits=plan.limits,
        trained_by=f"scripts/studies/train_regions.py, {plan.training.max_steps} steps",
        licence="MIT",
    )
    save_bundle(out, network, recipe, card)
    out.with_suffix(".md").write_text(card.to_markdown(out.stem, recipe))


@dataclass(frozen=True)
class Elsewhere:
    """Where a model's tails end on reads of another run."""

    tailless: int
    """Reads in which none was found."""
    samples_after_f5c: list[int]
    """From f5c's first base to the tail's end, of the others, ascending."""


def _elsewhere(other: LabelledSet, bundle: Path) -> Elsewhere:
    """Label another run's reads, and print where tails end."""
    labeller, distances, tailless = load(bundle), list[int](), 0
    labels = open_labels(other.labels, other.label_paths(), SourceConfig())
    with closing(labels), open_reads(other.reads_path()) as reads:
        for read in reads:
            events = labels.events(read)
            if events is None:
                continue
            tail = tail_in(labeller(read), 1.0)
            if tail.start < 0:
                tailless += 1
            else:
                distances.append(tail.end - int(events.start[0]))
    print_line(
        f"\n{other.name}: no tail in {tailless} reads; in the others it ends so many samples after f5c's first base:"
    )
    print_line(", ".join(map(str, sorted(distances))))
    return Elsewhere(tailless, sorted(distances))


def make(name: str, out: Path | None, n_folds: int = 5, max_steps: int = TRAINING.max_steps) -> dict[str, object]:
    """Judge a model in folds, train it on all reads, and write it with its card.

    Args:
        name: A key of `PLANS`.
        out: Folder for the model and its card; None: it is only judged.
        n_folds: 0: it is not judged, and gets no card.
        max_steps: Of each training run.

    Returns:
        What was measured; of ``scores``, those in the card.
    """
    plan = replace(PLANS[name], training=replace(PLANS[name].training, max_steps=max_steps))
    truth, results = true_regions(plan.labelled), dict[str, object]()
    scores: dict[str, float] = {}
    with TemporaryDirectory(prefix="poreconv-regions-") as work:
        if n_folds:
            folds, results["regions"] = _cross_validated(plan, truth, n_folds, Path(work))
            print_line("")
            folder = data_folder() / plan.labelled.name
            results["lengths"] = compare_lengths(folder, plan.lengths, folds.nucleotides)
            results |= {"reads": folds.ordered, "scores": (scores := folds.scores())}
        if out is not None:
            out.mkdir(parents=True, exist_ok=True)
            bundle = out / f"{name}.safetensors"
            shutil.copyfile(model_of(plan, truth, Path(work) / "all"), bundle)
            if scores:
                _write_card(bundle, plan, truth, scores, f"{n_folds} folds")
            if plan.elsewhere is not None:
                results["elsewhere"] = _elsewhere(plan.elsewhere, bundle)
    return results


def main(arguments: Sequence[str] | None = None) -> None:
    """Judge, and train the model that is written.

    Args:
        arguments: Of the command line; default: those of this process.
    """
    parser = study_parser("train_regions", __doc__)
    parser.add_argument("name", choices=PLANS, help="the model")
    parser.add_argument("--out", type=Path, help="folder for the model and its card; default: it is only judged")
    parser.add_argument("--folds", type=int, default=5, help="0: train without judging; default: 5")
    parser.add_argument("--max_steps", type=int, default=TRAINING.max_steps, help="of each training run; default: 1000")
    chosen = parser.parse_args(arguments)
    plan = PLANS[chosen.name]
    required_data(*(one.name for one in (plan.labelled, plan.elsewhere) if one is not None))
    write_results(chosen, make(chosen.name, chosen.out, chosen.folds, chosen.max_steps))


if __name__ == "__main__":
    main()
