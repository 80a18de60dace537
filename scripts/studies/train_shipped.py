"""Train the models that come with poreconv, judge them on reads that they never saw, and write their cards.

Usage: python -m scripts.studies.train_shipped [NAME...] [--out FOLDER] [--runs runs/shipped] [--max_steps N]
       [--json train_shipped.json]

Without names, all of them; R10.4.1 starts from R9.4.1's weights. Regions models are those of `train_regions`. The reads
are looked for in $PORECONV_DATA, else in ../shared/data. Stores and training runs go to --runs, where a killed training
goes on; the bundles and their cards to --out, by default among the models of the package.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from poreconv.cli.terminal import console, print_line
from poreconv.commands.evaluate import render
from poreconv.commands.train import train
from poreconv.config import TrainConfig
from poreconv.dataset.store import Store
from poreconv.evaluation.result import MODEL
from poreconv.models.architectures import Unet
from poreconv.models.bundle import load_bundle, save_bundle
from poreconv.models.card import Card, TrainingSet
from poreconv.models.header import ONNX, read_header
from poreconv.models.onnx_export import write_onnx
from poreconv.models.shipped import FOLDER
from poreconv.training.run import BUNDLE
from scripts.studies.boundary_training import AUGMENT, FAST_NETWORK, NETWORK, RNA004_TRAINING
from scripts.studies.regions_training import PLANS as REGIONS
from scripts.studies.results import ROOT, required_data, study_parser, write_results
from scripts.studies.rna004_boundaries import judged_elsewhere
from scripts.studies.sets import (
    ECOLI,
    HUMAN,
    HUMAN_5KHZ,
    LAMBDA,
    REMORA,
    REMORA_5KHZ,
    RFC1,
    RNA001,
    RNA001_REFINED,
    RNA002,
    RNA002_REFINED,
    SEQUINS,
    SIMULATED_R10_5KHZ,
    SIMULATED_RNA004,
    SPIKE_IN,
    TRNA,
    TRNA_OLDER,
    LabelledSet,
    SimulatedSet,
    calibration,
)
from scripts.studies.train_regions import make

SCORES = ("f1_0", "f1_1", "f1_1_low", "f1_1_high", "f1_2", "f1_3", "r_value", "over_segmentation", "n_reads")
"""What a card reports of each test set, of what `evaluate` measures."""


@dataclass(frozen=True)
class Plan:
    """A model, what it learns from, and on what it is judged."""

    summary: str
    limits: str
    learns: tuple[LabelledSet | SimulatedSet, ...]
    judged: tuple[LabelledSet, ...]
    config: TrainConfig
    network: Unet = NETWORK
    start_from: str = ""
    """The model whose weights are the first ones; empty: none."""
    teacher: str = ""
    """The model that teaches it, which is then shipped as ONNX in int8, instead of as a bundle in half precision."""
    before: tuple[LabelledSet | SimulatedSet, ...] = ()
    """What these models learnt from besides."""
    elsewhere: bool = False
    """Whether it learns from all reads that there are: then models that learnt from a part of them are judged."""

    @property
    def suffix(self) -> str:
        """Of the shipped file."""
        return ONNX if self.teacher else ".safetensors"


def _fast(slow: str, summary: str, start_from: str = "") -> Plan:
    """A small network that learns from a large one."""
    plan = SLOW[slow]
    limits = f"{plan.limits} {slow} is better and slower, and taught it."
    return replace(plan, summary=summary, limits=limits, network=FAST_NETWORK, start_from=start_from, teacher=slow)


SLOW = {
    "dna_r9.4.1_boundary": Plan(
        "The first sample of every base in R9.4.1 DNA at 4 kHz.",
        "Other pores and RNA; adapters and stalls, which training ignored; counting bases: it finds nine in ten. Its"
        " truth is f5c's alone; Tombo places every fifth boundary elsewhere.",
        (ECOLI, RFC1),
        (ECOLI, RFC1, LAMBDA),
        TrainConfig(max_steps=3000, validate_every=250, augment=AUGMENT),
    ),
    "dna_r10.4.1_boundary": Plan(
        "The first sample of every base in R10.4.1 DNA at 4 kHz.",
        "Other pores, RNA, and 5 kHz; it learnt from 20 human reads of one run with f5c's boundaries, after R9.4.1's.",
        (HUMAN,),
        (REMORA,),
        TrainConfig(max_steps=1000, validate_every=125, augment=AUGMENT),
        start_from="dna_r9.4.1_boundary",
        before=(ECOLI, RFC1),
    ),
    "dna_r10.4.1_5khz_boundary": Plan(
        "The first sample of every base in R10.4.1 DNA at 5 kHz.",
        "Other pores and RNA; no labelled reads of 5 kHz are free to use, so it learnt from 20 human reads of 4 kHz,"
        " resampled, with f5c's boundaries, and from simulated reads.",
        (HUMAN_5KHZ, SIMULATED_R10_5KHZ),
        (REMORA_5KHZ,),
        TrainConfig(max_steps=1000, validate_every=125, equal_stores=True, allow_mixed=True, augment=AUGMENT),
        start_from="dna_r10.4.1_boundary",
        before=(ECOLI, RFC1, HUMAN),
    ),
    "rna002_boundary": Plan(
        "The first sample of every base in RNA001 and RNA002 direct RNA.",
        "RNA004 and DNA; it learnt from 38 reads of two genes, with Tombo's boundaries, refined by the levels of their"
        " sequences; two aligners agree on half of the boundaries there.",
        (RNA002_REFINED, RNA001_REFINED),
        (SEQUINS, RNA002, RNA001),
        TrainConfig(max_steps=800, validate_every=100, allow_mixed=True, augment=AUGMENT),
    ),
    "rna004_boundary": Plan(
        "The first sample of every base in RNA004 direct RNA.",
        "DNA, RNA001 and RNA002; it learnt from three E. coli tRNAs and one spike-in, refined by the levels of their"
        " sequences, and from simulated reads; two programs agree on half of the boundaries there. The scores below are"
        " means over three models made in the same way, each from one of the tRNAs and simulated reads, and judged on"
        " the other tRNAs and the spike-in.",
        (TRNA, TRNA_OLDER, SPIKE_IN, SIMULATED_RNA004),
        (),
        RNA004_TRAINING,
        elsewhere=True,
    ),
}
PLANS = SLOW | {
    "dna_r9.4.1_boundary_fast": _fast(
        "dna_r9.4.1_boundary", "The first sample of every base in R9.4.1 DNA at 4 kHz, live on a laptop."
    ),
    "dna_r10.4.1_boundary_fast": _fast(
        "dna_r10.4.1_boundary",
        "The first sample of every base in R10.4.1 DNA at 4 kHz, live on a laptop.",
        start_from="dna_r9.4.1_boundary_fast",
    ),
    "dna_r10.4.1_5khz_boundary_fast": _fast(
        "dna_r10.4.1_5khz_boundary",
        "The first sample of every base in R10.4.1 DNA at 5 kHz, live on a laptop.",
        start_from="dna_r10.4.1_boundary_fast",
    ),
    "rna002_boundary_fast": _fast(
        "rna002_boundary", "The first sample of every base in RNA001 and RNA002 direct RNA, live on a laptop."
    ),
    "rna004_boundary_fast": _fast(
        "rna004_boundary", "The first sample of every base in RNA004 direct RNA, live on a laptop."
    ),
}
"""Model of boundaries -> how it is made; those that others start from, or learn from, come first."""
ALL = (*PLANS, *REGIONS)


@dataclass(frozen=True)
class Workshop:
    """Makes models in some folders.

    Args:
        runs: Stores and training runs.
        out: Models and their cards.
        max_steps: Of each training run; None: the plan's.
    """

    runs: Path
    out: Path
    max_steps: int | None = None

    def ship(self, name: str) -> dict[str, dict[str, float]]:
        """Train, judge and write one model.

        Args:
            name: A key of `PLANS`.

        Returns:
            Set -> score -> value, as they stand in its card.
        """
        plan, shipped = PLANS[name], self.out / f"{name}{PLANS[name].suffix}"
        stores = [one.store(self.runs) for one in plan.learns]
        config = self._config(plan)
        paths = [store.path for store in stores]
        out = self.runs / name
        bundle = train(paths, out=out, network="unet", settings=plan.network, config=config, with_report=False).bundle
        self.out.mkdir(parents=True, exist_ok=True)
        _write(shipped, bundle, stores, plan)  # before it is judged: eight or sixteen bits are what users get
        scores = {f"{one.name}, {one.labels}": _judge(name, shipped, one) for one in plan.judged}
        if plan.elsewhere:
            scores |= judged_elsewhere(self.runs / "rna004", config.max_steps, fast=bool(plan.teacher))
        card = Card(
            summary=plan.summary,
            data=tuple(_trained_on(one, one.store(self.runs)) for one in (*plan.learns, *plan.before)),
            scores=scores,
            limits=plan.limits,
            trained_by=f"scripts/studies/train_shipped.py, {config.max_steps} steps{', int8' if plan.teacher else ''}",
            licence="MIT",
        )
        _write(shipped, bundle, stores, plan, card)
        shipped.with_suffix(".md").write_text(card.to_markdown(name, read_header(shipped).recipe))
        return scores

    def _config(self, plan: Plan) -> TrainConfig:
        config = plan.config if self.max_steps is None else replace(plan.config, max_steps=self.max_steps)
        first = str(self._weights(plan.start_from)) if plan.start_from else None
        teacher = str(self._weights(plan.teacher)) if plan.teacher else None
        return replace(config, start_from=first, teacher=teacher)

    def _weights(self, name: str) -> Path:
        """Where another model's weights lie; those of one in int8 in its training run."""
        return self.runs / name / BUNDLE if PLANS[name].teacher else self.out / f"{name}{PLANS[name].suffix}"


