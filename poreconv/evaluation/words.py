"""Words about scores that several tasks share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from poreconv.evaluation.result import Evaluation

INCLUDE_TRAINING = "include_training"
"""Key in the data of a result that is there if reads that trained the model were judged too."""

FOLDS = "folds"
"""Key in the data of a result: number of models that judged the reads in folds; none: the model itself judged them."""

JUDGED, BETWEEN = "judged_samples", "samples_between_boundaries"
"""Keys in the data of a result without true labels: samples that were judged, and those from the model's first boundary
to its last, read by read."""

FEW_EVENTS, RARE, CLEARLY_LESS = 10, 0.01, 0.05
"""Fewest events of a length that a sentence is made of, as a number and as a share of all; and by how much the share
found must be less than that of all."""

COUNTED = ("absolute", "segments", "events_per_s")
"""Prefixes of the keys of scores that are numbers of samples, segments or events."""


def marks(result: Evaluation) -> list[str]:
    """List what must stand beside the scores wherever they are shown, in sentences.

    Args:
        result: Result of the evaluation.
    """
    sentences = [f"{result.recipe.confounder}."] if result.recipe.confounded else []
    if result.data.get(INCLUDE_TRAINING):
        seen = {reason: result.ledger.notes[reason] for reason in ("in_train", "in_validation")}
        counts = ", ".join(f"{reason} {n:,}" for reason, n in seen.items() if n) or "none"
        sentences.append(
            f"Reads that trained the model were judged too ({counts} of {result.ledger.kept:,}): the scores do not show"
            " how good it is on other reads."
        )
    if n_folds := result.data.get(FOLDS):
        sentences.append(
            f"Each read was judged by one of {n_folds} models that had not seen it; the bundle is another model,"
            " trained on all."
        )
    return sentences


def percent(share: float) -> str:
    """Format a share as percent, with a decimal if it is small.

    Args:
        share: 0 to 1.
    """
    return f"{share:.1%}" if share < 0.0995 else f"{share:.0%}"


def class_balance(result: Evaluation, counted: str) -> str:
    """Describe the hardest class, and what it is taken for.

    Args:
        result: Result of the evaluation.
        counted: What is judged one by one, such as ``samples``.
    """
    scores, classes = result.model_scores, result.recipe.classes
    known = [name for name in classes if scores[f"support_{name}"] > 0]
    weakest = min(known, key=lambda name: scores[f"f1_{name}"])
    row = np.array(result.confusion[classes.index(weakest)], float)
    lost = row.copy()
    lost[classes.index(weakest)] = 0
    hardest = f"The hardest class is {weakest}, with F1 {scores[f'f1_{weakest}']:.3f}."
    if not lost.any():
        return hardest
    predicted = [*classes, "no class"][int(lost.argmax())]
    return f"{hardest} {percent(lost.max() / row.sum())} of its {counted} are predicted as {predicted}."


def hardest_length(result: Evaluation, what: str, how: str) -> str:
    """Describe which lengths of true events are found least, if they are frequent and found clearly less than others.

    Args:
        result: Result of the evaluation.
        what: What is found.
        how: When it counts as found.
    """
    rows = result.found_by_length
    n_true, n_found = sum(row.n_true for row in rows), sum(row.n_found for row in rows)
    frequent = [row for row in rows if row.n_true >= max(FEW_EVENTS, RARE * n_true)]
    hardest = min(frequent, key=lambda row: row.share, default=None)
    if hardest is None or hardest.share > n_found / n_true - CLEARLY_LESS:
        return ""
    lengths = f"{hardest.shortest:,} to {hardest.longest:,}" if hardest.longest > 1 else "1"
    kind = f" of class {hardest.name}" if hardest.name else ""
    chosen = f"{what}{kind} of {lengths} {'samples' if hardest.longest > 1 else 'sample'}"
    found, of_all = percent(hardest.share), percent(n_found / n_true)
    return f" Of the {chosen}, {found} are found {how}; of all, {of_all}."


def truth_of(result: Evaluation) -> set[str]:
    """Return the names of the label sources that the reads were judged by; none: not known.

    Args:
        result: Result of the evaluation.
    """
    stores = result.data.get("stores", ())
    return {str(name) for described in (result.data, *stores) for name in described.get("labels", ())}


def worst_by_score(result: Evaluation) -> str:
    """Describe the worst read beside the best.

    Args:
        result: Result of the evaluation, of two reads or more.
    """
    best, worst = (result.reads[place].model[result.read_headline] for place in (0, -1))
    return f" The worst read, {result.reads[-1].read_id}, scores {worst:.3f}; the best scores {best:.3f}."
