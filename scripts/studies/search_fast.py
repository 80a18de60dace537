"""Which small network is best at which speed? Trains candidates, turns them into int8, judges and times them.

Usage: python -m scripts.studies.search_fast [NAME...] [--steps 500] [--figure FILE] [--runs runs]
       [--json search_fast.json]

Without names, all candidates. Each learns from lambda and E. coli reads as the shipped R9.4.1 model does, but without a
teacher and for fewer steps; validation reads chose among them, test reads show how good they are. The reads are looked
for in $PORECONV_DATA, else in ../shared/data; training runs go to `search` in --runs, where what was trained stays, and
stores to `shipped` beside it. Prints a Markdown table: F1 of boundaries within one sample, weights, multiply-adds per
sample, and million samples per second of one core (four chunks of 8,000 samples, networks and detectors taking turns).
The figure draws F1 on lambda's test reads against speed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from poreconv.commands.train import train
from poreconv.config import TrainConfig
from poreconv.dataset.store import Store
from poreconv.evaluation.judge import judge
from poreconv.evaluation.result import MODEL
from poreconv.evaluation.truths import Truths
from poreconv.inference.labeller import Labeller, load
from poreconv.models.architectures import ARCHITECTURES, Campolina, Resnet, Strided, Unet
from poreconv.models.bundle import load_bundle
from poreconv.models.onnx_export import write_onnx
from poreconv.models.shipped import find_bundle
from scripts.studies.bench_inputs import BEST, FAST
from scripts.studies.boundary_training import AUGMENT
from scripts.studies.results import ROOT, MarkdownTable, required_data, study_parser, write_results
from scripts.studies.sets import DETECTORS, ECOLI, LAMBDA, calibration
from scripts.studies.timing import detection, in_turns, on_chunks

SETS = (LAMBDA, ECOLI)

IN_INT8: dict[str, Any] = {
    "unet stride 2, 32-48-64-96": Unet(channels=(32, 48, 64, 96), stem_stride=2),
    "unet stride 2, 32-64-96-128": Unet(channels=(32, 64, 96, 128), stem_stride=2),
    "unet stride 3, 48-96-128": Unet(channels=(48, 96, 128), stem_stride=3),
    "unet stride 4, 64-96-128": Unet(channels=(64, 96, 128), stem_stride=4, stem_kernel=9),
    "unet stride 4, 32-48-64": Unet(channels=(32, 48, 64), stem_stride=4, stem_kernel=9),
    "strided 3, 64": Strided(stride=3),
    "strided 4, 64": Strided(),
    "strided 4, 96, depthwise": Strided(channels=96, groups=96),
    "strided 4, 96, 4 groups": Strided(channels=96, groups=4),
    "strided 2, 64, depthwise": Strided(stride=2, groups=64, dilations=(1, 2, 4, 8, 16, 1, 2, 4)),
    "resnet stride 2, 32-64-96": Resnet(channels=(32, 64, 96)),
    "resnet stride 2, one block": Resnet(blocks=1),
    "resnet stride 3": Resnet(stem_stride=3),
    "resnet stride 4, 48-96": Resnet(channels=(48, 96), stem_stride=4),
}
AS_TRAINED: dict[str, Any] = {"unet": Unet(), "campolina": Campolina()}
"""Beside them, in the precision that torch takes by default."""
CANDIDATES = IN_INT8 | AS_TRAINED


@dataclass(frozen=True)
class Candidate:
    """One way to find boundaries."""

    name: str
    kind: str
    """A key of `LABELS`."""
    validation: tuple[float, ...]
    """F1 within one sample on each set's validation reads; none of what the search did not train."""
    test: tuple[float, ...]
    """The same on their test reads."""
    n_parameters: int | None = None
    """None: a detector."""
    macs_per_sample: float | None = None
    samples_per_s: float = 0.0
    """Of one core."""


LABELS = {
    "shipped": "shipped",
    "int8": "searched, 500 steps, int8",
    "as trained": "500 steps, torch's default precision",
    "detector": "detectors that learnt nothing",
}
COLOURS = {"shipped": "tab:red", "int8": "tab:blue", "as trained": "tab:green", "detector": "0.4"}
"""Kind -> colour."""


