"""What came out when a model was judged: its scores, by read too, and enough of three reads to draw where it fails."""

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Self

from poreconv.errors import ConfigError, FormatError
from poreconv.evaluation.excerpt import Excerpt
from poreconv.models.card import HEADLINES
from poreconv.models.recipe import Recipe
from poreconv.runtime.files import whole_file
from poreconv.runtime.ledger import Ledger

MODEL = "model"
"""What the judged model is called among the methods."""

RUN_EVALUATION = "evaluation.json"
"""Name of the result in the folder of a training."""

Scores = dict[str, float]
"""Score -> value; see `BoundaryMetric`, `SegmentMetric` and `ReadMetric`."""


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
"""Column -> score; distances in samples."""


SEGMENT_COLUMNS = {"sample IoU": "mean_sample_iou", "segment IoU": "mean_segment_iou"}
READ_COLUMNS = {"AUROC": "auroc"}
"""Columns that stand beside accuracy and F1."""


def columns_of(recipe: Recipe) -> dict[str, str]:
    """The columns of a table of methods: what a column is called -> score."""
    if recipe.task == "boundary":
        return BOUNDARY_COLUMNS
    per_class = {f"F1 {name}": f"f1_{name}" for name in recipe.classes}
    of_task = READ_COLUMNS if recipe.task == "read" else SEGMENT_COLUMNS
    return {"accuracy": "accuracy", "macro F1": "macro_f1", **of_task, **per_class, "ECE": "ece"}


@dataclass(frozen=True)
class ReadScores:
    """How one read came out."""

    read_id: str
    n_samples: int
    model: Scores
    """Those that `judging.OF_READS` names."""
    baselines: Scores
    """Baseline -> its headline score."""


@dataclass(frozen=True)
class Evaluation:
    """What came out."""

    scores: dict[str, Scores]
    """Method (``model``, and the baselines) -> score -> value."""
    recipe: Recipe
    ledger: Ledger
    data: dict[str, Any]
    """The model's file or name, and what it was judged on: files and labels, or stores and their split."""
    network: dict[str, float | None] = field(default_factory=dict)
    """``n_parameters``, ``receptive_field`` (None: not bounded), ``macs_per_sample``."""
    versions: dict[str, str] = field(default_factory=dict)
    """Of what judged: poreconv, python, torch, ..."""
    reliability: list[Scores] = field(default_factory=list)
    """The model's probabilities and the shares that they stand for, by bin; see `ReliabilityMetric`."""
    offsets: dict[int, int] = field(default_factory=dict)
    """Samples from a true boundary to the model's nearest (positive: late) -> how many; see `BoundaryMetric`."""
    confusion: list[list[int]] = field(default_factory=list)
    """The model's reads (task `read`) or samples, by true class (row) and predicted class (column; of samples the last
    is for no class); empty for task `boundary`."""
    reads: list[ReadScores] = field(default_factory=list)
    """From the best to the worst by the model's headline score; of many, some taken evenly, the ends included."""
    drawn: list[Excerpt] = field(default_factory=list)
    """The best, the median and the worst read, fewer if there are fewer reads."""

    @property
    def headline(self) -> str:
        """Key of the score that stands for all."""
        return HEADLINES[self.recipe.task][0]

    @property
    def read_headline(self) -> str:
        """Key of the score by which single reads are compared: of one read's class there is no share that is right."""
        return "p_true" if self.recipe.task == "read" else self.headline

    def to_dict(self) -> dict[str, Any]:
        """As JSON types."""
        return {
            "scores": {method: without_nan(scores) for method, scores in self.scores.items()},
            "recipe": json.loads(self.recipe.to_json()),
            "network": self.network,
            "versions": self.versions,
            "data": self.data,
            "ledger": self.ledger.to_dict(),
            "reliability": self.reliability,
            "offsets": {str(offset): n for offset, n in self.offsets.items()},
            "confusion": [" ".join(map(str, row)) for row in self.confusion],
            "reads": [
                asdict(read) | {"model": without_nan(read.model), "baselines": without_nan(read.baselines)}
                for read in self.reads
            ],
            "drawn": [excerpt.to_dict() for excerpt in self.drawn],
        }

    @classmethod
    def from_dict(cls, plain: dict[str, Any]) -> Self:
        """The inverse of `to_dict`."""
        return cls(
            scores={str(method): with_nan(scores) for method, scores in plain["scores"].items()},
            recipe=Recipe.from_json(json.dumps(plain["recipe"])),
            ledger=Ledger.from_dict(plain["ledger"]),
            data=dict(plain["data"]),
            network=dict(plain["network"]),
            versions=dict(plain["versions"]),
            reliability=[with_nan(row) for row in plain["reliability"]],
            offsets={int(offset): int(n) for offset, n in plain["offsets"].items()},
            confusion=[[int(n) for n in row.split()] for row in plain["confusion"]],
            reads=[
                ReadScores(
                    str(read["read_id"]), int(read["n_samples"]), with_nan(read["model"]), with_nan(read["baselines"])
                )
                for read in plain["reads"]
            ],
            drawn=[Excerpt.from_dict(excerpt) for excerpt in plain["drawn"]],
        )


def write_evaluation(path: Path, result: Evaluation) -> None:
    """Write the result as JSON, whole or not at all."""
    with whole_file(path) as partial:
        partial.write_text(json.dumps(result.to_dict(), indent=1))


def read_evaluation(path: Path) -> Evaluation:
    """Read what `write_evaluation` wrote.

    Raises:
        FormatError: The file is not there, or is something else.
    """
    try:
        return Evaluation.from_dict(json.loads(path.read_text()))
    except OSError as exc:
        raise FormatError(f"{path}: {exc.strerror}; give the JSON that poreconv evaluate --out wrote") from exc
    except (ValueError, KeyError, TypeError, AttributeError, ConfigError) as exc:
        raise FormatError(
            f"{path}: not what this version's poreconv evaluate --out writes ({exc!r}); run it again"
        ) from exc


def without_nan(scores: Mapping[str, float]) -> dict[str, float | None]:
    """Make scores fit for JSON, which knows no NaN: undefined ones become None."""
    return {name: None if math.isnan(value) else value for name, value in scores.items()}


def with_nan(scores: Mapping[str, float | None]) -> Scores:
    """The inverse of `without_nan`."""
    return {str(name): math.nan if value is None else float(value) for name, value in scores.items()}
