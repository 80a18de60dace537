"""The models that come with poreconv, and what their cards tell; no torch here."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.markup import escape
from rich.table import Table

from poreconv.card import Card
from poreconv.errors import BundleError
from poreconv.header import Header, read_header
from poreconv.recipe import Recipe
from poreconv.shipped import find_bundle, shipped_paths


@dataclass(frozen=True)
class ShippedModel:
    """One of the models that come with poreconv."""

    name: str
    """What `label`, `evaluate` and `load` take for it."""
    path: Path
    recipe: Recipe
    card: Card
    n_parameters: int
    n_bytes: int


def shipped_models() -> list[ShippedModel]:
    """The models that come with poreconv, in the order of their names.

    Example:
        >>> [model.name for model in shipped_models() if model.recipe.task == "boundary"]
    """
    headers = {name: read_header(path) for name, path in shipped_paths().items()}
    return [
        ShippedModel(name, header.path, header.recipe, _card(header), header.n_parameters, header.n_bytes)
        for name, header in headers.items()
    ]


def card_of(model: Path | str) -> str:
    """A model's card as Markdown.

    Args:
        model: Its file, or the name of a shipped one.

    Raises:
        BundleError: There is no such model, or it has no card.
    """
    header = read_header(find_bundle(model))
    return _card(header).to_markdown(header.path.stem, header.recipe)


def _card(header: Header) -> Card:
    card = header.card
    if card is None:
        raise BundleError(
            f"{header.path}: has no card; only models that come with poreconv, or were saved with one, do"
        )
    return card


COLUMNS = ("model", "task", "classes", "chemistry", "Hz", "weights", "MB", "score")


def render(models: Sequence[ShippedModel]) -> Table:
    """The table for the terminal: one row per model."""
    table = Table(title="Models that come with poreconv", caption="poreconv models MODEL tells more of one")
    for name in COLUMNS:
        table.add_column(name, justify="right" if name in {"Hz", "weights", "MB"} else "left")
    for model in models:
        table.add_row(*map(escape, _row(model)))
    return table


def _row(model: ShippedModel) -> tuple[str, ...]:
    recipe = model.recipe
    return (
        model.name,
        recipe.task,
        ", ".join(recipe.classes),
        ", ".join(recipe.chemistries),
        f"{recipe.sample_rate_hz:g}",
        f"{model.n_parameters:,}",
        f"{model.n_bytes / 1e6:.2f}",
        model.card.headline(recipe.task),
    )
