"""How the results of a judge are tabulated and described. One table, ``JUDGES``, of those that need no true labels.

The judge against true labels has a presentation for each task, which is its criterion; see `criteria`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, ClassVar

from poreconv.evaluation.words import worst_by_score

if TYPE_CHECKING:
    from poreconv.evaluation.result import Evaluation

JUDGES = {
    "levels": "poreconv.evaluation.levels_presentation:LevelsPresentation",
    "sequence_levels": "poreconv.evaluation.levels_presentation:SequenceLevelsPresentation",
}
"""Judge without true labels -> how its results are presented, ``"module:attribute"``."""


class Presentation(ABC):
    """How the results of one judge are tabulated and described; without state that changes."""

    read_scores: ClassVar[tuple[str, ...]]
    """Keys of the model's scores that a result holds for single reads; reads are ranked by the first."""
    read_columns: ClassVar[dict[str, str]]
    """Key of a score of single reads -> head of its column."""
    class_columns: ClassVar[dict[str, str]] = {}
    """Columns of a table of the model's classes: head -> key of the score, which is followed by ``_CLASS``."""
    intervals: ClassVar[tuple[str, ...]] = ()
    """Keys of the scores whose intervals a table in the terminal shows."""
    meaning: ClassVar[str]
    """What the headline score is, in words."""
    judged_by: ClassVar[str] = ""
    """What it is judged by, for the title of a table; empty: by true labels."""
    undefined: ClassVar[str] = "the labels of these reads contain nothing to find"
    """Why a headline score may not be defined."""
    counted: ClassVar[str] = "samples"
    """What is judged one by one."""
    note: ClassVar[str]
    """What the columns mean, where it is not plain."""
    of_pictures: ClassVar[str] = "Errors"
    """What the pictures of all reads show."""
    pictures: ClassVar[tuple[str, ...]] = ()
    """Pictures of all reads together, ``"module:function"``; each takes an `Evaluation`."""
    found: ClassVar[str] = ""
    """What the shares by length are shares of; empty: it has none."""
    references: ClassVar[tuple[str, ...]] = ()
    """Methods that stand beside the model without being its rivals: they know the sequence, or minimise the score."""

    @property
    @abstractmethod
    def headline(self) -> str:
        """Key of the headline score: larger is better, and at most 1."""

    @abstractmethod
    def columns(self, classes: tuple[str, ...]) -> dict[str, str]:
        """Return the columns of a table of methods: head -> key of the score.

        Args:
            classes: Names of the network's outputs.
        """

    @abstractmethod
    def how_good(self, result: Evaluation) -> str:
        """Describe in a sentence what the model's scores mean for a user.

        Args:
            result: Result of the evaluation.
        """

    @abstractmethod
    def balance(self, result: Evaluation) -> str:
        """Describe in a sentence which errors are most frequent.

        Args:
            result: Result of the evaluation.
        """

    def worst_read(self, result: Evaluation) -> str:
        """Describe in a sentence how the worst read came out.

        Args:
            result: Result of the evaluation, of two reads or more.
        """
        return worst_by_score(result)
