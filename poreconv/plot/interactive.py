"""Interactive picture of one read, to drag, zoom and point at: a plotly figure, which `save_page` writes as a page."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from poreconv.events.events import Events
from poreconv.plot import style
from poreconv.plot.decimation import bin_starts, binned, extremes
from poreconv.plot.packing import packed
from poreconv.plot.panels import BINS, PROBABILITY, Curves, Window, band_colours
from poreconv.plot.reads import Tracks, checked_window
from poreconv.reads.read import Read

STRIP_PX, SIGNAL_PX, TRACK_PX, CURVE_PX = 54, 320, 24, 120
"""Heights in pixels: of the strip with the whole read, of the squiggle, of each track, of the probabilities."""

TIME_PX, GAP_PX, EDGES_PX = 38, 10, 130
"""Space above the squiggle, for the axis of seconds; between other panels; for title, axis and legend together."""

EVENTS_IN_VIEW, SAMPLES_IN_VIEW = 40, 1000
"""Usual dwells in view when a page opens; and samples, of a read without events."""

STRIP_MEANS = 300
"""Bins of the line of means in the strip, which shows the course of a read where single samples cannot be seen."""

STEPS, FINE_STEPS = 100, 60_000
"""Probabilities are stored in steps of 1 / 100 for zooming, about as fine as the panel shows; another quantity in this
number of steps from its least to its largest."""

GAP = -(2**15)
"""The number of a sample without a value; `figures.js` knows it too. No sequencer writes such a count."""

SCORE_STEPS = 1000
"""Scores of events are stored in steps of 1 / 1000; `figures.js` knows it too."""

SAMPLES, WHOLE, SECONDS = "x", "x2", "x3"
"""The axes along the read: that of the panels in samples, of the strip, and of the squiggle in seconds."""

IN_VIEW = "rgba(0, 114, 178, 0.2)"
"""Colour of the part in view, in the strip."""

EVENT_HOVER = " %{customdata[0]:,d} to %{customdata[1]:,d}, score %{customdata[2]:.3f}<extra></extra>"
"""Text shown, after its class, for the event under the pointer."""


class Panel(NamedTuple):
    """A panel of the figure."""

    axis: str
    """Its vertical axis, such as ``y2``."""
    domain: tuple[float, float]
    """Its lower and upper edge, as shares of the figure's height without margins."""


def interactive_squiggle(
    read: Read,
    tracks: Tracks | None = None,
    curves: Curves | None = None,
    *,
    quantity: str = PROBABILITY,
    start: int | None = None,
    end: int | None = None,
) -> go.Figure:
    """Draw a read for the screen: a strip with all of it, and below it the part in view, enlarged.

    The lines have the smallest and the largest value of each of `BINS` bins; the page that `save_page` writes contains
    all samples, and draws the part in view from them.

    Args:
        read: The read.
        tracks: Name -> events, top to bottom.
        curves: Class -> its probability at each sample of the read, shape ``(n_samples,)``.
        quantity: What the curves show, if it is not the probability.
        start: First sample in view when the page opens.
        end: Sample after the last one in view. Without ``start`` and ``end``: `opening_window`.

    Raises:
        ConfigError: ``[start, end)`` is not in the read.
    """
    tracks, curves = tracks or {}, curves or {}
    asked = start is not None or end is not None
    window = checked_window(read, start or 0, end) if asked else opening_window(read, tracks)
    figure, (strip, signal, *panels), height = _stacked(len(tracks), bool(curves))
    colours = style.curve_colours(curves, style.class_colours(tracks))
    lines = [_add_line(figure, signal, "current", "pA", style.INK, *_as_counts(read))]
    rows_of_events = [
        _add_track(figure, panel, *track, colours) for panel, track in zip(panels, tracks.items(), strict=False)
    ]
    for name, curve in curves.items():
        colour, title = colours.get(name, style.MODEL), f"P({name})" if quantity == PROBABILITY else name
        lines.append(_add_line(figure, panels[-1], title, "", colour, *_as_steps(curve, quantity)))
    _add_legend(figure, colours)
    _lay_out(figure, read, window, height)
    _add_strip(figure, read, window, strip)
    _add_seconds(figure, read, window, signal)
    if curves:
        limits = [-0.03, 1.03] if quantity == PROBABILITY else None
        _set_axis(figure, panels[-1], title=quantity, range=limits)
    _set_axis(figure, signal, title="current (pA)", range=_usual_range(read))
    facts = {"n_samples": len(read.adc), "rate": read.sample_rate_hz, "seconds": "xaxis3"}
    figure.update_layout(meta=facts | {"lines": lines, "tracks": rows_of_events})
    return figure


