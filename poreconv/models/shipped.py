"""The models that come with the package: bundles in ``pretrained``, each with its card in Markdown beside it.

Adding one: its two files there.
"""

from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from poreconv.errors import BundleError, MismatchError
from poreconv.models.card import Card
from poreconv.models.header import ONNX, read_header
from poreconv.models.recipe import Recipe
from poreconv.reads.read import Read
from poreconv.runtime.records import to_json

FOLDER = Path(__file__).with_name("pretrained")
"""Folder of the shipped models; pip unpacks a package, so these are files."""

SUFFIXES = (".safetensors", ONNX)
"""Suffixes of their files."""


def shipped_paths() -> dict[str, Path]:
    """Return the shipped models by name, in alphabetical order: name -> file."""
    paths = [path for suffix in SUFFIXES for path in FOLDER.glob(f"*{suffix}")]
    return {path.stem: path for path in sorted(paths)}


def find_bundle(model: Path | str) -> Path:
    """Return a model's file: the file of that path, else the shipped model of that name.

    Args:
        model: Path of a bundle or an exported model, or the name of a shipped one.

    Raises:
        BundleError: There is neither.
    """
    path, shipped = Path(model), shipped_paths()
    if path.is_file():
        return path
    if str(model) in shipped:
        return shipped[str(model)]
    if path.exists():  # a folder, or a pipe: reading it gives the better message
        return path
    known = f", or the name of a shipped model: {', '.join(shipped)}" if shipped else ""
    nearest = get_close_matches(path.stem if path.suffix in SUFFIXES else path.name, shipped, n=1)
    hint = f"; did you mean {nearest[0]}?" if nearest else ""
    raise BundleError(f"{model}: no such file; give the model.safetensors that poreconv train wrote{known}{hint}")


def load_card(model: Path | str) -> Card | None:
    """Read the card of a model; None if it has none.

    Args:
        model: Its file, or the name of a shipped one.

    Raises:
        BundleError: The file is not a bundle, or this version does not read its card.
    """
    return read_header(find_bundle(model)).card


@dataclass(frozen=True)
class JudgeableReads:
    """The guard that admits the reads to judge a model on: those that it can label and was not trained on."""

    recipe: Recipe
    """The model's recipe."""
    include_training: bool = False
    """Whether reads that it was trained on are admitted too."""

    def admit(self, read: Read, reference: str) -> None:
        """Return if the model may be judged on a read; else raise.

        Args:
            read: The read.
            reference: Name of the sequence that it was aligned to; empty if that is not known.

        Raises:
            ReadDropped: The model was trained on the read.
            MismatchError: The model was not trained for such reads.
        """
        check_fits(self.recipe, read)
        if not self.include_training:
            self.recipe.check_unseen(read, reference)

    def to_json(self) -> str:
        """Return the guard as JSON text."""
        return to_json(self)


def check_fits(recipe: Recipe, read: Read) -> None:
    """Refuse a read that a model was not trained for; the message names the shipped model that fits, if there is one.

    Args:
        recipe: The model's recipe.
        read: The read.

    Raises:
        MismatchError: As `Recipe.check_fits` does.
    """
    try:
        recipe.check_fits(read)
    except MismatchError as exc:
        name = fitting_model(recipe, read)
        if not name:
            raise
        raise MismatchError(f"{exc}, such as {name}, which comes with poreconv") from exc


def fitting_model(recipe: Recipe, read: Read) -> str:
    """Return the name of the shipped model that does a model's task on reads like this one; empty if there is none.

    Among several, one with the same classes is preferred, then one that was trained on exactly this chemistry.

    Args:
        recipe: Recipe of the model that does not fit the read.
        read: The read.
    """
    others = {name: read_header(path).recipe for name, path in shipped_paths().items()}
    fit = [name for name, other in others.items() if other.task == recipe.task and _was_trained_for(other, read)]

    def closeness(name: str) -> tuple[bool, bool]:
        return set(others[name].classes) == set(recipe.classes), read.chemistry in others[name].trained_chemistries

    return max(fit, key=closeness, default="")


def _was_trained_for(recipe: Recipe, read: Read) -> bool:
    """Return whether a model was trained on a read's sample rate and pore family.

    It is stricter than `Recipe.check_fits`, which also accepts reads of unknown chemistry.
    """
    try:
        recipe.check_fits(read)
    except MismatchError:
        return False
    return read.chemistry.known and any(read.chemistry.same_family(known) for known in recipe.trained_chemistries)
