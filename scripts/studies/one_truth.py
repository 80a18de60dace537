"""Which truth is a boundary model to learn from? Trains the same network on each truth of the same reads.

Usage: python -m scripts.studies.one_truth [r10.4.1] [rna002] [--steps 500] [--runs runs/one_truth]
       [--json one_truth.json]

r10.4.1: the human reads, with f5c's boundaries, or those refined by levels. rna002: yeast's 18S and human ACTB, with
Tombo's boundaries, or those refined. Each model is judged on reads of other labs: F1 against f5c's boundaries and
against refined ones, and without a truth, by levels: how well the events that it finds, at as many per second for
all, fit the levels of the reads' known sequence, by a published table that no training saw. The last is nearest to what
events are used for. The reads are looked for in $PORECONV_DATA, else in ../shared/data; stores and training runs go to
--runs, where a killed training goes on. Prints a Markdown table.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from poreconv.commands.evaluate import evaluate
from poreconv.commands.train import train
from poreconv.config import AugmentConfig, EvaluateConfig, TrainConfig
from poreconv.models.architectures import Unet
from scripts.studies.results import ROOT, MarkdownTable, data_folder, required_data, study_parser, write_results
from scripts.studies.sets import HUMAN, REMORA, RNA001, RNA001_REFINED, RNA002, RNA002_REFINED, SEQUINS, LabelledSet

CONFIG = TrainConfig(allow_mixed=True, augment=AugmentConfig(noise=0.1, scale=0.1, shift=0.1))


@dataclass(frozen=True)
class Question:
    """The truths of some reads, and reads to judge the models on."""

    truths: dict[str, tuple[LabelledSet, ...]]
    judged: tuple[LabelledSet, ...]
    """By their boundaries."""
    with_bases: LabelledSet
    """By the levels of their bases."""
    pore_model: str
    """Published table, among the real data."""


REMORA_MOVES = replace(REMORA, labels="bam_moves", labels_from=("can_mappings.bam", "mod_mappings.bam"))
TAILED = LabelledSet(
    "rna002_polya_regions", "basecalled_test.fast5", "fast5_moves", (), "github.com/LRB-IIMCB/ninetails", "MIT"
)

HUMAN_REFINED = replace(
    HUMAN,
    labels_from=("resquiggle.paf", "reads.fastq"),
    refined_by="dna_r10.4.1",
    truth=f"{HUMAN.truth}, refined by the levels of dna_r10.4.1",
)

QUESTIONS = {
    "r10.4.1": Question(
        {"f5c": (HUMAN,), "refined": (HUMAN_REFINED,)},
        (REMORA, replace(REMORA_MOVES, refined_by="dna_r10.4.1")),
        REMORA_MOVES,
        "kmer_models/uncalled4/dna_r10.4.1_400bps_9mer.npz",
    ),
    "rna002": Question(
        {"Tombo": (RNA002, RNA001), "refined": (RNA002_REFINED, RNA001_REFINED)},
        (SEQUINS, replace(TAILED, refined_by="rna002")),
        TAILED,
        "kmer_models/uncalled4/rna_r9.4.1_70bps_5mer.npz",
    ),
}
"""Chemistry -> what is asked."""

F1 = ("f1_0", "f1_1", "f1_2", "over_segmentation")


@dataclass(frozen=True)
class Answer:
    """One method, judged in one way."""

    chemistry: str
    learnt_from: str
    judged_by: str
    method: str
    scores: dict[str, float]


def _answers(chemistry: str, steps: int, runs: Path) -> Iterator[Answer]:
    """Train on each truth, and judge."""
    question = QUESTIONS[chemistry]
    for truth, sets in question.truths.items():
        stores = [one.store(runs / chemistry / truth).path for one in sets]
        config = replace(CONFIG, max_steps=steps, validate_every=max(1, steps // 4))
        out = runs / chemistry / f"{truth}_{steps}"
        bundle = train(stores, out=out, network="unet", settings=Unet(), config=config, with_report=False).bundle
        for one in question.judged:
            labels = ("intervals", [one.refined(runs)]) if one.refined_by else (one.labels, one.label_paths())
            judged = evaluate(bundle, one.reads_path(), labels=labels[0], labels_from=labels[1], baselines=["ttest"])
            by = "F1, refined" if one.refined_by else "F1, f5c"
            for method, scores in judged.scores.items():
                yield Answer(chemistry, truth, by, method, {key: float(scores[key]) for key in F1})
        yield from _by_levels(chemistry, truth, bundle)


def _by_levels(chemistry: str, truth: str, bundle: Path) -> Iterator[Answer]:
    question = QUESTIONS[chemistry]
    one = question.with_bases
    judged = evaluate(
        bundle,
        one.reads_path(),
        labels=one.labels,
        labels_from=one.label_paths(),
        pore_model=data_folder() / question.pore_model,
        config=EvaluateConfig(judge="levels"),
    )
    for method, scores in judged.scores.items():
        shown = {key: float(scores[key]) for key in judged.columns.values() if key in scores}
        yield Answer(chemistry, truth, "levels", method, shown)


def main(arguments: Sequence[str] | None = None) -> None:
    """Train, judge, print and write.

    Args:
        arguments: Of the command line; default: those of this process.
    """
    parser = study_parser("one_truth", __doc__)
    parser.add_argument("chemistries", nargs="*", metavar="CHEMISTRY", help=f"{', '.join(QUESTIONS)}; default: all")
    parser.add_argument("--steps", type=int, default=500, help="of each training; default: 500")
    parser.add_argument("--runs", type=Path, default=ROOT / "runs" / "one_truth", help="stores and training runs")
    chosen = parser.parse_args(arguments)
    if unknown := set(chosen.chemistries) - set(QUESTIONS):
        parser.error(f"no reads of {', '.join(unknown)}; there are {', '.join(QUESTIONS)}")
    questions = [QUESTIONS[name] for name in chosen.chemistries or QUESTIONS]
    required_data(*(one.name for question in questions for one in question.judged))
    table, results = MarkdownTable("chemistry", "learnt from", "judged by", "", "scores"), list[Answer]()
    for chemistry in chosen.chemistries or QUESTIONS:
        for answer in _answers(chemistry, chosen.steps, chosen.runs):
            scores = ", ".join(f"{key} {value:.3f}" for key, value in answer.scores.items())
            table.add(answer.chemistry, answer.learnt_from, answer.judged_by, answer.method, scores)
            results.append(answer)
            write_results(chosen, results)


if __name__ == "__main__":
    main()
