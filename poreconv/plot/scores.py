"""Pictures of scores and errors."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter, StrMethodFormatter
from numpy.typing import ArrayLike

from poreconv.events.matching import TOLERANCES
from poreconv.plot import style

CURVES = {"f1": "F1", "precision": "precision", "recall": "recall"}
"""First part of the key of a score -> title of its panel."""

NEAR = 10
"""Largest offset in samples that has a bar of its own; larger ones share the outermost bars."""


def error_by_tolerance(scores: Mapping[str, Mapping[str, float | None]]) -> Figure:
    """Draw F1, precision and recall of boundaries against the tolerance, with their intervals.

    Args:
        scores: Method -> key of a score -> its value, as in ``Evaluation.scores``; `BoundaryMetric` lists the keys.
            None is a score that is not defined. The first method is drawn with a thicker line.
    """
    figure = style.new_figure(2.6)
    panels = figure.subplots(1, len(CURVES), sharey=True)
    for axes, (key, name) in zip(panels, CURVES.items(), strict=True):
        for place, (method, values) in enumerate(scores.items()):
            _draw_method(axes, method, values, key, place)
        axes.set_xticks(TOLERANCES)
        axes.set_ylim(0, 1.02)
        style.tidy(axes, x="tolerance (samples)", title=name)
    style.legend_beneath(figure, panels[0])
    return figure


def _draw_method(axes: Axes, method: str, values: Mapping[str, float | None], key: str, place: int) -> None:
    names = [f"{key}_{tolerance}" for tolerance in TOLERANCES]
    colour, marker = style.CLASS_COLOURS[place % 8], style.MARKERS[place % 8]
    low, y, high = (np.array([values.get(name + end) for name in names], float) for end in ("_low", "", "_high"))
    axes.plot(TOLERANCES, y, color=colour, marker=marker, markersize=4, linewidth=1 if place else 2, label=method)
    axes.fill_between(TOLERANCES, low, high, color=colour, alpha=0.15, linewidth=0)


def boundary_offsets(offsets: Mapping[int, int]) -> Figure:
    """Draw how far the nearest prediction lies from each true boundary.

    Args:
        offsets: Distance in samples (positive: the prediction is late) -> number of true boundaries, as
            ``Counter(nearest_distance(true, predicted).tolist())`` counts them.
    """
    counts = np.zeros(2 * NEAR + 1)
    for offset, n in offsets.items():
        counts[np.clip(offset, -NEAR, NEAR) + NEAR] += n
    figure, axes = style.one_panel()
    place = np.arange(-NEAR, NEAR + 1)
    colours = [style.MODEL if place == 0 else style.BANDS[0] for place in place]
    axes.bar(place, counts / max(counts.sum(), 1), width=0.85, color=colours)
    axes.yaxis.set_major_formatter(PercentFormatter(1, 0))
    axes.set_xticks([-NEAR, -NEAR // 2, 0, NEAR // 2, NEAR])
    axes.xaxis.set_major_formatter(_offset)
    total = f"{counts.sum():,.0f} true boundaries"
    style.tidy(axes, x="nearest prediction minus true boundary (samples)", y="share of true boundaries", title=total)
    return figure


def _offset(at: float, _: float) -> str:
    """Return the label of a bar."""
    sign = "≤ " if at <= -NEAR else "≥ " if at >= NEAR else ""
    return f"{sign}{at:g}"


FoundByLength = tuple[str, int, int, int, int]
"""A class, the shortest and the longest length in samples, the number of true events, and of those found."""


def found_by_length(rows: Sequence[FoundByLength]) -> Figure:
    """Draw the share of true events that are found against their length, class by class, over the share of each length.

    Args:
        rows: One or more, as in ``Evaluation.found_by_length``.
    """
    figure, axes = style.one_panel()
    name, shortest, longest, n_true, n_found = (np.array(column) for column in zip(*rows, strict=True))
    colours = style.cycled(list(dict.fromkeys(name.tolist())))
    for each, colour in colours.items():
        of_class = name == each
        middle, share = np.sqrt(shortest * (longest + 1.0)), n_found / n_true
        axes.plot(middle[of_class], share[of_class], color=colour, marker="o", markersize=4, linewidth=1.4, label=each)
    for first in np.unique(shortest):
        of_length = n_true[shortest == first].sum() / n_true.sum()
        axes.bar(first, of_length, width=0.95 * first, align="edge", color=style.PALE, zorder=0)
    axes.set_xscale("log")
    axes.xaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
    axes.set_ylim(0, 1.04)
    style.tidy(axes, x="length (samples)", y="share found")
    if len(colours) > 1:
        style.legend_beneath(figure, axes, columns=4)
    return figure


def confusion(counts: ArrayLike, classes: Sequence[str]) -> Figure:
    """Draw the confusion matrix: for each true class, the share that was predicted as each class.

    Args:
        counts: Samples (or reads) by true class (row) and predicted class (column), shape ``(C, C)``, or ``(C, C + 1)``
            where the last column counts those predicted as no class, as in ``SegmentMetric.confusion()``.
        classes: Names of the ``C`` classes.
    """
    table = np.asarray(counts, np.float64)
    if table.shape[1] > len(classes) and not table[:, -1].any():
        table = table[:, :-1]
    columns = [*classes, "none"][: table.shape[1]]
    share = table / np.maximum(table.sum(axis=1, keepdims=True), 1)
    side = 1.4 + 0.55 * len(classes)
    figure, axes = style.one_panel(side, side + 0.6)
    picture = axes.imshow(share, cmap="Blues", vmin=0, vmax=1, aspect="auto")
    for (row, column), value in np.ndenumerate(share):
        colour = "white" if value > 0.5 else style.INK
        label = f"{value:.1%}\n{table[row, column]:,.0f}"
        axes.text(column, row, label, ha="center", va="center", fontsize=style.SMALL_PT, color=colour)
    axes.set_xticks(range(len(columns)), columns)
    axes.set_yticks(range(len(classes)), classes)
    style.tidy(axes, x="predicted class", y="true class")
    bar = figure.colorbar(picture, ax=axes, format=PercentFormatter(1, 0), shrink=0.8)
    style.tidy(bar.ax, y="share of the true class")
    return figure


def reliability(table: Sequence[Mapping[str, float]]) -> Figure:
    """Draw the observed share against the predicted probability, with the expected calibration error.

    Args:
        table: Rows of `ReliabilityMetric.table`, as in ``Evaluation.reliability``.
    """
    predicted, observed, n = (
        np.array([row[key] for row in table]) for key in ("mean_predicted", "observed", "n_samples")
    )
    error = float((n * np.abs(predicted - observed)).sum() / n.sum()) if len(n) else np.nan
    figure = style.new_figure(3.4, style.WIDTH_IN / 2)
    axes, below = figure.subplots(2, 1, sharex=True, height_ratios=[3, 1])
    axes.plot([0, 1], [0, 1], color=style.GREY, linewidth=0.8, linestyle="--", label="ideal")
    axes.plot(predicted, observed, color=style.MODEL, marker="o", markersize=4, linewidth=1.5, label=f"ECE {error:.4f}")
    axes.set_ylim(-0.02, 1.02)
    style.tidy(axes, y="observed share")
    style.legend(axes, "upper left")
    below.bar(predicted, n, width=0.05, color=style.BANDS[0])
    below.set_yscale("log")
    below.set_ylim(bottom=0.8)
    style.tidy(below, x="predicted probability", y="samples")
    return figure