def opening_window(read: Read, tracks: Tracks) -> Window:
    """Choose what is in view when a page opens: about `EVENTS_IN_VIEW` events of the first track that has some.

    Args:
        read: The read; of a short one, or one with few events, such as regions, all is chosen.
        tracks: Name -> events. Without any event, `SAMPLES_IN_VIEW` samples in the middle of the read.
    """
    n_samples = len(read.adc)
    events = next((events for events in tracks.values() if len(events)), None)
    middle, width = n_samples // 2, SAMPLES_IN_VIEW
    if events is not None:
        middle = int(events.start[len(events) // 2])
        width = round(EVENTS_IN_VIEW * float(np.median(events.duration)))
        width = n_samples if len(events) <= EVENTS_IN_VIEW else width
    start = max(0, min(middle - width // 2, n_samples - width))
    return start, min(start + width, n_samples)


def _stacked(n_tracks: int, has_curves: bool) -> tuple[go.Figure, list[Panel], float]:
    """Return an empty figure, its panels from top to bottom, and its height in pixels."""
    heights = [STRIP_PX, SIGNAL_PX, *[TRACK_PX] * n_tracks, *[CURVE_PX] * has_curves]
    gaps = [TIME_PX, *[GAP_PX] * (len(heights) - 2)]
    whole = sum(heights) + sum(gaps)
    tops = whole - np.cumsum([0, *(height + gap for height, gap in zip(heights[:-1], gaps, strict=True))])
    figure, panels = go.Figure(), []
    for number, (top, height) in enumerate(zip(tops, heights, strict=True), start=1):
        panel = Panel(f"y{number}" if number > 1 else "y", (max(float(top - height) / whole, 0.0), float(top) / whole))
        panels.append(panel)
        _set_axis(figure, panel, domain=panel.domain, anchor=SAMPLES, fixedrange=True, showgrid=False)
    figure.update_layout(xaxis_anchor=panels[-1].axis)
    return figure, panels, whole + EDGES_PX


def _set_axis(figure: go.Figure, panel: Panel, **settings: Any) -> None:
    figure.update_layout({panel.axis.replace("y", "yaxis"): settings})


Samples = tuple[NDArray[Any], float, float]
"""Whole numbers, and the offset and the scale that convert them to values: ``(number + offset) * scale``."""


def _as_counts(read: Read) -> Samples:
    if read.adc.dtype != np.int16:
        return _as_steps(read.pa, "current")
    return read.counts, read.calibration.offset, read.calibration.scale


def _as_steps(curve: NDArray[np.float32], quantity: str) -> Samples:
    if quantity == PROBABILITY:
        return np.rint(curve * STEPS).astype(np.uint8), 0.0, 1 / STEPS
    known = np.isfinite(curve)
    low, high = (float(limit(curve[known])) if known.any() else 0.0 for limit in (np.min, np.max))
    step, middle = (high - low) / FINE_STEPS or 1.0, (low + high) / 2
    steps = np.full(len(curve), GAP, np.int16)
    steps[known] = np.rint((curve[known] - middle) / step)
    return steps, middle / step, step


def _add_line(
    figure: go.Figure,
    panel: Panel,
    name: str,
    unit: str,
    colour: str,
    numbers: NDArray[Any],
    offset: float,
    scale: float,
) -> dict[str, Any]:
    """Draw a line of few points, and an empty one for means; return all of its samples for `figures.js`."""
    shown = extremes(numbers, BINS)
    values = np.where(numbers[shown] == GAP, np.nan, (numbers[shown] + np.float64(offset)) * scale)
    hover = f"sample %{{x:,}}<br>{name} %{{y:.2f}} {unit}<extra></extra>"
    line, meta = {"color": colour, "width": 1}, {"colour": style.ON_PAGES.get(colour)}
    common = {"line": line, "meta": meta, "showlegend": False, "xaxis": SAMPLES, "yaxis": panel.axis, "mode": "lines"}
    figure.add_scatter(x=shown, y=values, name=name, hovertemplate=hover, **common)
    figure.add_scatter(x=[None], y=[None], hoverinfo="skip", **common)
    traces = {"trace": len(figure.data) - 2, "means": len(figure.data) - 1}
    return {**packed(numbers), **traces, "offset": offset, "scale": scale}


def _add_track(
    figure: go.Figure, panel: Panel, name: str, events: Events, colours: Mapping[str, str]
) -> dict[str, Any]:
    """Draw events as one row of a heat map, which copes with thousands; return all of them for `figures.js`."""
    faces = band_colours(events, colours)
    palette = list(dict.fromkeys(faces)) or [style.PALE]
    edges = np.unique(np.concatenate([[0], events.start, events.end]))
    place = np.searchsorted(edges, events.start)
    facts = np.full((4, max(len(edges) - 1, 1)), np.nan, np.float32)  # NaN in the cells between two events
    number = np.array([palette.index(face) for face in faces], np.uint8)
    facts[:, place] = np.stack([number, events.start, events.end, events.score])
    names = [*(events.classes if len(events.classes) > 1 else ["event"] * len(events.classes)), "event"]
    text = np.full((1, facts.shape[1]), "", object)
    text[0, place] = np.array(names, object)[events.label]
    figure.add_heatmap(
        x=edges,
        y=[name],
        z=facts[:1],
        customdata=facts[None, 1:].transpose(0, 2, 1),
        text=text,
        hovertemplate="%{text}" + EVENT_HOVER,
        colorscale=_colour_scale(palette),
        zmin=-0.5,
        zmax=len(palette) - 0.5,
        showscale=False,
        xaxis=SAMPLES,
        yaxis=panel.axis,
    )
    score = np.where(np.isfinite(events.score), np.rint(events.score * SCORE_STEPS), GAP)
    columns: dict[str, NDArray[Any]] = {
        "start": events.start.astype(np.int32),
        "duration": events.duration.astype(np.int32),
        "colour": number,
        "label": (events.label % len(names)).astype(np.uint8),
        "score": np.clip(score, GAP, -GAP - 1).astype(np.int16),
    }
    packed_columns = {name: packed(column) for name, column in columns.items()}
    return {"trace": len(figure.data) - 1, "names": names, "columns": packed_columns}


def _colour_scale(palette: list[str]) -> list[tuple[float, str]]:
    """Return a colour scale that gives number ``i`` the palette's colour ``i``, without shades between colours."""
    edges = np.arange(len(palette) + 1) / len(palette)
    return [(float(edge), colour) for i, colour in enumerate(palette) for edge in edges[i : i + 2]]


def _add_strip(figure: go.Figure, read: Read, window: Window, panel: Panel) -> None:
    """Draw the whole read in a strip, and the part in view as a frame, which `figures.js` moves."""
    pa = read.pa
    shown, rows = extremes(pa, BINS // 2), binned(pa, STRIP_MEANS)
    line, meta = {"color": style.INK, "width": 1}, {"colour": style.ON_PAGES[style.INK], "overview": True}
    common = {"mode": "lines", "line": line, "meta": meta, "showlegend": False, "xaxis": WHOLE, "yaxis": panel.axis}
    figure.add_scatter(x=shown, y=pa[shown], opacity=0.3, hovertemplate="sample %{x:,}<extra></extra>", **common)
    middle = bin_starts(len(pa), STRIP_MEANS) + rows.shape[1] / 2
    figure.add_scatter(x=middle, y=rows.mean(axis=1), hoverinfo="skip", **common)
    quiet: dict[str, Any] = {"showgrid": False, "zeroline": False, "showticklabels": False, "fixedrange": True}
    figure.update_layout(xaxis2={**quiet, "anchor": panel.axis, "range": [0, len(read.adc)]})
    _set_axis(figure, panel, **quiet, anchor=WHOLE, range=_usual_range(read))
    figure.add_shape(
        type="rect", xref=WHOLE, yref=f"{panel.axis} domain", x0=window[0], x1=window[1], y0=0, y1=1,
        line={"color": style.MODEL, "width": 2}, fillcolor=IN_VIEW,
    )  # fmt: skip


def _add_seconds(figure: go.Figure, read: Read, window: Window, panel: Panel) -> None:
    """Add the axis of seconds above the squiggle; plotly draws it only with a trace of its own."""
    figure.add_scatter(x=[None], y=[None], showlegend=False, hoverinfo="skip", xaxis=SECONDS, yaxis=panel.axis)
    limits = [sample / read.sample_rate_hz for sample in window]
    figure.update_layout(
        xaxis3={
            "overlaying": SAMPLES, "side": "top", "anchor": panel.axis, "range": limits, "ticksuffix": " s",
            "tickmode": "auto", "tickangle": 0, "showgrid": False, "zeroline": False, "exponentformat": "none",
        }
    )  # fmt: skip


def _add_legend(figure: go.Figure, colours: Mapping[str, str]) -> None:
    """Add a legend of the classes, since heat maps have none of their own."""
    if len(colours) < 2:
        return
    for name, colour in colours.items():
        figure.add_scatter(
            x=[None], y=[None], name=name, mode="markers", marker={"color": colour, "symbol": "square", "size": 11}
        )


def _lay_out(figure: go.Figure, read: Read, window: Window, height: float) -> None:
    n_samples = len(read.adc)
    seconds = n_samples / read.sample_rate_hz
    title = f"read {read.read_id} ({read.chemistry}, {n_samples:,} samples, {seconds:.1f} s)"
    figure.update_layout(
        template="plotly_white",
        title={"text": title, "font": {"size": 15}, "x": 0.01},
        height=height,
        margin={"l": 90, "r": 20, "t": 50, "b": 80},
        dragmode="pan",
        hovermode="closest",
        legend={"orientation": "h", "y": 0, "yref": "container", "yanchor": "bottom"},
    )
    figure.update_layout(
        xaxis={
            "title": f"sample ({read.sample_rate_hz:,g} per second)", "range": window, "tickformat": ",d",
            "showgrid": False, "zeroline": False, "minallowed": 0, "maxallowed": n_samples,
        }
    )  # fmt: skip


def _usual_range(read: Read) -> list[float]:
    """Return the range of currents that the picture shows at first: all but the rarest."""
    pa = read.pa
    low, high = np.percentile(pa, [0.05, 99.95])
    return [float(low - 5), float(high + 5)]
