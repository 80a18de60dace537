"""The folder of a project of ``poreconv studio``: what people marked, and the models that learnt from it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

from poreconv.errors import ConfigError
from poreconv.labels.marks import DATABASE, MarkedKind, Marks
from poreconv.runtime.files import whole_file
from poreconv.runtime.records import from_json, to_json

MODELS = "models"
"""Folder of the models in that of the project; each has one of its own, by number."""

MARKS_FOR: Mapping[MarkedKind, str] = MappingProxyType({"interval": "segment", "boundary": "boundary", "read": "read"})
"""Kind of marks that a project is for -> task that is learnt from them."""


@dataclass(frozen=True)
class Judged:
    """The score of a model on marked reads that were put aside."""

    score: str
    """Its name, such as ``macro F1``."""
    value: float | None
    low: float | None
    """Lower end of the 95 % interval over reads; None: there is none, as of a single read."""
    high: float | None
    reads: int
    split: str
    """``test``; ``validation`` where no read was put aside, so that the score flatters."""
    words: str
    """What the scores mean for a user."""


@dataclass(frozen=True)
class Learnt:
    """What is kept of a model that was trained, beside it."""

    task: str
    classes: tuple[str, ...]
    marked_reads: int
    """Reads that it learnt from, or was judged on."""
    started_from: str
    """Name of the shipped model that it started from; empty: from scratch."""
    stopped: bool = False
    """Whether a person stopped the training before its end."""
    judged: Judged | None = None
    """None: it could not be judged, and a note contains why."""
    notes: tuple[str, ...] = ()
    """Warnings of the training."""
    paths: tuple[Path, ...] = ()
    """Signal files and folders."""


@dataclass(frozen=True)
class ProjectModel:
    """The place of a model in a project; what it was trained with is kept there."""

    folder: Path

    @property
    def number(self) -> int:
        """Of the model, from 1."""
        return int(self.folder.name)

    @property
    def read_ids(self) -> Path:
        """List of the reads that were marked."""
        return self.folder / "read_ids.txt"

    @property
    def store(self) -> Path:
        """What `prepare` made of the marks."""
        return self.folder / "store"

    @property
    def run(self) -> Path:
        """Folder of the training run."""
        return self.folder / "run"

    @property
    def bundle(self) -> Path:
        """The model itself."""
        return self.run / "model.safetensors"

    @property
    def doubts(self) -> Path:
        """The doubts of the model on reads that are not marked."""
        return self.folder / "doubts.json"

    @property
    def _described(self) -> Path:
        return self.folder / "learnt.json"

    @property
    def learnt(self) -> Learnt | None:
        """What was learnt; None: the training is not finished, or was killed."""
        try:
            return from_json(self._described.read_bytes(), Learnt)
        except (OSError, ConfigError):
            return None

    def finish(self, learnt: Learnt) -> None:
        """Keep what was learnt.

        Args:
            learnt: It.
        """
        with whole_file(self._described) as partial:
            partial.write_text(to_json(learnt, indent=1), encoding="utf-8")


@dataclass(frozen=True)
class Project:
    """What a project contains."""

    folder: Path
    task: str
    classes: tuple[str, ...]
    """Of the labels that the marks make; none of boundaries."""
    marks: dict[str, int]
    """Number by kind."""
    reads: int
    """Marked, or looked at."""
    models: list[ProjectModel] = field(default_factory=list)

    @property
    def paths(self) -> tuple[Path, ...]:
        """Signal files and folders that the last model learnt from; none without a model."""
        return next((learnt.paths for model in reversed(self.models) if (learnt := model.learnt)), ())


def is_project(folder: Path) -> bool:
    """Return whether a folder is a project.

    Args:
        folder: Any path.
    """
    return (folder / DATABASE).is_file()


def models_in(folder: Path) -> list[ProjectModel]:
    """Return the places of a project's models, finished or not, the first one first.

    Args:
        folder: Of the project.
    """
    numbered = [path for path in (folder / MODELS).glob("*") if path.name.isascii() and path.name.isdigit()]
    return [ProjectModel(path) for path in sorted(numbered, key=lambda path: int(path.name))]


def usable_models(folder: Path) -> list[ProjectModel]:
    """Return the models of a project that were finished, or stopped, the first one first.

    Args:
        folder: Of the project.
    """
    return [model for model in models_in(folder) if model.learnt is not None and model.bundle.is_file()]


def next_model(folder: Path) -> ProjectModel:
    """Return the place of a project's next model.

    Args:
        folder: Of the project.
    """
    known = models_in(folder)
    return ProjectModel(folder / MODELS / f"{known[-1].number + 1 if known else 1:03}")


def read_project(folder: Path) -> Project:
    """Read what a project contains.

    Args:
        folder: Of the project.

    Raises:
        FormatError: It is no project.
    """
    with Marks(folder) as marks:
        counts, kinds = marks.counts(), dict[str, int]()
        for of_read in counts.values():
            for kind, number in of_read.items():
                kinds[kind] = kinds.get(kind, 0) + number
        task, classes = MARKS_FOR[marks.used_as], marks.label_classes()
    return Project(folder, task, classes, kinds, len(counts), usable_models(folder))