def _trained(name: str, steps: int, stores: Sequence[Store], runs: Path) -> Path:
    """Train a candidate; returns what is to run."""
    settings = CANDIDATES[name]
    architecture = next(key for key, one in ARCHITECTURES.items() if isinstance(settings, one.settings))
    out = runs / f"{name.replace(' ', '_').replace(',', '')}_{steps}"
    config = TrainConfig(max_steps=steps, validate_every=max(1, steps // 4), equal_stores=True, augment=AUGMENT)
    paths = [store.path for store in stores]
    bundle = train(paths, out=out, network=architecture, settings=settings, config=config, with_report=False).bundle
    if name in AS_TRAINED:
        return bundle
    exported = bundle.with_suffix(".onnx")
    if not exported.exists():
        clip = load_bundle(bundle)[1].normalisation.clip
        write_onnx(exported, bundle, calibration=calibration(stores, clip))
    return exported


def _judged(name: str, kind: str, model: Path, stores: Sequence[Store]) -> Candidate:
    """Scores of a model on the sets' reads."""
    labeller = load(model, threads=1)
    size = labeller.backend.size
    validation = () if kind == "shipped" else _f1(labeller, stores, "validation")
    test = _f1(labeller, stores, "test")
    return Candidate(name, kind, validation, test, size.n_parameters, size.macs_per_sample)


def _f1(labeller: Labeller, stores: Sequence[Store], split: str) -> tuple[float, ...]:
    """F1 within one sample on each store's reads of a split; of its test reads those that training never saw."""
    truths = [Truths([store], labeller.recipe, split, guarded=split == "test") for store in stores]
    return tuple(judge(labeller, each, {}, lambda *_: None).scores[MODEL]["f1_1"] for each in truths)


def _detectors() -> dict[str, Candidate]:
    scores = [one.judge(find_bundle(FAST)).scores for one in SETS]
    return {
        name: Candidate(name, "detector", (), tuple(of_set[name]["f1_1"] for of_set in scores)) for name in DETECTORS
    }


def _timed(candidates: Mapping[str, Candidate], models: Mapping[str, Path], store: Store) -> list[Candidate]:
    """The candidates with their speeds, measured in turns."""
    works = {name: on_chunks(load(model, threads=1).backend) for name, model in models.items()}
    read, recipe = store.read(int(store.rows("train")[0])), load_bundle(BEST)[1]
    rates = in_turns(works | {name: detection(name, read, recipe) for name in DETECTORS})
    return [replace(one, samples_per_s=rates[name]) for name, one in candidates.items()]


COLUMNS = ("", "", "lambda", "E. coli", "lambda, test", "E. coli, test", "weights", "multiply-adds", "Msamples/s")


def _cells(one: Candidate) -> list[str]:
    scores = [f"{score:.4f}" for score in one.validation] or ["-"] * len(SETS)
    scores += [f"{score:.3f}" for score in one.test]
    learnt = one.n_parameters is not None
    costs = [f"{one.n_parameters:,}", f"{one.macs_per_sample:,.0f}"] if learnt else ["-", "-"]
    return [one.name, one.kind, *scores, *costs, f"{one.samples_per_s / 1e6:.2f}"]


NOT_FAR_BELOW = 0.7
"""The t-test detector lies so far below that it has an axis of its own."""


def _draw(candidates: Sequence[Candidate], out: Path) -> None:
    """F1 on lambda's test reads against speed; the line is the front: what nothing beats in both."""
    figure = Figure(figsize=(8, 5), layout="constrained")
    upper, lower = figure.subplots(2, height_ratios=(4, 1), sharex=True)
    best, front, labels = NOT_FAR_BELOW, list[tuple[float, float]](), dict(LABELS)
    for one in sorted(candidates, key=lambda one: -one.samples_per_s):
        speed, f1 = one.samples_per_s / 1e6, one.test[0]
        axes = upper if f1 > NOT_FAR_BELOW else lower
        if f1 > best:
            best = f1
            front.append((speed, f1))
        axes.plot(speed, f1, "o", color=COLOURS[one.kind], markersize=5, label=labels.pop(one.kind, None))
        if one.kind != "int8":
            axes.annotate(one.name, (speed, f1), (-4, 6), textcoords="offset points", fontsize=7, ha="right")
    upper.plot(*zip(*front, strict=True), color="0.7", linewidth=1, zorder=0)
    upper.set(xscale="log", ylabel="F1 within one sample,\nlambda test reads", xlim=(0.1, 30))
    lower.set(xlabel="million samples per second, one core")
    for axes in (upper, lower):
        axes.grid(alpha=0.3)
        axes.margins(y=0.2)
    figure.legend(fontsize=7, loc="outside upper center", ncols=len(COLOURS))
    figure.savefig(out)


def main(arguments: Sequence[str] | None = None) -> None:
    """Train, judge, time, print, draw and write.

    Args:
        arguments: Of the command line; default: those of this process.
    """
    parser = study_parser("search_fast", __doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"candidates: {'; '.join(CANDIDATES)}")
    parser.add_argument("--steps", type=int, default=500, help="optimiser steps of each; default: 500")
    parser.add_argument("--figure", type=Path, help="draw F1 against speed: .svg, .png or .pdf")
    parser.add_argument("--runs", type=Path, default=ROOT / "runs", help="stores and training runs; default: runs")
    chosen = parser.parse_args(arguments)
    if unknown := set(chosen.names) - set(CANDIDATES):
        parser.error(f"no candidate {', '.join(unknown)}; there are {'; '.join(CANDIDATES)}")
    required_data(*(one.name for one in SETS))
    stores = [one.store(chosen.runs / "shipped") for one in SETS]
    names = chosen.names or list(CANDIDATES)
    models = {name: _trained(name, chosen.steps, stores, chosen.runs / "search") for name in names}
    models |= {name: find_bundle(name) for name in (BEST, FAST)}
    kinds = {name: "as trained" if name in AS_TRAINED else "int8" for name in names} | dict.fromkeys(
        (BEST, FAST), "shipped"
    )
    candidates = {name: _judged(name, kinds[name], model, stores) for name, model in models.items()} | _detectors()
    timed = _timed(candidates, models, stores[0])
    table = MarkdownTable(*COLUMNS)
    for one in timed:
        table.add(*_cells(one))
    if chosen.figure:
        _draw(timed, chosen.figure)
    write_results(chosen, timed)


if __name__ == "__main__":
    main()
