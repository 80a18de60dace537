"""Pictures of a run: the flow cell, and the course of a quantity over time."""

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import ArrayLike, NDArray

from poreconv.plot import style

FLONGLE, MINION, PROMETHION = 126, 512, 3000
"""Number of channels of each kind of flow cell."""

FLONGLE_ROWS = (12, 12, 13, 13, 13, 13, 13, 13, 12, 12)
"""Channels in each row of a Flongle, the first row first."""


def flow_cell_layout(channels: int) -> NDArray[np.int64]:
    """Return the channels of a flow cell as they lie on it, from 1; 0 where there is none.

    Args:
        channels: Its number of channels; of a number that no flow cell has, the next larger flow cell.

    Returns:
        Shape ``(rows, columns)``: (10, 13) of a Flongle, (16, 32) of a MinION, (25, 120) of a PromethION; of more
        channels, rows of 100 by their numbers.

    Source:
        The maps of NanoPlot and of bioinformatics.stackexchange.com/a/749, which the maker's software shows too.
    """
    if channels <= FLONGLE:
        ends = np.cumsum(FLONGLE_ROWS)
        layout = np.zeros((len(FLONGLE_ROWS), max(FLONGLE_ROWS)), np.int64)
        for number, (end, n) in enumerate(zip(ends, FLONGLE_ROWS, strict=True)):
            layout[number, :n] = np.arange(end - n, end) + 1
        return layout
    if channels <= MINION:
        column, place = np.arange(32)[None], np.arange(8)[:, None]
        near = -64 * (column // 4) + 8 * (column % 4)
        upper, lower = (32 + near) % MINION + place, near % MINION + 7 - place
        return np.concatenate([upper, lower]) + 1
    if channels <= PROMETHION:
        row, column = np.arange(25)[:, None], np.arange(120)[None]
        return 250 * (column // 10) + 10 * row + column % 10 + 1
    numbers = np.arange(-(-channels // 100) * 100).reshape(-1, 100) + 1
    return np.where(numbers <= channels, numbers, 0)


def flow_cell_map(channels: int, values: Mapping[int, float], name: str) -> Figure:
    """Draw a flow cell, each channel in the colour of its value; those without one are grey.

    Args:
        channels: Number of channels of the flow cell; see `flow_cell_layout`.
        values: Channel, from 1 -> its value; NaN is no value.
        name: What the values are, with their unit.
    """
    layout = flow_cell_layout(channels)
    by_channel = np.full(max(int(layout.max()), *values, 0) + 1, np.nan)
    by_channel[list(values)] = list(values.values())
    by_channel[0] = np.nan
    figure, axes = style.one_panel(2.4)
    low, high = np.nanpercentile(by_channel, [2, 98]) if np.isfinite(by_channel).any() else (0.0, 1.0)
    axes.set_facecolor(style.PALE)
    cells = np.ma.masked_invalid(by_channel[layout])
    drawn = axes.imshow(cells, cmap="viridis", vmin=low, vmax=high, interpolation="none", aspect="auto")
    axes.set_xticks([])
    axes.set_yticks([])
    for side in axes.spines.values():
        side.set_visible(False)
    bar = figure.colorbar(drawn, ax=axes, orientation="horizontal", aspect=40, pad=0.04)
    bar.ax.xaxis.set_major_locator(MaxNLocator(4, integer=bool((cells == np.rint(cells)).all())))
    style.tidy(bar.ax, x=name)
    return figure


def time_course(hours: ArrayLike, curves: Mapping[str, ArrayLike], name: str, band: ArrayLike | None = None) -> Figure:
    """Draw quantities against the time of the run.

    Args:
        hours: Middle of each window of time, shape ``(n,)``.
        curves: Name -> value in each window, shape ``(n,)``; NaN where there is none.
        name: What the values are, with their unit.
        band: Lower and upper edge of a band around them, shape ``(2, n)``.
    """
    figure, axes = style.one_panel(2.3)
    for (label, curve), colour in zip(curves.items(), style.CLASS_COLOURS, strict=False):
        axes.plot(hours, np.asarray(curve), color=colour, marker="o", markersize=3, linewidth=1.2, label=label)
    if band is not None:
        low, high = np.asarray(band)
        axes.fill_between(np.asarray(hours), low, high, color=style.MODEL, alpha=0.18, linewidth=0)
    _from_zero(axes)
    style.tidy(axes, x="time since the run began (h)", y=name)
    if len(curves) > 1:
        style.legend_beneath(figure, axes)
    return figure


def _from_zero(axes: Axes) -> None:
    """Begin the axis of values at 0, so that a small change looks small."""
    axes.set_ylim(bottom=min(0.0, axes.get_ylim()[0]))


def histogram(values: ArrayLike, name: str, bins: int = 40) -> Figure:
    """Draw how many reads have each value.

    Args:
        values: One of each read; NaN is left out, and the outermost two hundredths of them too.
        name: What they are, with their unit.
        bins: Number of bars.
    """
    figure, axes = style.one_panel(2.3)
    known = np.asarray(values, np.float64)
    known = known[np.isfinite(known)]
    if len(known):
        low, high = np.percentile(known, [1, 99])
        axes.hist(known[(known >= low) & (known <= high)], bins=bins, color=style.MODEL)
    style.tidy(axes, x=name, y="reads")
    return figure
