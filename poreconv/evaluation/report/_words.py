"""The page's sentences about the scores, as plain text that the page escapes."""

import math
from dataclasses import dataclass

import numpy as np

from poreconv.evaluation.result import MODEL, Evaluation, Scores
from poreconv.models.card import HEADLINES

ALIGNERS = {"dna_r9.4.1": 0.81, "rna001": 0.58, "rna002": 0.51}
"""Chemistry -> F1 within one sample of two aligners that know the sequence, Tombo and f5c, against each other; measured
on 38 lambda reads, 23 reads of RNA001 and 32 of RNA002."""

DIGITS = 3
"""Decimals of the scores on the page."""

SLIGHT = 0.03
"""Share of superfluous or lacking boundaries up to which the page calls their number about right."""

FEW_READS = 5
"""With fewer reads than this, the page warns that the interval may not hold for other reads."""

MEANING = {
    "f1_1": "F1 of boundaries, matched one to one within one sample",
    "macro_f1": "F1 over samples, averaged over the classes",
    "accuracy": "share of the reads whose class is right",
}
"""Key of a headline score -> what it is, in words."""


@dataclass(frozen=True)
class Verdict:
    """The comparison of the model with the best baseline."""

    baseline: str
    score: float
    difference: float
    """The model's headline score minus the baseline's."""
    clear: bool
    """Whether their intervals do not overlap."""

    @property
    def tone(self) -> str:
        """``good``, ``bad``, or ``open`` where the intervals overlap."""
        if not self.clear:
            return "open"
        return "good" if self.difference > 0 else "bad"


def verdict(result: Evaluation) -> Verdict | None:
    """Compare the model with the baseline that has the best headline score.

    Args:
        result: Result of the evaluation.

    Returns:
        None if there is no baseline, or the model's score is not defined.
    """
    key, model = result.headline, result.scores[MODEL]
    others = {name: row for name, row in result.scores.items() if name != MODEL and not math.isnan(row[key])}
    if not others or math.isnan(model[key]):
        return None
    name = max(others, key=lambda name: others[name][key])
    best = others[name]
    clear = model[f"{key}_low"] > best[f"{key}_high"] or model[f"{key}_high"] < best[f"{key}_low"]
    # the difference of the rounded scores, so that it agrees with the two numbers on the page
    shown = round(model[key], DIGITS) - round(best[key], DIGITS)
    return Verdict(name, best[key], shown, clear)


def how_good(result: Evaluation) -> str:
    """Answer "How good is it?": what the scores mean for a user.

    Args:
        result: Result of the evaluation.
    """
    scores = result.scores[MODEL]
    if math.isnan(scores[result.headline]):
        return "The score is not defined: the labels of these reads contain nothing to find."
    if result.recipe.task == "boundary":
        found = (
            f"It finds {_percent(scores['recall_1'])} of the true boundaries within one sample;"
            f" {_percent(scores['precision_1'])} of the boundaries that it reports are right."
        )
        return f"{found}{_aligners(result)}"
    if result.recipe.task == "read":
        ranked = f"ranks a read of one class and a read of another correctly in {_percent(scores['auroc'])} of cases"
        return f"It assigns {_percent(scores['accuracy'])} of the reads to their true class, and {ranked}."
    overlap = f"a true segment and the best predicted one overlap by {_percent(scores['mean_segment_iou'])} (IoU)"
    return f"It assigns {_percent(scores['accuracy'])} of the samples to their true class; on average, {overlap}."


def _aligners(result: Evaluation) -> str:
    known = [code for code in result.recipe.chemistries if code in ALIGNERS]
    if len(known) != 1:
        return ""
    return (
        f" For comparison: two aligners that know the sequence agree with an F1 of {ALIGNERS[known[0]]:.2f}"
        f" on {known[0]} reads."
    )


