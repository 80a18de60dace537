"""How every picture looks: sizes, a palette that the colour-blind can tell apart, few lines.

Source of the colours: Okabe & Ito 2008, Color Universal Design, jfly.uni-koeln.de/color.
"""

from collections.abc import Mapping, Sequence
from typing import Literal

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from poreconv.events.events import Events

INK, GREY, PALE = "#333333", "#8a8a8a", "#e6e6e6"
"""Of the signal and of words; of what stands beside; of where nothing is known."""

MODEL = "#0072B2"
"""Of whatever the model says."""

SPIKE = "#D55E00"
"""Of what lies outside of the picture."""

BANDS = ("#6baed6", "#c6dbef")
"""Of events without a class, by turns."""

CLASS_COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#F0E442", "#999999")
"""Of the classes in their order; a ninth class begins anew."""

MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")
"""Beside the colours, for print in grey."""

WIDTH_IN = 7.2
"""Inches: both columns of a journal's page."""

SMALL_PT, TEXT_PT, TITLE_PT = 7, 8, 9

MOST_BANDS = 400
"""More events than this in one picture would be thinner than a reader can see; then only their union is drawn."""


def new_figure(height_in: float, width_in: float = WIDTH_IN) -> Figure:
    """An empty figure that no backend and no global state knows of."""
    return Figure(figsize=(width_in, height_in), dpi=150, layout="constrained", facecolor="white")


def one_panel(height_in: float = 2.6, width_in: float = WIDTH_IN / 2) -> tuple[Figure, Axes]:
    """A figure of one column's width, and its only axes."""
    figure = new_figure(height_in, width_in)
    return figure, figure.subplots()


def tidy(axes: Axes, *, x: str = "", y: str = "", title: str = "") -> None:
    """Label axes, with units, and take away the lines that say nothing."""
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(labelsize=SMALL_PT, colors=INK, length=3)
    axes.set_xlabel(x, fontsize=TEXT_PT, color=INK)
    axes.set_ylabel(y, fontsize=TEXT_PT, color=INK)
    if title:
        axes.set_title(title, fontsize=TITLE_PT, loc="left", color=INK)


def legend(axes: Axes, place: Literal["best", "upper left"] = "best") -> None:
    """A legend without a frame."""
    handles, labels = axes.get_legend_handles_labels()
    axes.legend(handles, labels, loc=place, fontsize=SMALL_PT, frameon=False)


def class_colours(tracks: Mapping[str, Events]) -> dict[str, str]:
    """The colour of each class of some events, by name: the same class has one colour in all tracks."""
    names = dict.fromkeys(name for events in tracks.values() for name in events.classes)
    return cycled(list(names))


def cycled(names: Sequence[str]) -> dict[str, str]:
    """A colour for each name."""
    return {name: CLASS_COLOURS[i % len(CLASS_COLOURS)] for i, name in enumerate(names)}


def legend_beneath(figure: Figure, axes: Axes, columns: int = 8) -> None:
    """One legend for all panels, of what stands in one of them."""
    figure.legend(
        *axes.get_legend_handles_labels(), loc="outside lower center", ncols=columns, fontsize=SMALL_PT, frameon=False
    )
