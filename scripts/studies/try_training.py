"""What makes boundaries better? Trains one variant after the other, and judges each on validation reads alone.

Usage: python -m scripts.studies.try_training [NAME...] [--set r9.4.1|r10.4.1] [--steps 500] [--runs runs/tried]
       [--json try_training.json]

Without names, all variants. The reads are looked for in $PORECONV_DATA, else in ../shared/data; stores and training
runs go to --runs, where what was trained stays. Prints a Markdown row as each is done: F1 of boundaries on the
validation reads, which also chose the checkpoint and the decoding, so that these numbers flatter all variants alike.
No test read is looked at.

r9.4.1: lambda (Tombo) and E. coli (f5c) train together, each is judged alone. r10.4.1: 14 of the human reads (f5c)
train, the other 9 judge. `BASE` and `NETWORK` are what every variant changes one thing of. What came out stands above
`VARIANTS`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, cast

from poreconv.config import AugmentConfig, TrainConfig
from poreconv.dataset.store import Store
from poreconv.evaluation.judge import judge
from poreconv.evaluation.result import MODEL
from poreconv.evaluation.truths import Truths
from poreconv.inference.labeller import load
from poreconv.models.architectures import ARCHITECTURES, Resnet, Tcn, Unet
from poreconv.runtime.progress import progress_bar
from poreconv.training.module import SampleModule
from poreconv.training.objectives import BoundaryObjective
from poreconv.training.run import TrainingRun
from scripts.studies.results import ROOT, MarkdownTable, required_data, study_parser, write_results
from scripts.studies.trial_losses import Averaged, Counting, Focal, Soft
from scripts.studies.trial_stores import MORE, SETS

BASE = TrainConfig(augment=AugmentConfig(noise=0.1, scale=0.1, shift=0.1))
NETWORK = Unet()


@dataclass(frozen=True)
class Variant:
    """One thing that is done in another way."""

    change: dict[str, Any] = field(default_factory=dict)
    """Fields of `BASE`."""
    settings: Any = NETWORK
    objective: type[BoundaryObjective] = BoundaryObjective
    run: type[TrainingRun] = TrainingRun
    more: tuple[str, ...] = ()
    """Stores that train beside the set's own: keys of `MORE`."""
    instead: tuple[str, ...] = ()
    """Stores that train in their place."""


