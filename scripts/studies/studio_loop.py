"""Does the loop of the studio pay? Known labels stand in the person's place; see what marking costs, and what it gives.

Usage: python -m scripts.studies.studio_loop [--seeds 5] [--steps 200] [--json studio_loop.json]

Three sets: the reads of RNA002 and of RNA004 whose poly(A) tail is known, looked for in $PORECONV_DATA, else in
../shared/data; and 60 simulated RNA004 reads of two kinds, 48 with a tail and 12 of the rare kind, which begin in the
open pore and have no tail. A third of each set is put aside for the score, the same reads always. Of the others three
are marked in a project of the studio, `prepare --labels studio` reads it, `train` learns from it with half the width of
its preset, and three more are marked: those that the studio offers (`poreconv.studio.offering`), or random ones; and so
on. Measured are the marked reads that it takes to reach 95 % of the score that a model of all gives; the score is the
mean F1 of the classes, over samples.

The actions that a read costs are counted as `studio_person` has it, with and without proposals: of all reads that are
left when ten have been marked at random, with proposals of the preset's network after 300 steps, a third of its own;
and in the loop, of the reads that the studio offers next, which are the most doubtful, with proposals of that round's
model.

Prints a Markdown row for each run as it is done, and draws a figure beside the JSON. Takes half an hour of one core.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from itertools import product
from pathlib import Path
from statistics import mean, median
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from poreconv.cli.terminal import print_line
from poreconv.commands.train import train
from poreconv.config import (
    PrepareConfig,
    SplitConfig,
    TrainConfig,
    WorkConfig,
)
from poreconv.dataset.prepare import prepare
from poreconv.evaluation.metrics import SegmentMetric
from poreconv.events.events import Events
from poreconv.events.tasks import task_named
from poreconv.inference.labeller import Labeller, load
from poreconv.labels.marks import Marks
from poreconv.models.architectures import Strided
from poreconv.studio.offering import doubt, offered
from scripts.studies.regions_training import NETWORK as WIDE, PLANS
from scripts.studies.results import MarkdownTable, required_data, study_parser, write_results
from scripts.studies.studio_person import Known, actions, actions_without, marks_of, real, regions_in, simulated

FIRST, EACH_ROUND = 3, 3
"""Reads that are marked before the first training, and between two."""

ENOUGH = 0.95
"""Share of the score that a model of all reads has."""

AS_USUAL = TrainConfig(preset="regions", max_steps=300, validate_every=100, precision="32", accelerator="cpu")
"""A third of the preset's steps."""
SMALL, QUICK = replace(WIDE, channels=16), replace(AS_USUAL, learning_rate=8e-3)
"""In the loop networks have half the width that the preset takes, and learn four times as fast: they are many."""

MARKED = 10
"""Reads that are marked before proposals are counted: so many are marked before a person first trains."""

PERSON = "known labels"

WAYS = ("studio", "random")

# C classes, T samples


@dataclass(frozen=True)
class Run:
    """One way through one set."""

    set: str
    chosen_by: str
    """``studio`` or ``random``."""
    seed: int
    score_of_all: float
    scores: dict[int, float] = field(default_factory=dict)
    """Number of marked reads -> score."""
    actions: list[int] = field(default_factory=list)
    """Of each read that was proposed."""
    actions_without: list[int] = field(default_factory=list)
    """Of the same reads, without proposals."""

    @property
    def marks_needed(self) -> int:
        """Reads that were marked until the score sufficed; all, if it never did."""
        return max(self.scores)


@dataclass
class Learner:
    """Trains on marked reads, by the studio's own way."""

    known: Known
    seed: int
    config: TrainConfig
    network: Strided | None
    """None: that of the preset."""
    work: Path
    done: dict[tuple[str, ...], Labeller] = field(default_factory=dict)
    """What was trained, by the reads that were marked."""

    def __call__(self, marked: Sequence[str]) -> Labeller:
        """Train a model.

        Args:
            marked: Ids of the reads.
        """
        key = tuple(sorted(marked))
        if key not in self.done:
            self.done[key] = self._trained(key)
        return self.done[key]

    def _trained(self, marked: Sequence[str]) -> Labeller:
        folder = self.work / str(len(self.done))
        with Marks(folder / "project", writable=True) as marks:
            for read_id in marked:
                marks.change(PERSON, read_id, marks_of(self.known.truth[read_id][1]))
        split = SplitConfig(validation=0.1, test=0, seed=self.seed)
        config = PrepareConfig(task="segment", split=split, work=WorkConfig(workers=1))
        store, project = folder / "store", [folder / "project"]
        prepare(self.known.files, labels="studio", labels_from=project, out=store, config=config)
        training, out = replace(self.config, seed=self.seed), folder / "run"
        made = train(store, out=out, network="strided", settings=self.network, config=training, with_report=False)
        return load(made.bundle, threads=1)


