"""What the scores say, in a few sentences; plain text, which the page escapes."""

import math
from dataclasses import dataclass

import numpy as np

from poreconv.evaluation.result import MODEL, Evaluation, Scores
from poreconv.models.card import HEADLINES

ALIGNERS = {"dna_r9.4.1": 0.81, "rna001": 0.58, "rna002": 0.51}
"""Chemistry -> F1 within one sample of two aligners that know the sequence, Tombo and f5c, against each other; measured
on 38 lambda reads, 23 of RNA001 and 32 of RNA002."""

DIGITS = 3
"""Of scores on the page."""

SLIGHT = 0.03
"""Share of boundaries too many or too few that is not worth a word."""

FEW_READS = 5
"""Fewer reads than this say little of others."""

MEANING = {
    "f1_1": "F1 of boundaries, matched one to one within one sample",
    "macro_f1": "F1 over samples, averaged over the classes",
    "accuracy": "share of the reads whose class is told right",
}


@dataclass(frozen=True)
class Verdict:
    """The best baseline beside the model."""

    baseline: str
    score: float
    difference: float
    """The model's headline score less the baseline's."""
    clear: bool
    """Whether their intervals are apart."""

    @property
    def tone(self) -> str:
        """``good``, ``bad``, or ``open`` where the intervals overlap."""
        if not self.clear:
            return "open"
        return "good" if self.difference > 0 else "bad"


def verdict(result: Evaluation) -> Verdict | None:
    """Compare the model with the baseline that has the best headline score; None without a baseline."""
    key, model = result.headline, result.scores[MODEL]
    others = {name: row for name, row in result.scores.items() if name != MODEL and not math.isnan(row[key])}
    if not others or math.isnan(model[key]):
        return None
    name = max(others, key=lambda name: others[name][key])
    best = others[name]
    clear = model[f"{key}_low"] > best[f"{key}_high"] or model[f"{key}_high"] < best[f"{key}_low"]
    shown = round(model[key], DIGITS) - round(
        best[key], DIGITS
    )  # of what stands there, so that a reader's sum is right
    return Verdict(name, best[key], shown, clear)


def how_good(result: Evaluation) -> str:
    """What the headline score means for a user."""
    scores = result.scores[MODEL]
    if math.isnan(scores[result.headline]):
        return "Nothing can be said: there is nothing true to find in these reads."
    if result.recipe.task == "boundary":
        said = (
            f"It finds {_percent(scores['recall_1'])} of the true boundaries within one sample;"
            f" {_percent(scores['precision_1'])} of those that it reports are right."
        )
        return f"{said}{_beside_aligners(result)}"
    if result.recipe.task == "read":
        ranked = (
            f"shown a read of a class and one of another, it ranks them right in {_percent(scores['auroc'])} of cases"
        )
        return f"It tells {_percent(scores['accuracy'])} of the reads right; {ranked}."
    overlap = f"true segments share {_percent(scores['mean_segment_iou'])} of their span with what was found for them"
    return f"It gives {_percent(scores['accuracy'])} of the samples their true class; on average {overlap}."


def _beside_aligners(result: Evaluation) -> str:
    known = [code for code in result.recipe.chemistries if code in ALIGNERS]
    if len(known) != 1:
        return ""
    return f" For scale: two aligners that know the sequence agree at {ALIGNERS[known[0]]:.2f} on {known[0]} reads."


def compared(result: Evaluation) -> str:
    """How much better than what needs no training."""
    best = verdict(result)
    if best is None:
        return "With nothing: no baseline was judged on these reads."
    n_others = len(result.scores) - 1
    rank = f"the best of {n_others} baselines" if n_others > 1 else "the only baseline"
    better = "better" if best.difference > 0 else "worse"
    apart = "the intervals are apart" if best.clear else "the intervals overlap"
    said = (
        f"With {best.baseline}, {rank}, at {best.score:.3f}: the model is {abs(best.difference):.3f} {better}, {apart}."
    )
    return said + _reads_won(result)


def _reads_won(result: Evaluation) -> str:
    best = verdict(result)
    if best is None or len(result.reads) < 2:
        return ""
    won = sum(read.model[result.read_headline] > read.baselines[best.baseline] for read in result.reads)
    return f" It is ahead on {won} of {len(result.reads)} reads."


def where_it_fails(result: Evaluation) -> str:
    """What goes wrong most, and in which read."""
    scores = result.scores[MODEL]
    if math.isnan(scores[result.headline]):
        return ""
    balance = _boundary_balance(scores) if result.recipe.task == "boundary" else _weakest_class(result)
    return f"{balance}{_worst_read(result)}"


def _boundary_balance(scores: Scores) -> str:
    missed, wrong = 1 - scores["recall_1"], 1 - scores["precision_1"]
    surplus = scores["over_segmentation"]
    errors = f"it misses {_percent(missed)}, and {_percent(wrong)} of what it reports is nothing"
    if math.isnan(wrong):
        return "It reports no boundary at all."
    if abs(surplus) < SLIGHT:
        return f"It reports about as many boundaries as there are; {errors}."
    return f"It reports {_percent(abs(surplus))} too {'many' if surplus > 0 else 'few'} boundaries; {errors}."


def _weakest_class(result: Evaluation) -> str:
    scores, classes = result.scores[MODEL], result.recipe.classes
    known = [name for name in classes if scores[f"support_{name}"] > 0]
    weakest = min(known, key=lambda name: scores[f"f1_{name}"])
    row = np.array(result.confusion[classes.index(weakest)], float)
    lost = row.copy()
    lost[classes.index(weakest)] = 0
    said = f"The hardest class is {weakest}, F1 {scores[f'f1_{weakest}']:.3f}."
    if not lost.any():
        return said
    taken = [*classes, "none"][int(lost.argmax())]
    what = "reads" if result.recipe.task == "read" else "samples"
    return f"{said} {_percent(lost.max() / row.sum())} of its {what} are taken for {taken}."


def _worst_read(result: Evaluation) -> str:
    if len(result.reads) < 2:
        return ""
    best, worst = (result.reads[place].model[result.read_headline] for place in (0, -1))
    if result.recipe.task == "read":
        return f" To the true class of the worst read, {result.reads[-1].read_id}, it gives {worst:.2f}."
    return f" The worst read, {result.reads[-1].read_id}, has {worst:.3f}; the best {best:.3f}."


def cautions(result: Evaluation) -> list[str]:
    """What a reader must know before trusting the numbers."""
    said, n_reads = [], result.ledger.kept
    if result.recipe.confounded:
        said.append(f"{result.recipe.confounder}.")
    if result.data.get("split") == "validation":
        said.append(
            "Judged on validation reads, since there were no test reads: checkpoint and threshold were chosen on these"
            " very reads, so the scores flatter. poreconv prepare --split.test 0.2 sets test reads aside."
        )
    if result.data.get("split") in {"train", "all"} and "stores" in result.data:
        said.append("Not only test reads of the store were judged; those that trained this model were left out.")
    if n_reads < FEW_READS:
        said.append(f"Only {n_reads:,} {'read' if n_reads == 1 else 'reads'}: the interval says little of other reads.")
    taken, there = (int(result.data.get(name, 0)) for name in ("reads_taken", "reads_in_split"))
    if taken < there:
        said.append(f"{taken:,} of the split's {there:,} reads were judged, taken evenly.")
    return said


def headline_name(result: Evaluation) -> str:
    """What the headline score is called."""
    key, called = HEADLINES[result.recipe.task]
    return MEANING.get(key, called)


def _percent(share: float) -> str:
    return f"{share:.1%}" if share < 0.0995 else f"{share:.0%}"
