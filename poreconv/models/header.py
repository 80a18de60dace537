"""What a bundle tells of itself before its weights are loaded; no torch here."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import safetensors

from poreconv.errors import BundleError, ConfigError
from poreconv.models.card import Card
from poreconv.models.recipe import Recipe
from poreconv.models.size import NetworkSize

NOT_TRAINED = ("running_mean", "running_var", "num_batches_tracked")
"""Ends of the names of a batch norm's statistics, which are stored among the weights."""

ONNX = ".onnx"
"""How exported models end; bundles are known by nothing but their content."""

SIZE = "size"
"""Under this name an exported model tells its `NetworkSize`; a bundle's follows from the recipe."""


@dataclass(frozen=True)
class Header:
    """What a bundle, or an exported model, says of itself."""

    path: Path
    texts: dict[str, str]
    n_parameters: int
    """Trained numbers."""

    @property
    def n_bytes(self) -> int:
        """Size of the file."""
        return self.path.stat().st_size

    @property
    def recipe(self) -> Recipe:
        """What labelling must repeat from training.

        Raises:
            BundleError: The header holds none, or none that this version reads.
        """
        if "recipe" not in self.texts:
            raise BundleError(
                f"{self.path}: holds weights but no recipe; give the model.safetensors that poreconv train wrote"
            )
        try:
            return Recipe.from_json(self.texts["recipe"])
        except (ConfigError, RuntimeError, TypeError, ValueError) as exc:
            raise BundleError(f"{self.path}: {first_line(exc)}; train it again with this version") from exc

    @property
    def size(self) -> NetworkSize:
        """How large an exported model's network is.

        Raises:
            BundleError: The header doesn't tell.
        """
        return _size_of(self.path, self.texts)

    @property
    def card(self) -> Card | None:
        """What whoever uses the model should know; None if it has no card.

        Raises:
            BundleError: It has one that this version doesn't read.
        """
        if "card" not in self.texts:
            return None
        try:
            return Card.from_json(self.texts["card"])
        except ConfigError as exc:
            raise BundleError(f"{self.path}: {first_line(exc)}; write the bundle again with this version") from exc


def texts_of(recipe: Recipe, card: Card | None) -> dict[str, str]:
    """What a bundle's header is to hold; `Header` gives it back."""
    return {"recipe": recipe.to_json()} | ({} if card is None else {"card": card.to_json()})


def read_header(path: Path) -> Header:
    """Read what a model says of itself; its weights are not looked at.

    Raises:
        BundleError: The file is not there, is no safetensors file, or no exported model.
    """
    try:
        return _read_onnx(path) if path.suffix == ONNX else _read_safetensors(path)
    except FileNotFoundError as exc:
        raise BundleError(f"{path}: no such file; give the model.safetensors that poreconv train wrote") from exc


def _read_safetensors(path: Path) -> Header:
    try:
        # "numpy" only says as what tensors would be given; none is read.
        with safetensors.safe_open(path, framework="numpy") as stored:
            shapes = {name: stored.get_slice(name).get_shape() for name in stored.keys()}  # noqa: SIM118 - not a dict
            texts = stored.metadata() or {}
    except FileNotFoundError:
        raise
    except (OSError, safetensors.SafetensorError) as exc:
        raise BundleError(f"{path}: not a safetensors file ({exc}); give what poreconv train wrote") from exc
    trained = sum(math.prod(shape) for name, shape in shapes.items() if not name.endswith(NOT_TRAINED))
    return Header(path, texts, trained)


def _read_onnx(path: Path) -> Header:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL  # it is not to run
    options.log_severity_level = 4
    return header_of(path, onnx_session(path, options, ["CPUExecutionProvider"]))


def onnx_session(path: Path, options: Any, providers: Sequence[str]) -> Any:
    """Open an exported model; by its bytes, so that no file is read but this one.

    Raises:
        BundleError: ONNX Runtime cannot.
    """
    import onnxruntime

    model = path.read_bytes()
    try:
        return onnxruntime.InferenceSession(model, options, providers=providers)
    except Exception as exc:  # onnxruntime's errors have no other parent
        raise BundleError(f"{path}: not an ONNX file ({first_line(exc)}); give what poreconv export wrote") from exc


def header_of(path: Path, session: Any) -> Header:
    """What an exported model that is open says of itself.

    Raises:
        BundleError: It was not exported from here.
    """
    texts = dict(session.get_modelmeta().custom_metadata_map)
    return Header(path, texts, _size_of(path, texts).n_parameters)


def _size_of(path: Path, texts: dict[str, str]) -> NetworkSize:
    try:
        return NetworkSize.from_json(texts[SIZE])
    except (KeyError, ConfigError) as exc:
        raise BundleError(f"{path}: does not tell its network's size; give what poreconv export wrote") from exc


def first_line(exc: Exception) -> str:
    """What an exception says, in one line that is not too long."""
    return " ".join(str(exc).split())[:300]