def score(known: Known, labeller: Labeller) -> float:
    """Return the mean F1 of the classes, over the samples of the reads that were put aside.

    Args:
        known: The set.
        labeller: The model; a class that it does not know is not found.
    """
    metric = SegmentMetric(known.classes)
    for read, found in labeller.label(known.truth[one][0] for one in known.aside):
        label = np.array([known.classes.index(one.label) for one in regions_in(found)], np.int16)
        named = Events.of(found.start, found.end, label=label, classes=known.classes)
        target = task_named("segment").target
        metric.update(target(known.truth[read.read_id][1], len(read.adc)), target(named, len(read.adc)))
    return float(metric.compute()["macro_f1"])


Probabilities = dict[str, NDArray[np.float32]]
"""Read id -> probability of each class at each sample, shape ``(C, n_samples)``."""


def doubts(found: Probabilities, before: Probabilities) -> dict[str, float]:
    """Return the doubt about each read.

    Args:
        found: By the last model.
        before: By the model before, if there was one; it counts where it has the same classes.
    """
    last = {one: before[one] for one in found if one in before and before[one].shape == found[one].shape}
    return {one: doubt(p_CT, last.get(one)) for one, p_CT in found.items()}


def gone_through(known: Known, chosen_by: str, learner: Learner) -> Run:
    """Mark, train, and choose the next reads, until the score suffices or all are marked.

    Args:
        known: The set.
        chosen_by: ``studio`` or ``random``.
        learner: Of the set; both ways share it, since they begin with the same reads.
    """
    run = Run(known.name, chosen_by, learner.seed, score(known, learner(known.pool)))
    order = offered(dict.fromkeys(known.pool, 0.0), (), learner.seed)  # nothing is known yet: at random
    marked, before, order = order[:FIRST], Probabilities(), order[FIRST:]
    while True:
        labeller = learner(marked)
        run.scores[len(marked)] = score(known, labeller)
        found = {read.read_id: p_CT for read, p_CT in labeller.with_probabilities(known.truth[one][0] for one in order)}
        if chosen_by == "studio":
            order = offered(doubts(found, before), marked, learner.seed)
        for read, events in (known.truth[one] for one in order[:EACH_ROUND]):
            run.actions.append(actions(events, labeller.decode(read, found[read.read_id])))
            run.actions_without.append(actions_without(events))
        if not order or run.scores[len(marked)] >= ENOUGH * run.score_of_all:
            return run
        marked, before, order = [*marked, *order[:EACH_ROUND]], found, order[EACH_ROUND:]


@dataclass(frozen=True)
class Proposed:
    """What it takes to mark reads with the proposals of a model of `MARKED` reads, which the preset trained."""

    set: str
    score: float
    actions: list[int]
    """Of each read that was not marked."""
    actions_without: list[int]


def proposed(known: Known, learner: Learner) -> Proposed:
    """Mark some reads at random, train, and count the actions that the others take.

    Args:
        known: The set.
        learner: Of the set.
    """
    labeller = learner(offered(dict.fromkeys(known.pool, 0.0), (), learner.seed)[:MARKED])
    [marked] = learner.done
    left = [regions for read_id, regions in known.truth.items() if read_id not in marked]
    counts = [actions(events, labeller(read)) for read, events in left]
    return Proposed(known.name, score(known, labeller), counts, [actions_without(events) for _, events in left])


@dataclass(frozen=True)
class Summary:
    """What a set gave."""

    set: str
    marks_by_studio: float
    """Median over the seeds."""
    marks_at_random: float
    actions: float
    """Mean per read, see `Proposed`."""
    actions_in_loop: float
    """Mean of the reads that the studio offered in the loop, the most doubtful ones, by its small models."""
    actions_without: float


def summary_of(with_proposals: Proposed, runs: Sequence[Run]) -> Summary:
    """Summarise what a set gave.

    Args:
        with_proposals: What its proposals saved.
        runs: Of all sets.
    """
    of_set = [run for run in runs if run.set == with_proposals.set]
    studio, at_random = (median(run.marks_needed for run in of_set if run.chosen_by == way) for way in WAYS)
    in_loop = mean(count for run in of_set if run.chosen_by == "studio" for count in run.actions)
    counts = mean(with_proposals.actions), in_loop, mean(with_proposals.actions_without)
    return Summary(with_proposals.set, studio, at_random, *counts)