def compared(result: Evaluation) -> str:
    """Answer "Compared with what?": how much better the model is than the best baseline.

    Args:
        result: Result of the evaluation.
    """
    best = verdict(result)
    if best is None:
        return "With nothing: no baseline was judged on these reads."
    n_others = len(result.scores) - 1
    rank = f"the best of {n_others} baselines" if n_others > 1 else "the only baseline"
    better = "better" if best.difference > 0 else "worse"
    overlap = "do not overlap" if best.clear else "overlap"
    difference = f"the model is {abs(best.difference):.3f} {better}, and the intervals {overlap}"
    return f"With {best.baseline}, {rank}, which scores {best.score:.3f}: {difference}.{_reads_ahead(result)}"


def _reads_ahead(result: Evaluation) -> str:
    best = verdict(result)
    if best is None or len(result.reads) < 2:
        return ""
    n_ahead = sum(read.model[result.read_headline] > read.baselines[best.baseline] for read in result.reads)
    return f" The model is ahead on {n_ahead} of {len(result.reads)} reads."


def where_it_fails(result: Evaluation) -> str:
    """Answer "Where does it fail?": the most frequent errors, and the worst read.

    Args:
        result: Result of the evaluation.
    """
    scores = result.scores[MODEL]
    if math.isnan(scores[result.headline]):
        return ""
    balance = _boundary_balance(scores) if result.recipe.task == "boundary" else _weakest_class(result)
    return f"{balance}{_worst_read(result)}"


def _boundary_balance(scores: Scores) -> str:
    missed, wrong = 1 - scores["recall_1"], 1 - scores["precision_1"]
    surplus = scores["over_segmentation"]
    errors = f"it misses {_percent(missed)} of the true ones, and {_percent(wrong)} of those that it reports are wrong"
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
    hardest = f"The hardest class is {weakest}, with F1 {scores[f'f1_{weakest}']:.3f}."
    if not lost.any():
        return hardest
    predicted = [*classes, "no class"][int(lost.argmax())]
    counted = "reads" if result.recipe.task == "read" else "samples"
    return f"{hardest} {_percent(lost.max() / row.sum())} of its {counted} are predicted as {predicted}."


def _worst_read(result: Evaluation) -> str:
    if len(result.reads) < 2:
        return ""
    best, worst = (result.reads[place].model[result.read_headline] for place in (0, -1))
    if result.recipe.task == "read":
        return f" The worst read, {result.reads[-1].read_id}, has a probability of {worst:.2f} for its true class."
    return f" The worst read, {result.reads[-1].read_id}, scores {worst:.3f}; the best scores {best:.3f}."


def cautions(result: Evaluation) -> list[str]:
    """List what a reader must know before trusting the scores.

    Args:
        result: Result of the evaluation.
    """
    sentences, n_reads = [], result.ledger.kept
    if result.recipe.confounded:
        sentences.append(f"{result.recipe.confounder}.")
    if result.data.get("split") == "validation":
        sentences.append(
            "Judged on validation reads, since there were no test reads. The checkpoint and the threshold were chosen"
            " on these reads, so the scores are optimistic. Use poreconv prepare --split.test 0.2 to get test reads."
        )
    if result.data.get("split") in {"train", "all"} and "stores" in result.data:
        sentences.append(
            "Not only the store's test reads were judged; the reads that this model was trained on were left out."
        )
    if n_reads < FEW_READS:
        judged = "read was" if n_reads == 1 else "reads were"
        sentences.append(f"Only {n_reads:,} {judged} judged: the scores may not hold for other reads.")
    taken, there = (int(result.data.get(name, 0)) for name in ("reads_taken", "reads_in_split"))
    if taken < there:
        sentences.append(f"{taken:,} of the split's {there:,} reads were judged, taken at even intervals.")
    return sentences


def headline_name(result: Evaluation) -> str:
    """Return the name of the headline score.

    Args:
        result: Result of the evaluation.
    """
    key, name = HEADLINES[result.recipe.task]
    return MEANING.get(key, name)


def _percent(share: float) -> str:
    return f"{share:.1%}" if share < 0.0995 else f"{share:.0%}"
