"""How large is the step of the current at the boundaries that a model finds, misses, and invents?

Usage: python -m scripts.studies.missed_boundaries MODEL STORE [--split test] [--json missed_boundaries.json]

MODEL is a file or a shipped model's name, STORE what `poreconv prepare` made for task boundary; reads that trained the
model are left out. Prints a Markdown table: how many there are of each kind (one-to-one within one sample), and which
share of them steps by less than 0.15 and 0.3 SD of the read. A step is the difference between the mean normalised
current of the event before and of the one that begins there; events are the true ones for what is found and missed, the
model's own for what it invents.
"""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from poreconv.dataset.store import Store
from poreconv.evaluation.truths import Truths
from poreconv.events.matching import partners
from poreconv.events.targets import boundaries, known_starts
from poreconv.inference.labeller import Labeller, load
from poreconv.runtime.ledger import Ledger
from scripts.studies.results import MarkdownTable, study_parser, write_results

SMALL = (0.15, 0.3)
"""Steps, in SDs of the read, below which they are counted."""

KINDS = ("found", "missed", "invented")

Steps = NDArray[np.float64]
"""In SDs of the read, one per boundary."""


@dataclass(frozen=True)
class Kind:
    """The boundaries of one kind."""

    kind: str
    number: int
    median_step: float
    """In SDs of the read; NaN if there are none."""
    below: dict[float, float]
    """Step -> share of the boundaries whose step is smaller."""


def _steps_of(labeller: Labeller, truths: Truths, ledger: Ledger) -> dict[str, list[Steps]]:
    """Kind -> steps, by read."""
    found: dict[str, list[Steps]] = {kind: [] for kind in KINDS}
    for read, events in labeller.label(truths.reads(ledger), ledger):
        target, x_n = truths.target((read.source, read.read_id)), labeller.normalised(read)
        true, predicted = boundaries(target), known_starts(events, target)
        partner = partners(true, predicted, 1)
        hit, inner = partner >= 0, true > 0
        true_steps = _steps(x_n, true[inner])
        found["found"].append(true_steps[hit[inner]])
        found["missed"].append(true_steps[~hit[inner]])
        own = predicted[predicted > 0]
        found["invented"].append(_steps(x_n, own)[np.isin(own, np.delete(predicted, partner[hit]))])
    return found


def _steps(x_n: NDArray[np.float32], edges: NDArray[np.int64]) -> Steps:
    """Absolute difference of the means before and after each of the edges, none of which is 0."""
    bounds = np.unique(np.concatenate([[0], edges, [len(x_n)]]))
    total = np.concatenate([[0.0], np.cumsum(x_n, dtype=np.float64)])
    mean = np.diff(total[bounds]) / np.diff(bounds)
    at = np.searchsorted(bounds, edges)
    return np.asarray(np.abs(mean[at] - mean[at - 1]))


def _kinds(steps: Mapping[str, Sequence[Steps]]) -> list[Kind]:
    joined = {kind: np.concatenate(some) for kind, some in steps.items()}
    return [
        Kind(
            kind,
            len(step),
            float(np.median(step)) if len(step) else np.nan,
            {small: float((step < small).mean()) if len(step) else np.nan for small in SMALL},
        )
        for kind, step in joined.items()
    ]


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, print and write.

    Args:
        arguments: Of the command line; default: those of this process.
    """
    parser = study_parser("missed_boundaries", __doc__)
    parser.add_argument("model", metavar="MODEL", help="a trained model's file, or a shipped model's name")
    parser.add_argument("store", type=Path, metavar="STORE", help="what poreconv prepare made, task boundary")
    parser.add_argument("--split", default="test", help="train, validation, test (default) or all")
    chosen = parser.parse_args(arguments)
    labeller, ledger = load(chosen.model), Ledger()
    steps = _steps_of(labeller, Truths([Store(chosen.store)], labeller.recipe, chosen.split), ledger)
    if not steps["found"]:
        sys.exit(f"{chosen.store}: no read of split {chosen.split} to judge on; {ledger.summary()}")
    kinds = _kinds(steps)
    table = MarkdownTable("boundaries", "number", "median step", *(f"below {small}" for small in SMALL))
    for one in kinds:
        table.add(one.kind, f"{one.number:,}", f"{one.median_step:.2f}", *(f"{x:.0%}" for x in one.below.values()))
    write_results(chosen, kinds)


if __name__ == "__main__":
    main()