# What came out, 500 steps each: F1 exact, within 1 and 2 samples, and how many boundaries are too many. One training
# each, so that small differences may be chance. The `tcn` from R9.4.1's weights had those of a `tcn` shipped earlier.
#
# | r9.4.1                        | lambda: exact | ±1     | ±2     | many | E. coli: exact | ±1     | ±2     | many |
# | ----------------------------- | ------------- | ------ | ------ | ---- | -------------- | ------ | ------ | ---- |
# | base                          | 0.7137        | 0.8458 | 0.8732 | -9 % | 0.8378         | 0.8739 | 0.8810 | -4 % |
# | four levels: sees 103 samples | 0.7013        | 0.8436 | 0.8737 | -7 % | 0.8328         | 0.8737 | 0.8806 | -2 % |
# | tcn                           | 0.7092        | 0.8436 | 0.8711 | -11% | 0.8282         | 0.8689 | 0.8757 | -6 % |
# | tcn, equal stores             | 0.7309        | 0.8469 | 0.8714 | -9 % | 0.7950         | 0.8632 | 0.8742 | -4 % |
# | resnet                        | 0.7043        | 0.8423 | 0.8714 | -8 % | 0.8186         | 0.8661 | 0.8740 | -4 % |
# | resnet of stride 1            | 0.7024        | 0.8434 | 0.8729 | -8 % | 0.8318         | 0.8694 | 0.8765 | -4 % |
#
# | r10.4.1                              | exact  | ±1     | ±2     | many |
# | ------------------------------------ | ------ | ------ | ------ | ---- |
# | base                                 | 0.8207 | 0.8383 | 0.8418 | -4 % |
# | four levels: sees 103 samples        | 0.8214 | 0.8383 | 0.8413 | -5 % |
# | from R9.4.1's                        | 0.8271 | 0.8403 | 0.8438 | -8 % |
# | learning rate 8e-3                   | 0.8247 | 0.8391 | 0.8424 | -5 % |
# | class_balance 0                      | 0.8207 | 0.8380 | 0.8418 | -5 % |
# | counts in the loss                   | 0.8208 | 0.8361 | 0.8397 | -4 % |
# | no augmentation                      | 0.8233 | 0.8347 | 0.8368 | -6 % |
# | focal loss                           | 0.8163 | 0.8339 | 0.8380 | -6 % |
# | where two sources agree              | 0.8121 | 0.8309 | 0.8345 | -11% |
# | moving average (0.995)               | 0.7714 | 0.7974 | 0.7987 | -15% |
# | soft boundaries                      | 0.8193 | 0.8377 | 0.8414 | -6 % |
# | tcn                                  | 0.8161 | 0.8332 | 0.8367 | -6 % |
# | tcn, dropout 0.1                     | 0.8206 | 0.8331 | 0.8364 | -6 % |
# | tcn, from R9.4.1's                   | 0.8178 | 0.8352 | 0.8387 | -6 % |
# | tcn, from R9.4.1's, dropout 0.1      | 0.8252 | 0.8375 | 0.8404 | -3 % |
# | tcn, with simulated as f5c           | 0.8108 | 0.8256 | 0.8283 | -12% |
# | tcn, from that, on human alone       | 0.8125 | 0.8323 | 0.8361 | -6 % |
# | tcn, with E. coli                    | 0.8136 | 0.8252 | 0.8276 | -11% |
#
# Reads of another kind don't help as they are: decoding is then chosen on both, and finds too little on either.
VARIANTS = {
    "base": Variant(),
    "tcn": Variant(settings=Tcn()),
    "resnet": Variant(settings=Resnet()),
    "resnet of stride 1": Variant(settings=Resnet(stem_stride=1)),
    "four levels: sees 103 samples": Variant(settings=Unet(channels=(24, 48, 96, 192))),
    "four levels, 32 channels": Variant(settings=Unet(channels=(32, 64, 128, 256))),
    "dropout 0.2": Variant(settings=replace(NETWORK, dropout=0.2)),
    "no augmentation": Variant({"augment": AugmentConfig()}),
    "more augmentation": Variant({"augment": AugmentConfig(noise=0.3, scale=0.2, shift=0.2)}),
    "stretch 0.15": Variant({"augment": AugmentConfig(noise=0.1, scale=0.1, shift=0.1, stretch=0.15)}),
    "class_balance 0": Variant({"class_balance": 0.0}),
    "class_balance 1": Variant({"class_balance": 1.0}),
    "learning rate 2e-3": Variant({"learning_rate": 2e-3}),
    "learning rate 8e-3": Variant({"learning_rate": 8e-3}),
    "warmup 0.3": Variant({"warmup": 0.3}),
    "windows of 4000, 16 a step": Variant({"chunk_samples": 4000, "batch_size": 16}),
    "focal loss": Variant(objective=Focal),
    "soft boundaries": Variant(objective=Soft),
    "counts in the loss": Variant(objective=Counting),
    "moving average": Variant(run=Averaged),
    "equal stores": Variant({"equal_stores": True}),
    "from R9.4.1": Variant({"start_from": "dna_r9.4.1_boundary"}),
    "from R9.4.1, dropout 0.2": Variant({"start_from": "dna_r9.4.1_boundary"}, replace(NETWORK, dropout=0.2)),
    "from R9.4.1, learning rate 1e-3": Variant({"start_from": "dna_r9.4.1_boundary", "learning_rate": 1e-3}),
    "where two sources agree": Variant(instead=("where two sources agree",)),
    "with E. coli": Variant(more=("E. coli",)),
    "with simulated": Variant(more=("simulated",)),
    "with simulated, as f5c": Variant(more=("simulated as f5c",)),
}
OF_R10 = [
    name for name, variant in VARIANTS.items() if "start_from" in variant.change or variant.more or variant.instead
]
"""Variants that only r10.4.1 has: there are few such reads."""
OF_R9 = ["equal stores"]
"""It has several stores."""

