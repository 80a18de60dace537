"""What a model's file contains besides its weights: recipe, card, size. No torch here."""

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
from poreconv.runtime.records import from_json, to_json

NOT_TRAINED = ("running_mean", "running_var", "num_batches_tracked")
"""Ends of the names of a batch norm's statistics, which are stored among the weights."""

ONNX = ".onnx"
"""Suffix of exported models; bundles are recognised by their content alone."""

IN_OTHER_FILE = b"\n\x08location\x12"
"""What an ONNX file contains before the name of another file with weights: the key of that name, as protobuf writes
it."""

MOST_BYTES = 2**31
"""Limit of the size of an exported model, which is protobuf's."""

SIZE = "size"
"""Key of an exported model's `NetworkSize` in its header; a bundle's size follows from the recipe."""


@dataclass(frozen=True)
class Header:
    """The header of a bundle or of an exported model."""

    path: Path
    texts: dict[str, str]
    """Name (``recipe``, ``card``, ``size``) -> JSON text."""
    n_parameters: int
    """Number of trained weights."""

    @property
    def n_bytes(self) -> int:
        """Size of the file."""
        return self.path.stat().st_size

    @property
    def recipe(self) -> Recipe:
        """What labelling must repeat from training.

        Raises:
            BundleError: The header contains no recipe, or none that this version reads.
        """
        if "recipe" not in self.texts:
            raise BundleError(
                f"{self.path}: holds weights but no recipe; give the model.safetensors that poreconv train wrote"
            )
        try:
            return from_json(self.texts["recipe"], Recipe, "recipe")
        except ConfigError as exc:
            raise BundleError(f"{self.path}: {one_line(exc)}; train it again with this version") from exc

    @property
    def size(self) -> NetworkSize:
        """The size of an exported model's network.

        Raises:
            BundleError: The header does not contain it.
        """
        return _size_of(self.path, self.texts)

    @property
    def card(self) -> Card | None:
        """What users of the model should know about it; None if it has no card.

        Raises:
            BundleError: It has one that this version does not read.
        """
        if "card" not in self.texts:
            return None
        try:
            return from_json(self.texts["card"], Card, "card")
        except ConfigError as exc:
            raise BundleError(f"{self.path}: {one_line(exc)}; write the bundle again with this version") from exc


def texts_of(recipe: Recipe, card: Card | None) -> dict[str, str]:
    """Return the texts of a bundle's header, which `Header` reads back.

    Args:
        recipe: The model's recipe.
        card: Its card; None: the header gets none.
    """
    return {"recipe": to_json(recipe)} | ({} if card is None else {"card": to_json(card)})


def read_header(path: Path) -> Header:
    """Read a model's header, without its weights.

    Args:
        path: A bundle, or an exported model (``.onnx``).

    Raises:
        BundleError: There is no such file, or it is neither a safetensors file nor an exported model.
    """
    if path.exists() and not (path.is_file() or path.is_dir()):  # opening a pipe would wait for a writer
        raise BundleError(f"{path}: a pipe or device, no trained model; give the file that poreconv train wrote")
    try:
        return _read_onnx(path) if path.suffix == ONNX else _read_safetensors(path)
    except FileNotFoundError as exc:
        raise BundleError(f"{path}: no such file; give the model.safetensors that poreconv train wrote") from exc


def _read_safetensors(path: Path) -> Header:
    try:
        # safe_open asks for a framework; no tensor is read.
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
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL  # it is not run
    options.log_severity_level = 4
    return header_of(path, onnx_session(path, options, ["CPUExecutionProvider"]))


def onnx_session(path: Path, options: Any, providers: Sequence[Any]) -> Any:
    """Open an exported model from its bytes, so that no other file is read.

    Args:
        path: The exported model.
        options: ONNX Runtime's ``SessionOptions``.
        providers: ONNX Runtime's execution providers, names or pairs of name and options, in order of preference.

    Returns:
        An ``onnxruntime.InferenceSession``.

    Raises:
        BundleError: ONNX Runtime cannot open it, or its weights lie in another file.
    """
    import onnxruntime

    if path.stat().st_size > MOST_BYTES:
        raise BundleError(f"{path}: over {MOST_BYTES >> 30} GiB, too large for an exported model; give one")
    model = path.read_bytes()
    if IN_OTHER_FILE in model:
        raise BundleError(f"{path}: has weights in another file, which is not read; give what poreconv export wrote")
    try:
        return onnxruntime.InferenceSession(model, options, providers=providers)
    except Exception as exc:  # onnxruntime's errors have no other parent
        raise BundleError(f"{path}: not an ONNX file ({one_line(exc)}); give what poreconv export wrote") from exc


def header_of(path: Path, session: Any) -> Header:
    """Return the header of an exported model that is open.

    Args:
        path: Its file.
        session: What `onnx_session` returned.

    Raises:
        BundleError: poreconv did not export it.
    """
    texts = dict(session.get_modelmeta().custom_metadata_map)
    return Header(path, texts, _size_of(path, texts).n_parameters)


def _size_of(path: Path, texts: dict[str, str]) -> NetworkSize:
    try:
        return from_json(texts[SIZE], NetworkSize, "size of the network")
    except (KeyError, ConfigError) as exc:
        raise BundleError(
            f"{path}: the header does not contain the network's size; give what poreconv export wrote"
        ) from exc


def one_line(exc: Exception) -> str:
    """Return an exception's message on one line, cut after 300 characters.

    Args:
        exc: Any exception, such as one of torch's, whose messages have many lines.
    """
    return " ".join(str(exc).split())[:300]
