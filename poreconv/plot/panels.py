"""Panels of pictures of one read: its current, a track of events, the probability of each class."""

from collections.abc import Mapping
from functools import partial

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import EngFormatter, StrMethodFormatter
from numpy.typing import NDArray

from poreconv.events.events import Events
from poreconv.plot import style
from poreconv.plot.decimation import extremes
from poreconv.reads.read import Read

Window = tuple[int, int]
"""Samples ``[start, end)`` of a read."""

Curves = Mapping[str, NDArray[np.float32]]
"""Name, such as that of a class -> its probability, or another quantity, at each sample of the read, shape
``(n_samples,)``; NaN where it is not known."""

PROBABILITY = "probability"
"""The quantity whose axis is from 0 to 1."""

BINS = 2000
"""Number of bins of a line along the read: more than a page has pixels."""

BAND = (0.08, 0.84)
"""Bottom and height of a band in its track."""

SPIKES = 0.001
"""Share of the samples with the lowest and with the highest currents that may be outside the picture."""


def draw_signal(axes: Axes, read: Read, window: Window) -> None:
    """Draw the current in pA, with the time on top; spikes outside the picture are marked at its edge.

    Args:
        axes: Axes to draw in.
        read: The read.
        window: Samples of the read that are drawn.
    """
    start, end = window
    pa = read.calibration.to_pa(read.adc[start:end])
    shown = extremes(pa, BINS)
    axes.plot(start + shown, pa[shown], color=style.INK, linewidth=0.4 if len(shown) < len(pa) else 0.8)
    axes.set_xlim(start, end)
    _limit_to_most(axes, start, pa)
    style.tidy(axes, y="current (pA)")
    _time_on_top(axes, read.sample_rate_hz)


def _limit_to_most(axes: Axes, start: int, pa: NDArray[np.float32]) -> None:
    """Leave spikes outside, so that they do not flatten the rest, and mark their positions at the edge."""
    low, high = np.percentile(pa, [100 * SPIKES, 100 * (1 - SPIKES)])
    margin = 0.3 * (high - low) + 1
    bottom, top = max(pa.min(), low - margin), min(pa.max(), high + margin)
    edge = 0.04 * (top - bottom) + 0.5
    axes.set_ylim(bottom - edge, top + edge)
    for beyond, y, marker in ((pa > top, 0.98, "^"), (pa < bottom, 0.02, "v")):
        x = start + np.flatnonzero(beyond)[:: max(1, beyond.sum() // style.MOST_BANDS)]
        axes.plot(x, np.full(len(x), y), marker, transform=axes.get_xaxis_transform(), color=style.SPIKE, markersize=3)


def _time_on_top(axes: Axes, sample_rate_hz: float) -> None:
    to_seconds, to_samples = partial(np.multiply, 1 / sample_rate_hz), partial(np.multiply, sample_rate_hz)
    time = axes.secondary_xaxis("top", functions=(to_seconds, to_samples))
    time.xaxis.set_major_formatter(EngFormatter(unit="s"))
    time.tick_params(labelsize=style.SMALL_PT, colors=style.GREY, length=3)
    time.spines["top"].set_visible(False)


def draw_track(axes: Axes, name: str, events: Events, window: Window, colours: Mapping[str, str]) -> None:
    """Draw events as bands, side by side; if they are too many to see, draw their coverage and their number.

    Args:
        axes: Axes to draw in; the bands fill their height.
        name: Name of the track, on its left.
        events: The events, drawn in the colours of their classes, or in alternating shades if there are no two classes.
        window: Samples of the read that are drawn.
        colours: Name of a class -> its colour.
    """
    style.tidy(axes)
    axes.set_yticks([])
    axes.set_ylim(0, 1)
    axes.spines[["left", "bottom"]].set_visible(False)
    axes.set_ylabel(name, fontsize=style.TEXT_PT, color=style.INK, rotation=0, ha="right", va="center")
    seen = events.within(*window)
    if seen.sum() > style.MOST_BANDS:
        return _draw_coverage(axes, events, window)
    bands = list(zip(events.start[seen], events.duration[seen], strict=True))
    faces = [colour for colour, shown in zip(band_colours(events, colours), seen, strict=True) if shown]
    axes.broken_barh(bands, BAND, facecolors=faces, edgecolors="white", linewidth=0.5)
    return None


def _draw_coverage(axes: Axes, events: Events, window: Window) -> None:
    """Draw the coverage of the events, and their number."""
    spans = list(zip(events.coverage[:, 0], np.diff(events.coverage, axis=1)[:, 0], strict=True))
    axes.broken_barh(spans, BAND, facecolors=style.BANDS[1], linewidth=0)
    number = f"{events.within(*window).sum():,} events"
    axes.text(
        0.5, 0.47, number, transform=axes.transAxes, ha="center", va="center", fontsize=style.SMALL_PT, color=style.INK
    )


def band_colours(events: Events, colours: Mapping[str, str]) -> list[str]:
    """Return the colour of each event: that of its class, or alternating shades if there are no two classes.

    Args:
        events: The events.
        colours: Name of a class -> its colour.
    """
    if len(events.classes) > 1:
        return [colours[events.classes[i]] if i >= 0 else style.PALE for i in events.label]
    return [style.BANDS[i % 2] for i in range(len(events))]


def draw_boundaries(axes: Axes, events: Events, window: Window) -> None:
    """Draw a thin line at each event's first sample, unless there are too many to see.

    Args:
        axes: Axes to draw in.
        events: The events.
        window: Samples of the read that are drawn.
    """
    starts = events.start[(events.start >= window[0]) & (events.start < window[1])]
    if len(starts) <= style.MOST_BANDS:
        axes.vlines(starts, 0, 1, transform=axes.get_xaxis_transform(), color=style.PALE, linewidth=0.6, zorder=0)


def mark_window(axes: Axes, window: Window) -> None:
    """Mark the part of a read that another panel shows enlarged, so that even a short one is visible.

    Args:
        axes: Axes to draw in.
        window: Samples of the read to mark.
    """
    axes.axvspan(*window, color=style.MODEL, alpha=0.25, linewidth=0)
    middle = sum(window) / 2
    axes.plot([middle], [0], "^", transform=axes.get_xaxis_transform(), color=style.MODEL, markersize=5, clip_on=False)


def draw_curves(axes: Axes, curves: Curves, window: Window, colours: Mapping[str, str], quantity: str) -> None:
    """Draw probabilities, on an axis from 0 to 1, or another quantity.

    Args:
        axes: Axes to draw in.
        curves: Name -> number at each sample of the read, shape ``(n_samples,)``.
        window: Samples of the read that are drawn.
        colours: Name of a curve -> its colour.
        quantity: What the curves show.
    """
    start, end = window
    for name, curve in curves.items():
        shown = extremes(curve[start:end], BINS)
        axes.plot(start + shown, curve[start:end][shown], linewidth=0.9, color=colours.get(name, style.MODEL))
    if quantity == PROBABILITY:
        axes.set_ylim(-0.03, 1.03)
        axes.set_yticks([0, 0.5, 1])
    of_one = quantity == PROBABILITY and len(curves) == 1
    style.tidy(axes, y=f"P({next(iter(curves))})" if of_one else quantity)


def label_samples(axes: Axes) -> None:
    """Label the axis along the read as samples.

    Args:
        axes: Axes to label.
    """
    axes.set_xlabel("sample", fontsize=style.TEXT_PT, color=style.INK)
    axes.xaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