SCORES = ("f1_0", "f1_1", "f1_2", "over_segmentation")


@dataclass(frozen=True)
class Tried:
    """How good a variant is."""

    variant: str
    scores: dict[str, dict[str, float]]
    """Set -> score -> value, on its validation reads."""


def _try(name: str, chemistry: str, steps: int, runs: Path) -> Tried:
    """Train one variant, and judge it."""
    variant, stores_folder = VARIANTS[name], runs / "stores" / chemistry
    own = {one.name: one.store(stores_folder) for one in SETS[chemistry]}
    first = [MORE[store](stores_folder) for store in variant.instead] or list(own.values())
    stores = [*first, *(MORE[store](stores_folder) for store in variant.more)]
    config = replace(BASE, max_steps=steps, validate_every=max(1, steps // 4), allow_mixed=True, **variant.change)
    out = runs / chemistry / f"{steps}_{name.replace(' ', '_')}"
    network = next(key for key, one in ARCHITECTURES.items() if isinstance(variant.settings, one.settings))
    run = variant.run(stores, out, network, variant.settings, config)
    if not run.finished:
        usual = run.module
        weights = cast(BoundaryObjective, usual.objective).class_weights
        run.module = SampleModule(usual.network, variant.objective(weights), config)
        with progress_bar(name) as progress:
            run.fit(progress)
    return Tried(name, {one: _scores(run.bundle, store) for one, store in own.items()})


def _scores(bundle: Path, store: Store) -> dict[str, float]:
    """The scores on the validation reads."""
    labeller = load(bundle)
    truths = Truths([store], labeller.recipe, "validation", guarded=False)
    scores = judge(labeller, truths, {}, lambda *_: None).scores[MODEL]
    return {key: scores[key] for key in SCORES}


def _cells(tried: Tried) -> list[str]:
    numbers = [
        f"{value:+.3f}" if key == "over_segmentation" else f"{value:.4f}"
        for scores in tried.scores.values()
        for key, value in scores.items()
    ]
    return [tried.variant, *numbers]


def main(arguments: Sequence[str] | None = None) -> None:
    """Try what is asked for, print and write.

    Args:
        arguments: Of the command line; default: those of this process.
    """
    parser = study_parser("try_training", __doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"variants: {', '.join(VARIANTS)}")
    parser.add_argument("--set", choices=SETS, default="r9.4.1", help="reads to train on; default: r9.4.1")
    parser.add_argument("--steps", type=int, default=500, help="optimiser steps of each; default: 500")
    parser.add_argument("--runs", type=Path, default=ROOT / "runs" / "tried", help="stores and training runs")
    chosen = parser.parse_args(arguments)
    possible = [name for name in VARIANTS if name not in (OF_R10 if chosen.set == "r9.4.1" else OF_R9)]
    if unknown := set(chosen.names) - set(possible):
        parser.error(f"no variant {', '.join(unknown)} of {chosen.set}; there are {', '.join(possible)}")
    required_data(*(one.name for one in SETS[chosen.set]))
    heads = [f"{one.name}, {head}" for one in SETS[chosen.set] for head in ("exact", "±1", "±2", "too many")]
    table, results = MarkdownTable("", *heads), list[Tried]()
    for name in chosen.names or possible:
        tried = _try(name, chosen.set, chosen.steps, chosen.runs)
        table.add(*_cells(tried))
        results.append(tried)
        write_results(chosen, results)


if __name__ == "__main__":
    main()
