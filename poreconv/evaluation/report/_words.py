"""The page's sentences about the scores, as plain text that the page escapes."""

import math
from dataclasses import dataclass
from pathlib import Path

from poreconv.evaluation.result import MODEL, Evaluation, Scores
from poreconv.evaluation.words import FOLDS, INCLUDE_TRAINING, marks
from poreconv.plot.tables import SCORE, logged

DIGITS = 3
"""Decimals of the scores on the page."""

FEW_READS = 5
"""With fewer reads than this, the page warns that the interval may not hold for other reads."""


FEW_VALIDATIONS = 3
"""With fewer validations than this, the course of a training is not known."""

LAST_PART, STILL_RISING = 0.25, 0.05
"""Last part of a training's steps, and the rise of the best score in it from which the training was too short."""


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
    others = {name: row for name, row in _baselines(result).items() if not math.isnan(row[key])}
    if not others or math.isnan(model[key]):
        return None
    name = max(others, key=lambda name: others[name][key])
    best = others[name]
    clear = model[f"{key}_low"] > best[f"{key}_high"] or model[f"{key}_high"] < best[f"{key}_low"]
    # the difference of the rounded scores, so that it agrees with the two numbers on the page
    shown = round(model[key], DIGITS) - round(best[key], DIGITS)
    return Verdict(name, best[key], shown, clear)


def _baselines(result: Evaluation) -> dict[str, Scores]:
    others = {MODEL, *result.presentation.references}
    return {name: row for name, row in result.scores.items() if name not in others}


def how_good(result: Evaluation) -> str:
    """Answer "How good is it?": what the scores mean for a user.

    Args:
        result: Result of the evaluation.
    """
    scores = result.scores[MODEL]
    if math.isnan(scores[result.headline]):
        return f"The score is not defined: {result.presentation.undefined}."
    return result.presentation.how_good(result)


def compared(result: Evaluation) -> str:
    """Answer "Compared with what?": how much better the model is than the best baseline.

    Args:
        result: Result of the evaluation.
    """
    best = verdict(result)
    if best is None:
        return "With nothing: no baseline was judged on these reads."
    n_others = len(_baselines(result))
    rank = f"the best of {n_others} baselines" if n_others > 1 else "the only baseline"
    better = "better" if best.difference > 0 else "worse"
    of_one_read = math.isnan(result.model_scores[f"{result.headline}_low"])
    overlap = "" if of_one_read else f", and the intervals {'do not overlap' if best.clear else 'overlap'}"
    difference = f"the model is {abs(best.difference):.3f} {better}{overlap}"
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
    shown = result.presentation
    worst = shown.worst_read(result) if len(result.reads) > 1 else ""
    return f"{shown.balance(result)}{worst}"


def cautions(result: Evaluation) -> list[str]:
    """List what a reader must know before trusting the scores.

    Args:
        result: Result of the evaluation.
    """
    sentences, n_reads = marks(result), result.ledger.kept
    if result.data.get("split") == "validation":
        sentences.append(
            "Judged on validation reads, since there were no test reads. The checkpoint and the threshold were chosen"
            " on these reads, so the scores are optimistic. Use poreconv prepare --split.test 0.2 to get test reads."
        )
    guarded = not result.data.keys() & {FOLDS, INCLUDE_TRAINING}
    if guarded and result.data.get("split") in {"train", "all"} and "stores" in result.data:
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


def cautions_of_training(run: Path) -> list[str]:
    """List what the course of a training shows against its model: too few steps.

    Args:
        run: Folder of the training run.

    Raises:
        FormatError: It has no log.
    """
    steps, scores = logged(run)[SCORE]
    if not steps:
        return []
    n_steps, remedy = steps[-1] + 1, "Train longer: --max_steps or --max_time."
    trained = f"The training took {n_steps:,} {'step' if n_steps == 1 else 'steps'}"
    if len(steps) < FEW_VALIDATIONS:
        times = "once" if len(steps) == 1 else "twice"
        return [
            f"{trained} and was validated {times}: too little to judge the network, the settings or the labels by."
            f" {remedy}"
        ]
    before = [score for step, score in zip(steps, scores, strict=True) if step < (1 - LAST_PART) * n_steps]
    rise = max(scores) - max(before, default=max(scores))
    if rise < STILL_RISING:
        return []
    return [
        f"{trained}, and the validation score rose by {rise:.3f} in the last quarter of them: the training ended before"
        f" the model was as good as it can be. {remedy}"
    ]


def headline_name(result: Evaluation) -> str:
    """Return the name of the headline score.

    Args:
        result: Result of the evaluation.
    """
    return result.presentation.meaning
