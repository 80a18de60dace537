"""The shipped models and their cards, without torch; the architectures that can be trained."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.markup import escape
from rich.table import Table

from poreconv.errors import BundleError
from poreconv.models.architectures import ARCHITECTURES
from poreconv.models.card import Card
from poreconv.models.header import Header, read_header
from poreconv.models.recipe import Recipe
from poreconv.models.shipped import find_bundle, shipped_headers


@dataclass(frozen=True)
class ShippedModel:
    """A model that comes with poreconv."""

    name: str
    """Its name in `label`, `evaluate`, `load` and so on."""
    path: Path
    recipe: Recipe
    card: Card
    n_parameters: int
    n_bytes: int


def shipped_models() -> list[ShippedModel]:
    """Return the models that come with poreconv, in the order of their names.

    Example:
        >>> [model.name for model in shipped_models() if model.recipe.task == "boundary"]
    """
    headers = shipped_headers()
    return [
        ShippedModel(name, header.path, header.recipe, _card(header), header.n_parameters, header.n_bytes)
        for name, header in headers.items()
    ]


def card_of(model: Path | str) -> str:
    """Return a model's card as Markdown.

    Args:
        model: The model's file, or the name of a shipped model.

    Raises:
        BundleError: There is no such model, or it has no card.
    """
    header = read_header(find_bundle(model))
    return _card(header).to_markdown(header.path.stem, header.recipe)


def _card(header: Header) -> Card:
    card = header.card
    if card is None:
        raise BundleError(
            f"{header.path}: has no card; only shipped models, and models that were saved with a card, have one"
        )
    return card


COLUMNS = ("model", "task", "classes", "chemistry", "Hz", "weights", "MB", "score")


def render(models: Sequence[ShippedModel]) -> Table:
    """Return the table for the terminal: one row per model.

    Args:
        models: What `shipped_models` returned.
    """
    table = Table(title="Models that come with poreconv", caption="poreconv models MODEL prints the card of one")
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
        model.card.headline(recipe.asked),
    )


@dataclass(frozen=True)
class ArchitectureCosts:
    """Size and costs of one architecture with its default settings."""

    name: str
    """Its name in `train`, and in ``--network``."""
    summary: str
    """One line that describes it."""
    n_parameters: int
    receptive_field: int | None
    """Samples that one output depends on; None if they are not bounded, or differ from place to place."""
    alignment: int
    """Samples of its coarsest frame, or of its window: chunks begin at multiples of it."""
    macs_per_sample: float
    """Multiply-adds per sample labelled."""


def architectures(n_classes: int = 2) -> list[ArchitectureCosts]:
    """Return size and costs of each architecture with its default settings.

    Args:
        n_classes: Outputs per sample, which a few weights depend on; default: 2.

    Example:
        >>> {each.name: each.receptive_field for each in architectures()}
    """
    return [_architecture(name, n_classes) for name in ARCHITECTURES]


def _architecture(name: str, n_classes: int) -> ArchitectureCosts:
    # needs torch, which the list of shipped models should not wait for
    from poreconv.models.networks import build_network

    settings = ARCHITECTURES[name].settings
    network = build_network(name, settings(), n_classes)
    summary = str(settings.__doc__).partition("\n")[0]
    costs = (network.n_parameters, network.receptive_field, network.alignment, network.macs_per_sample)
    return ArchitectureCosts(name, summary, *costs)


COSTS = ("weights", "receptive\nfield", "alignment", "multiply-\nadds")


def render_architectures(listed: Sequence[ArchitectureCosts]) -> Table:
    """Return the table for the terminal: one row per architecture.

    Args:
        listed: What `architectures` returned.
    """
    caption = (
        "With default settings and two classes; receptive field and alignment in samples, multiply-adds per sample;"
        " whole: the whole read or window. poreconv train --network NAME"
    )
    table = Table(title="Architectures that poreconv trains", caption=caption)
    table.add_column("model", no_wrap=True)
    for name in COSTS:
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("what it is")
    for each in listed:
        sees = "whole" if each.receptive_field is None else f"{each.receptive_field:,}"
        costs = (f"{each.n_parameters:,}", sees, f"{each.alignment:,}", f"{each.macs_per_sample:,.0f}")
        table.add_row(each.name, *costs, escape(each.summary))
    return table
