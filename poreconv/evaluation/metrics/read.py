"""Metrics of the class of a whole read: how often it is right, and how well the probabilities rank the reads."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor
from torchmetrics import Metric
from torchmetrics.functional.classification import binary_auroc

from poreconv.evaluation.metrics.boundary import stacked
from poreconv.evaluation.metrics.segment import class_scores, mean_of_supported
from poreconv.evaluation.metrics.values import REPLICATES, Counts, ratio, with_limits

# B tiles of a batch, C classes, N reads, T samples


class ReadMetric(Metric):
    """Scores of the classes of whole reads.

    `update` takes one read; its samples all have the same class and probabilities. `compute` returns a flat dict of
    floats:

    - ``n_reads``; ``support_CLASS`` (true reads), ``precision_CLASS``, ``recall_CLASS``, ``f1_CLASS``
    - ``accuracy``; ``macro_f1``: mean F1 over the classes with support; both also as ``NAME_low`` and ``NAME_high``:
      the 95 % bootstrap interval over reads
    - ``auroc_CLASS``: how often a read of the class has a higher probability for it than a read of another class, over
      all such pairs, ties counting half; ``auroc``: mean over the classes that some reads have and others have not

    An undefined score is NaN: precision of a class that was never predicted, AUROC of one that no read or every read
    has, and so on.
    """

    is_differentiable = False
    higher_is_better = True
    full_state_update = False

    rows: list[Tensor]
    """Per read ``(1, 1 + C)``: its true class, and the probability of each class."""

    def __init__(self, classes: Sequence[str], *, seed: int = 0, **kwargs: Any) -> None:
        """Create a metric with nothing counted.

        Args:
            classes: Names of the classes.
            seed: Seed of the bootstrap; the same seed gives the same intervals.
            **kwargs: Passed to `torchmetrics.Metric`.
        """
        super().__init__(**kwargs)
        self.classes, self.seed = tuple(classes), seed
        self.add_state("rows", default=[], dist_reduce_fx="cat")

    def update(self, true: ArrayLike, probabilities: ArrayLike) -> None:
        """Count one read by its first sample.

        Args:
            true: True class at each sample, shape ``(T,)``.
            probabilities: Probability of each class at each sample, shape ``(C, T)``; the most probable class is the
                predicted one.
        """
        row = np.concatenate([np.asarray(true)[:1], np.asarray(probabilities)[:, 0]])
        self.rows.append(torch.from_numpy(row)[None].float().to(self.device))

    def _counted(self) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Return true classes ``(N,)`` and probabilities ``(N, C)``."""
        rows = stacked(self.rows, 1 + len(self.classes))
        return rows[:, 0].astype(np.int64), rows[:, 1:]

    def confusion(self) -> NDArray[np.int64]:
        """Count the reads by true class (row) and predicted class (column), shape ``(C, C)``."""
        true_N, p_NC = self._counted()
        n = len(self.classes)
        return np.bincount(true_N * n + p_NC.argmax(1), minlength=n * n).reshape(n, n)

    def per_read(self) -> dict[str, NDArray[np.float64]]:
        """Return ``p_true``: the probability of each read's true class, in the order of `update`, shape ``(N,)``."""
        true_N, p_NC = self._counted()
        return {"p_true": p_NC[np.arange(len(true_N)), true_N]}

    def compute(self) -> dict[str, float]:
        """Return all scores of the reads counted so far, named as the docstring of the class lists them."""
        confusion_CC = self.confusion().astype(np.float64)
        table = class_scores(confusion_CC)
        per_class = {
            f"{name}_{c}": float(x)
            for name in ("support", "precision", "recall", "f1")
            for c, x in zip(self.classes, table[name], strict=True)
        }
        return {"n_reads": float(confusion_CC.sum()), **self._means(confusion_CC), **self._auroc(), **per_class}

    def _means(self, confusion_CC: Counts) -> dict[str, float]:
        """Return the means with their intervals; the cell counts of reads drawn with replacement are multinomial."""
        n_reads, cells = int(confusion_CC.sum()), confusion_CC.ravel()
        drawn = None
        if n_reads > 1:
            rng = np.random.default_rng(self.seed)
            drawn = rng.multinomial(n_reads, cells / n_reads, REPLICATES).astype(np.float64)
        return with_limits(lambda counts: _means(counts, len(self.classes)), cells, drawn)

    def _auroc(self) -> dict[str, float]:
        true_N, p_NC = self._counted()
        each = [_auroc(p_NC[:, c], true_N == c) for c in range(len(self.classes))]
        defined = [value for value in each if not np.isnan(value)]
        mean = float(np.mean(defined)) if defined else float("nan")
        return {"auroc": mean} | {f"auroc_{c}": value for c, value in zip(self.classes, each, strict=True)}


def _auroc(score_N: NDArray[np.float64], positive_N: NDArray[np.bool_]) -> float:
    if positive_N.all() or not positive_N.any():
        return float("nan")
    return float(binary_auroc(torch.from_numpy(score_N), torch.from_numpy(positive_N).long()))


def _means(counts: Counts, n_classes: int) -> dict[str, Counts]:
    confusion = counts.reshape(*counts.shape[:-1], n_classes, n_classes)
    table = class_scores(confusion)
    hits = np.diagonal(confusion, axis1=-2, axis2=-1).sum(axis=-1)
    return {
        "accuracy": ratio(hits, table["support"].sum(axis=-1)),
        "macro_f1": mean_of_supported(table["f1"], table["support"]),
    }
