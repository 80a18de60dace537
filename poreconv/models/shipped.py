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
from poreconv.reads.chemistry import family_of
from poreconv.reads.read import Read

FOLDER = Path(__file__).with_name("pretrained")
"""Where they lie; pip unpacks a package, so these are files."""

SUFFIXES = (".safetensors", ONNX)


def shipped_paths() -> dict[str, Path]:
    """Name -> bundle, in the order of their names."""
    paths = [path for suffix in SUFFIXES for path in FOLDER.glob(f"*{suffix}")]
    return {path.stem: path for path in sorted(paths)}


def find_bundle(model: Path | str) -> Path:
    """Find a model's file: the file of that path, else the shipped model of that name.

    Raises:
        BundleError: There is neither.
    """
    path, shipped = Path(model), shipped_paths()
    if path.is_file():
        return path
    if str(model) in shipped:
        return shipped[str(model)]
    if path.exists():  # a folder, or a pipe: reading it tells what is wrong
        return path
    known = f", or the name of a shipped model: {', '.join(shipped)}" if shipped else ""
    nearest = get_close_matches(path.stem if path.suffix in SUFFIXES else path.name, shipped, n=1)
    hint = f"; did you mean {nearest[0]}?" if nearest else ""
    raise BundleError(f"{model}: no such file; give the model.safetensors that poreconv train wrote{known}{hint}")


def load_card(model: Path | str) -> Card | None:
    """Read what whoever uses a model should know of it; None if it has no card.

    Args:
        model: Its file, or the name of a shipped one.

    Raises:
        BundleError: The file is no bundle, or its card is not one that this version reads.
    """
    return read_header(find_bundle(model)).card


@dataclass(frozen=True)
class UnseenReads:
    """Admits the reads that a model may be judged on: it can label them, and did not learn from them."""

    recipe: Recipe
    """The model's."""

    def admit(self, read: Read, reference: str) -> None:
        """Return if the model may be judged on a read.

        Args:
            read: The read.
            reference: Name of the sequence that it was aligned to; empty if that is not known.

        Raises:
            ReadDropped: The model has seen it in training.
            MismatchError: The model was not trained for such reads.
        """
        check(self.recipe, read)
        self.recipe.check_unseen(read, reference)

    def to_json(self) -> str:
        """Describe the guard: the model's recipe."""
        return self.recipe.to_json()


def check(recipe: Recipe, read: Read) -> None:
    """Refuse a read that a model was not trained for, and name the shipped model that was, if there is one.

    Raises:
        MismatchError: As `Recipe.check` does.
    """
    try:
        recipe.check(read)
    except MismatchError as exc:
        name = fitting(recipe, read)
        if not name:
            raise
        raise MismatchError(f"{exc}, such as {name}, which comes with poreconv") from exc


def fitting(recipe: Recipe, read: Read) -> str:
    """Name the shipped model that does a model's task on reads like this one; empty if there is none.

    Among several, one of the same classes is better, then one that knows just this chemistry.
    """
    others = {name: read_header(path).recipe for name, path in shipped_paths().items()}
    fit = [name for name, other in others.items() if other.task == recipe.task and _was_trained_for(other, read)]

    def closeness(name: str) -> tuple[bool, bool]:
        known = {code.lower() for code in others[name].chemistries}
        return set(others[name].classes) == set(recipe.classes), read.chemistry.lower() in known

    return max(fit, key=closeness, default="")


def _was_trained_for(recipe: Recipe, read: Read) -> bool:
    """Whether a model knows a read's sample rate and pore family; that nothing forbids it is not enough to name it."""
    try:
        recipe.check(read)
    except MismatchError:
        return False
    return family_of(read.chemistry) in {family_of(code) for code in recipe.chemistries}
