"""Train Campolina's architecture and ours on the same stores for the same steps, and judge both on reads never seen.

Usage: python -m scripts.studies.compare_architectures [--steps 600] [--models NAME...] [--sets NAME...]
       [--runs runs/shipped] [--json compare_architectures.json]

R9.4.1: lambda (Tombo) and E. coli (f5c) train, their test reads judge. R10.4.1: human reads (f5c) train, another lab's
(`dna_r1041_4khz_remora`, f5c) judge; R10.4.1-back: the other way round. The reads are looked for in $PORECONV_DATA,
else in ../shared/data; stores and training runs go to --runs, where a killed training goes on. Prints a Markdown
table, with the detectors that learn nothing beside: F1 of boundaries, weights, multiply-adds, and samples labelled per
second of one core (network alone, fp32, four chunks of 8,000 samples, median of seven rounds in which the networks
take turns; for the detectors, whole reads).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from poreconv.commands.train import train
from poreconv.config import TrainConfig
from poreconv.dataset.store import Store
from poreconv.evaluation.result import MODEL
from poreconv.models.architectures import Campolina, Tcn
from poreconv.models.bundle import load_bundle
from scripts.studies.boundary_training import AUGMENT, NETWORK
from scripts.studies.results import ROOT, MarkdownTable, required_data, study_parser, write_results
from scripts.studies.sets import DETECTORS, ECOLI, HUMAN, LAMBDA, REMORA
from scripts.studies.timing import Work, as_trained, detection, in_turns, on_chunks

SETS = {
    "R9.4.1": ((LAMBDA, ECOLI), (LAMBDA, ECOLI)),
    "R10.4.1": ((HUMAN,), (REMORA,)),
    "R10.4.1-back": ((REMORA,), (HUMAN,)),
}
"""Chemistry -> what trains, and what judges."""

CONTESTANTS: dict[str, tuple[str, Any, dict[str, Any]]] = {
    "unet": ("unet", NETWORK, {}),
    "unet_from_r9.4.1": ("unet", NETWORK, {"start_from": "dna_r9.4.1_boundary"}),
    "tcn": ("tcn", Tcn(), {}),
    "campolina": ("campolina", Campolina(), {}),
}
"""Name -> architecture, its settings, and what is trained in another way."""


@dataclass(frozen=True)
class Compared:
    """One method on the reads of one set."""

    chemistry: str
    judged_on: str
    method: str
    scores: dict[str, float]
    samples_per_s: float
    """Of one core."""
    n_parameters: int | None = None
    """None: a detector."""
    macs_per_sample: float | None = None


COLUMNS = ("", "F1 exact", "±1", "±2", "R-value", "too many", "weights", "multiply-adds", "million samples/s")


def _cells(one: Compared) -> list[str]:
    scores, of_model = one.scores, one.n_parameters is not None
    f1_1 = f"{scores['f1_1']:.3f} ({scores['f1_1_low']:.3f}-{scores['f1_1_high']:.3f})"
    return [
        f"{one.chemistry} {one.judged_on}: {one.method}" if of_model else one.method,
        f"{scores['f1_0']:.3f}",
        f1_1,
        f"{scores['f1_2']:.3f}",
        f"{scores['r_value']:.3f}",
        f"{scores['over_segmentation']:+.0%}",
        f"{one.n_parameters:,}" if of_model else "-",
        f"{one.macs_per_sample:,.0f}" if of_model else "-",
        f"{one.samples_per_s / 1e6:.2f}",
    ]


def _compare(chemistry: str, models: Sequence[str], steps: int, runs: Path) -> Iterator[Compared]:
    """Train, time and judge on one chemistry."""
    learns, judged_on = SETS[chemistry]
    stores = [one.store(runs) for one in learns]
    bundles = {name: _trained(name, stores, steps, runs / f"compare_{chemistry}_{name}_{steps}") for name in models}
    networks = {name: load_bundle(bundle)[0] for name, bundle in bundles.items()}
    first = bundles[models[0]]
    rates = in_turns(
        {name: on_chunks(as_trained(network)) for name, network in networks.items()} | _detecting(first, stores[0])
    )
    for one in judged_on:
        scores = {name: one.judge(bundle).scores for name, bundle in bundles.items()}
        for name, network in networks.items():
            size = network.n_parameters, network.macs_per_sample
            yield Compared(chemistry, one.name, name, scores[name][MODEL], rates[name], *size)
        for name in DETECTORS:
            yield Compared(chemistry, one.name, name, scores[models[0]][name], rates[name])


def _trained(name: str, stores: Sequence[Store], steps: int, out: Path) -> Path:
    architecture, settings, change = CONTESTANTS[name]
    config = replace(TrainConfig(max_steps=steps, validate_every=max(1, steps // 4), augment=AUGMENT), **change)
    paths = [store.path for store in stores]
    return train(paths, out=out, network=architecture, settings=settings, config=config, with_report=False).bundle


def _detecting(model: Path, store: Store) -> dict[str, Work]:
    """The detectors over one of the training reads."""
    read, recipe = store.read(int(store.rows("train")[0])), load_bundle(model)[1]
    return {name: detection(name, read, recipe) for name in DETECTORS}


def main(arguments: Sequence[str] | None = None) -> None:
    """Compare, print and write.

    Args:
        arguments: Of the command line; default: those of this process.
    """
    parser = study_parser("compare_architectures", __doc__)
    parser.add_argument("--steps", type=int, default=600, help="optimiser steps of each; default: 600")
    parser.add_argument("--models", nargs="+", default=["unet", "tcn", "campolina"], choices=CONTESTANTS)
    parser.add_argument("--sets", nargs="+", default=list(SETS), choices=SETS)
    parser.add_argument("--runs", type=Path, default=ROOT / "runs" / "shipped", help="stores and training runs")
    chosen = parser.parse_args(arguments)
    needed = {one.name for name in chosen.sets for some in SETS[name] for one in some}
    required_data(*sorted(needed))
    table, results = MarkdownTable(*COLUMNS), list[Compared]()
    for chemistry in chosen.sets:
        for one in _compare(chemistry, chosen.models, chosen.steps, chosen.runs):
            table.add(*_cells(one))
            results.append(one)
        write_results(chosen, results)


if __name__ == "__main__":
    main()
