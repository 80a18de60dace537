"""The style of all pictures: sizes, few lines, and a palette that colour-blind readers can distinguish.

Source of the colours: Okabe & Ito 2008, Color Universal Design, jfly.uni-koeln.de/color.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Literal

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from poreconv.events.events import Events

INK, GREY, PALE = "#333333", "#8a8a8a", "#e6e6e6"
"""Colours of the signal and of text; of secondary elements; of the background and of what is not known."""

MODEL = "#0072B2"
"""Colour of the model's predictions and scores."""

ON_PAGES = {INK: "--ink", MODEL: "--blue"}
"""Colour -> the variable of ``pages/style.css`` that replaces it on a page, light or dark."""

SPIKE = "#D55E00"
"""Colour of marks for samples outside the picture, and of errors."""

BANDS = ("#6baed6", "#c6dbef")
"""Alternating colours of events without a class."""

CLASS_COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#F0E442", "#999999")
"""Colours of the classes in their order; the ninth class has the first colour again."""

MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")
"""Markers used with the colours, for print in grey."""

WIDTH_IN = 7.2
"""Width of a figure in inches: both columns of a journal's page."""

SMALL_PT, TEXT_PT, TITLE_PT = 7, 8, 9
"""Sizes of text in points."""

MOST_BANDS = 400
"""Most events drawn in one picture: more would be thinner than a reader can see, so only their coverage is drawn."""


def new_figure(height_in: float, width_in: float = WIDTH_IN) -> Figure:
    """Return an empty figure that is registered with no backend and in no global state.

    Args:
        height_in: Height in inches.
        width_in: Width in inches; default: both columns of a page.
    """
    return Figure(figsize=(width_in, height_in), dpi=150, layout="constrained", facecolor="white")


def one_panel(height_in: float = 2.6, width_in: float = WIDTH_IN / 2) -> tuple[Figure, Axes]:
    """Return a figure with a single panel, and its axes.

    Args:
        height_in: Height in inches.
        width_in: Width in inches; default: one column of a page.
    """
    figure = new_figure(height_in, width_in)
    return figure, figure.subplots()


def tidy(axes: Axes, *, x: str = "", y: str = "", title: str = "") -> None:
    """Label axes, and remove their top and right lines.

    Args:
        axes: Axes to change.
        x: Label of the x axis, with its unit.
        y: Label of the y axis, with its unit.
        title: Title above the axes; default: none.
    """
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(labelsize=SMALL_PT, colors=INK, length=3)
    axes.set_xlabel(x, fontsize=TEXT_PT, color=INK)
    axes.set_ylabel(y, fontsize=TEXT_PT, color=INK)
    if title:
        axes.set_title(title, fontsize=TITLE_PT, loc="left", color=INK)


def legend(axes: Axes, place: Literal["best", "upper left"] = "best") -> None:
    """Add a legend without a frame.

    Args:
        axes: Axes to add it to.
        place: Where in the axes.
    """
    handles, labels = axes.get_legend_handles_labels()
    axes.legend(handles, labels, loc=place, fontsize=SMALL_PT, frameon=False)


def class_colours(tracks: Mapping[str, Events]) -> dict[str, str]:
    """Return the colour of each class, which is the same in all tracks.

    Args:
        tracks: Name of a track -> its events.

    Returns:
        Name of a class -> its colour.
    """
    names = dict.fromkeys(name for events in tracks.values() for name in events.classes)
    return cycled(list(names))


def curve_colours(curves: Iterable[str], of_classes: Mapping[str, str]) -> dict[str, str]:
    """Return the colours of classes, and of curves; one curve alone that is no class has none of its own.

    Args:
        curves: Names of the curves.
        of_classes: Name of a class -> its colour.
    """
    others = [name for name in curves if name not in of_classes]
    return {**of_classes, **(cycled(others) if len(others) > 1 else {})}


def cycled(names: Sequence[str]) -> dict[str, str]:
    """Return a colour for each name, in the order of `CLASS_COLOURS`.

    Args:
        names: The names.
    """
    return {name: CLASS_COLOURS[i % len(CLASS_COLOURS)] for i, name in enumerate(names)}


def legend_beneath(figure: Figure, axes: Axes, columns: int = 8) -> None:
    """Add one legend for all panels, below them.

    Args:
        figure: The figure.
        axes: The panel whose entries the legend shows.
        columns: Number of columns.
    """
    figure.legend(
        *axes.get_legend_handles_labels(), loc="outside lower center", ncols=columns, fontsize=SMALL_PT, frameon=False
    )
