"""The result of an evaluation: scores of all reads together, scores of single reads, and excerpts of three reads."""

import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from poreconv.errors import ConfigError, FormatError
from poreconv.evaluation.criteria import criterion_of
from poreconv.evaluation.excerpt import Excerpt
from poreconv.evaluation.metrics.lengths import FoundByLength
from poreconv.evaluation.presentation import JUDGES, Presentation
from poreconv.models.recipe import Recipe
from poreconv.runtime.files import whole_file
from poreconv.runtime.ledger import Ledger
from poreconv.runtime.records import from_json, to_json
from poreconv.runtime.registry import lookup

MODEL = "model"
"""Name of the judged model among the methods."""

RUN_EVALUATION = "evaluation.json"
"""Name of the result's file in the folder of a training run."""


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
    """The scores that the result's presentation lists in ``read_scores``."""
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
    found_by_length: list[FoundByLength] = field(default_factory=list)
    """How many true events the model found, by class and length: for boundaries, by the dwell that begins there."""
    confusion: NDArray[np.int64] = field(default_factory=lambda: np.zeros((0, 0), np.int64))
    """Number of samples, or of whole reads, by true class (row) and class that the model predicted (column; for samples
    the last column is for no class); empty where a task has no classes."""
    reads: list[ReadScores] = field(default_factory=list)
    """Reads from the best to the worst by the model's `read_headline`; of many, some at even intervals, including the
    best and the worst."""
    drawn: list[Excerpt] = field(default_factory=list)
    """The best, the median and the worst read, or fewer if there are fewer reads."""
    metrics: tuple[str, ...] = ()
    """Keys of the scores by metrics of the user's own."""
    judge: str = ""
    """Name in ``JUDGES`` of the judge; empty: the judge against true labels."""

    @property
    def presentation(self) -> Presentation:
        """How the scores are tabulated and described."""
        if not self.judge:
            return criterion_of(self.recipe.task)
        kind: type[Presentation] = lookup(JUDGES, self.judge, kind="judge")
        return kind()

    @property
    def headline(self) -> str:
        """Key of the headline score."""
        return self.presentation.headline

    @property
    def columns(self) -> dict[str, str]:
        """The columns of a table of methods: head -> key of the score."""
        return self.presentation.columns(self.recipe.classes) | {name: name for name in self.metrics}

    @property
    def read_headline(self) -> str:
        """Key of the score by which reads are ranked."""
        return self.presentation.read_scores[0]

    @property
    def model_scores(self) -> Scores:
        """The model's scores."""
        return self.scores[MODEL]


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
