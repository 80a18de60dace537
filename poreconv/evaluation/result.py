"""The result of an evaluation: scores of all reads together, scores of single reads, and excerpts of three reads."""

import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from poreconv.errors import ConfigError, FormatError
from poreconv.evaluation.excerpt import Excerpt
from poreconv.models.card import HEADLINES
from poreconv.models.recipe import Recipe
from poreconv.runtime.files import whole_file
from poreconv.runtime.ledger import Ledger
from poreconv.runtime.records import from_json, to_json

MODEL = "model"
"""Name of the judged model among the methods."""

RUN_EVALUATION = "evaluation.json"
"""Name of the result's file in the folder of a training run."""

BOUNDARY_COLUMNS = {
    "F1 exact": "f1_0",
    "±1": "f1_1",
    "±2": "f1_2",
    "±3": "f1_3",
    "±5": "f1_5",
    "precision ±1": "precision_1",
    "recall ±1": "recall_1",
    "R-value ±2": "r_value",
    "over-seg.": "over_segmentation",
    "|d| median": "absolute_median",
    "|d| p95": "absolute_p95",
    "ECE": "ece",
}
"""Head of a column -> key of its score; distances in samples."""


SEGMENT_COLUMNS = {"sample IoU": "mean_sample_iou", "segment IoU": "mean_segment_iou"}
READ_COLUMNS = {"AUROC": "auroc"}
"""Columns beside accuracy and F1."""


def columns_of(recipe: Recipe) -> dict[str, str]:
    """Return the columns of a table of methods.

    Args:
        recipe: Recipe of the model.

    Returns:
        Head of each column -> key of its score.
    """
    if recipe.task == "boundary":
        return BOUNDARY_COLUMNS
    per_class = {f"F1 {name}": f"f1_{name}" for name in recipe.classes}
    of_task = READ_COLUMNS if recipe.task == "read" else SEGMENT_COLUMNS
    return {"accuracy": "accuracy", "macro F1": "macro_f1", **of_task, **per_class, "ECE": "ece"}


class Scores(dict[str, float]):
    """Key of a score -> its value, NaN where it is not defined; `BoundaryMetric` and the others list the keys."""

    RECORD: ClassVar[Any] = dict[str, float | None]

    @classmethod
    def from_record(cls, record: dict[str, float | None]) -> Self:
        """Return the scores that JSON contains.

        Args:
            record: The scores; None where one is not defined, since JSON has no NaN.
        """
        return cls({key: math.nan if value is None else value for key, value in record.items()})


@dataclass(frozen=True)
class ReadScores:
    """The scores of one read."""

    read_id: str
    n_samples: int
    model: Scores
    """The scores that `judge.SCORES_OF_READS` lists for the task."""
    baselines: Scores
    """Baseline -> its headline score on this read."""


@dataclass(frozen=True, eq=False)
class Evaluation:
    """The result of judging a model and some baselines."""

    scores: dict[str, Scores]
    """Method (``model``, then the baselines) -> key of a score -> its value."""
    recipe: Recipe
    ledger: Ledger
    data: dict[str, Any]
    """File or name of the model, and what it was judged on: files and labels, or stores and their split."""
    network: dict[str, int | float | None] = field(default_factory=dict)
    """``n_parameters``, ``receptive_field`` in samples (None: not bounded), ``macs_per_sample``."""
    versions: dict[str, str] = field(default_factory=dict)
    """Software that computed the result -> its version: poreconv, python, torch, ..."""
    reliability: list[dict[str, float]] = field(default_factory=list)
    """The model's mean probability and the share that was right, by bin; see `ReliabilityMetric.table`."""
    offsets: dict[int, int] = field(default_factory=dict)
    """Samples from a true boundary to the model's nearest (positive: late) -> number; see `BoundaryMetric.offsets`."""
    confusion: NDArray[np.int64] = field(default_factory=lambda: np.zeros((0, 0), np.int64))
    """Number of reads (task `read`) or samples by true class (row) and class that the model predicted (column; for
    samples, the last column is for no class); empty for task `boundary`."""
    reads: list[ReadScores] = field(default_factory=list)
    """Reads from the best to the worst by the model's `read_headline`; of many, some at even intervals, including the
    best and the worst."""
    drawn: list[Excerpt] = field(default_factory=list)
    """The best, the median and the worst read, or fewer if there are fewer reads."""

    @property
    def headline(self) -> str:
        """Key of the task's headline score."""
        return HEADLINES[self.recipe.task][0]

    @property
    def read_headline(self) -> str:
        """Key of the score by which reads are ranked; task `read` has its own, since one read has no accuracy."""
        return "p_true" if self.recipe.task == "read" else self.headline


def write_evaluation(path: Path, result: Evaluation) -> None:
    """Write a result as JSON.

    Args:
        path: File to write; it appears complete or not at all.
        result: The result.
    """
    with whole_file(path) as partial:
        partial.write_text(to_json(result, indent=1), encoding="utf-8")


def read_evaluation(path: Path) -> Evaluation:
    """Read a result that `write_evaluation` wrote.

    Args:
        path: The JSON file.

    Raises:
        FormatError: The file does not exist, or is not a result of this version.
    """
    try:
        return from_json(path.read_bytes(), Evaluation)
    except OSError as exc:
        raise FormatError(f"{path}: {exc.strerror}; give the JSON that poreconv evaluate --out wrote") from exc
    except ConfigError as exc:
        raise FormatError(
            f"{path}: not what this version's poreconv evaluate --out writes ({exc}); run it again"
        ) from exc