def _judge(name: str, shipped: Path, one: LabelledSet) -> dict[str, float]:
    """Print the scores on a set's reads; returns the model's that go into its card."""
    judged = one.judge(shipped)
    print_line(f"{name} on {one.name}, labels {one.labels}")
    console.print(render(judged))
    print_line(judged.ledger.summary())
    return {key: round(float(judged.scores[MODEL][key]), 4) for key in SCORES}


def _trained_on(one: LabelledSet | SimulatedSet, store: Store) -> TrainingSet:
    """A set as the card names it."""
    counts = store.info.counts["train"]
    return TrainingSet(one.name, one.source, one.licence, counts["reads"], counts["samples"])


def _write(shipped: Path, bundle: Path, stores: Sequence[Store], plan: Plan, card: Card | None = None) -> None:
    """The trained network in the form in which it is shipped."""
    network, recipe = load_bundle(bundle)
    if plan.teacher:
        write_onnx(shipped, bundle, calibration=calibration(stores, recipe.normalisation.clip), card=card)
    else:
        save_bundle(shipped, network.half(), recipe, card)


def main(arguments: Sequence[str] | None = None) -> None:
    """Make the models that are asked for.

    Args:
        arguments: Of the command line; default: those of this process.
    """
    parser = study_parser("train_shipped", __doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"models: {', '.join(ALL)}; default: all")
    parser.add_argument("--out", type=Path, default=FOLDER, help="where models and cards go; default: in the package")
    parser.add_argument("--runs", type=Path, default=ROOT / "runs" / "shipped", help="stores and training runs")
    parser.add_argument("--max_steps", type=int, help="of each training run; default: as many as the shipped one had")
    chosen = parser.parse_args(arguments)
    if unknown := set(chosen.names) - set(ALL):
        parser.error(f"no model {', '.join(unknown)}; there are {', '.join(ALL)}")
    plans = [PLANS[name] for name in chosen.names or PLANS if name in PLANS]
    sets = (one for plan in plans for one in (*plan.learns, *plan.judged, *plan.before))
    required_data(*sorted({one.name for one in sets if isinstance(one, LabelledSet)}))
    workshop, scores = Workshop(chosen.runs, chosen.out, chosen.max_steps), dict[str, object]()
    for name in chosen.names or ALL:
        scores[name] = workshop.ship(name) if name in PLANS else make(name, chosen.out)
        write_results(chosen, scores)


if __name__ == "__main__":
    main()
