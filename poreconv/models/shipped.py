"""The models that come with the package: bundles in ``pretrained``, each with its card in Markdown beside it.

Adding one: its two files there.
"""

from functools import cache
from pathlib import Path

from poreconv.config import FitConfig
from poreconv.errors import BundleError
from poreconv.models.card import Card
from poreconv.models.header import ONNX, Header, read_header
from poreconv.models.recipe import USUAL
from poreconv.reads.read import Read
from poreconv.runtime.registry import ending_with_meant

FOLDER = Path(__file__).with_name("pretrained")
"""Folder of the shipped models; pip unpacks a package, so these are files."""

AUTO = "auto"
"""Takes the place of a model where the shipped one that fits is chosen for each read."""

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
    if str(model) == AUTO:
        raise BundleError(
            f"{AUTO}: only label, tails and plot choose a model for each read; name one: {', '.join(shipped)}"
        )
    known = f", or the name of a shipped model: {', '.join(shipped)}" if shipped else ""
    hint = ending_with_meant(path.stem if path.suffix in SUFFIXES else path.name, shipped)
    raise BundleError(f"{model}: no such file; give the model.safetensors that poreconv train wrote{known}{hint}")


def load_card(model: Path | str) -> Card | None:
    """Read the card of a model; None if it has none.

    Args:
        model: Its file, or the name of a shipped one.

    Raises:
        BundleError: The file is not a bundle, or this version does not read its card.
    """
    return read_header(find_bundle(model)).card


def shipped_headers() -> dict[str, Header]:
    """Return the headers of the shipped models, in alphabetical order: name -> header."""
    return {name: _header(path) for name, path in shipped_paths().items()}


@cache
def _header(path: Path) -> Header:  # the package's files stay as they are, and an exported model takes a while to open
    return read_header(path)


def models_for(read: Read, fit: FitConfig = USUAL) -> list[str]:
    """Return the names of the shipped models that were trained on reads like this one, in alphabetical order.

    Args:
        read: The read.
        fit: Whether reads are resampled.
    """
    return [name for name, header in shipped_headers().items() if header.recipe.trained_for(read, fit)]
