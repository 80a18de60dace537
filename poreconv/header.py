"""What a bundle tells of itself before its weights are loaded; no torch here."""

import math
from dataclasses import dataclass
from pathlib import Path

import safetensors

from poreconv.card import Card
from poreconv.errors import BundleError, ConfigError
from poreconv.recipe import Recipe

NOT_TRAINED = ("running_mean", "running_var", "num_batches_tracked")
"""Ends of the names of a batch norm's statistics, which are stored among the weights."""


@dataclass(frozen=True)
class Header:
    """A bundle's header: texts, and the tensors' shapes."""

    path: Path
    texts: dict[str, str]
    shapes: dict[str, tuple[int, ...]]

    @property
    def n_parameters(self) -> int:
        """Trained numbers."""
        return sum(math.prod(shape) for name, shape in self.shapes.items() if not name.endswith(NOT_TRAINED))

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
    """Read a bundle's header.

    Raises:
        BundleError: The file is none, or no safetensors file.
    """
    try:
        # "numpy" only says as what tensors would be given; none is read.
        with safetensors.safe_open(path, framework="numpy") as stored:
            shapes = {name: tuple(stored.get_slice(name).get_shape()) for name in stored.keys()}  # noqa: SIM118 - not a dict
            return Header(path, stored.metadata() or {}, shapes)
    except FileNotFoundError as exc:
        raise BundleError(f"{path}: no such file; give the model.safetensors that poreconv train wrote") from exc
    except (OSError, safetensors.SafetensorError) as exc:
        raise BundleError(f"{path}: not a safetensors file ({exc}); give what poreconv train wrote") from exc


def first_line(exc: Exception) -> str:
    """What an exception says, in one line that is not too long."""
    return " ".join(str(exc).split())[:300]