Bars = dict[str, tuple[str, str]]
"""Field of `Summary` -> its words and colour."""
MARKS: Bars = {
    "marks_by_studio": ("chosen by the studio", "tab:blue"),
    "marks_at_random": ("chosen at random", "0.6"),
}
ACTIONS: Bars = {
    "actions": (f"proposals of {MARKED} marked reads", "tab:blue"),
    "actions_in_loop": ("doubtful reads in the loop", "tab:cyan"),
    "actions_without": ("without proposals", "0.6"),
}


def figure(results: Mapping[str, Any]) -> Figure:
    """Draw what the study gave.

    Args:
        results: ``results`` of its JSON.
    """
    drawn, summaries = Figure(figsize=(8, 3.2), layout="constrained"), results["summaries"]
    for axes, bars, words in zip(
        drawn.subplots(1, 2),
        (MARKS, ACTIONS),
        ("marked reads until 95 % of the score", "actions per read"),
        strict=True,
    ):
        width = 0.8 / len(bars)
        for number, (name, (label, colour)) in enumerate(bars.items()):
            places = np.arange(len(summaries)) + (number - (len(bars) - 1) / 2) * width
            drawn_bars = axes.bar(places, [one[name] for one in summaries], width * 0.9, color=colour, label=label)
            axes.bar_label(drawn_bars, fmt="%.3g", fontsize=8)
        axes.set_xticks(range(len(summaries)), [one["set"].removesuffix("_polya_regions") for one in summaries])
        axes.set_ylabel(words)
        axes.margins(y=0.35)
        axes.legend(frameon=False, fontsize=8, loc="upper left")
        axes.spines[["top", "right"]].set_visible(False)
    return drawn


COLUMNS = ("set", "chosen by", "seed", "score of all", "marked reads: score", "actions per read", "without proposals")


def _cells(run: Run) -> list[str]:
    scores = ", ".join(f"{number}: {value:.3f}" for number, value in run.scores.items())
    counts = [f"{mean(each):.1f}" if each else "-" for each in (run.actions, run.actions_without)]
    return [run.set, run.chosen_by, str(run.seed), f"{run.score_of_all:.3f}", scores, *counts]


def loops(sets: Sequence[Known], seeds: int, steps: int, work: Path) -> list[Run]:
    """Go through all sets in both ways, and print each.

    Args:
        sets: The sets.
        seeds: How often.
        steps: Of each training.
        work: Folder for projects, stores and training runs.
    """
    table, runs = MarkdownTable(*COLUMNS), list[Run]()
    config = replace(QUICK, max_steps=steps, validate_every=steps)
    for seed, known in product(range(seeds), sets):
        learner = Learner(known, seed, config, SMALL, work / f"{known.name}{seed}")
        for way in WAYS:
            runs.append(gone_through(known, way, learner))
            table.add(*_cells(runs[-1]))
    return runs


def main(arguments: Sequence[str] | None = None) -> None:
    """Go through the sets, print, write and draw.

    Args:
        arguments: Of the command line; default: those of this process.
    """
    parser = study_parser("studio_loop", __doc__)
    parser.add_argument("--seeds", type=int, default=5, help="ways through each set; default: 5")
    parser.add_argument("--steps", type=int, default=200, help="optimiser steps in the loop; default: 200")
    chosen = parser.parse_args(arguments)
    required_data(*(plan.labelled.name for plan in PLANS.values()))
    with TemporaryDirectory(prefix="poreconv-loop-") as folder:
        work = Path(folder)
        sets = [*(real(name) for name in PLANS), simulated(work)]
        runs = loops(sets, chosen.seeds, chosen.steps, work)
        found = [proposed(known, Learner(known, 0, AS_USUAL, None, work / known.name)) for known in sets]
    summaries = [summary_of(one, runs) for one in found]
    print_line("")
    table = MarkdownTable(*Summary.__dataclass_fields__)
    for one in summaries:
        table.add(*(f"{value:.3g}" if isinstance(value, float) else value for value in asdict(one).values()))
    write_results(chosen, {"summaries": summaries, "proposed": found, "runs": runs})
    figure(json.loads(chosen.json.read_text())["results"]).savefig(chosen.json.with_suffix(".svg"))


if __name__ == "__main__":
    main()
