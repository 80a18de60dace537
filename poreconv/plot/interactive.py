"""Interactive picture of one read, to drag, zoom and point at: a plotly figure, and a page that needs no network."""

from base64 import b64encode
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray
from plotly.subplots import make_subplots

from poreconv.events.events import Events
from poreconv.plot import style
from poreconv.plot.decimation import extremes
from poreconv.plot.panels import BINS, PROBABILITY, Curves, band_colours
from poreconv.plot.reads import Tracks, checked_window
from poreconv.reads.read import Read
from poreconv.runtime.files import whole_file

SIGNAL_PX, TRACK_PX, CURVE_PX, EDGES_PX = 340, 26, 130, 130
"""Heights in pixels: of the squiggle, of each track, of the probabilities; of title, axis and legend together."""

STEPS, FINE_STEPS = 200, 60_000
"""Probabilities are stored in steps of 1 / 200 for zooming, finer than a screen shows; another quantity in this number
of steps from its least to its largest."""

GAP = -(2**15)
"""The number of a sample without a value; `refine.js` knows it too. No sequencer writes such a count."""

EVENT_HOVER = " %{customdata[0]:,d} to %{customdata[1]:,d}, score %{customdata[2]:.3f}<extra></extra>"
"""Text shown, after its class, for the event under the pointer."""


def interactive_squiggle(
    read: Read,
    tracks: Tracks | None = None,
    curves: Curves | None = None,
    *,
    quantity: str = PROBABILITY,
    start: int = 0,
    end: int | None = None,
) -> go.Figure:
    """Draw a whole read for the screen.

    The lines have the smallest and the largest value of each of `BINS` bins; the page that `save_page` writes contains
    all samples, and draws the part in view from them.

    Args:
        read: The read.
        tracks: Name -> events, top to bottom.
        curves: Class -> its probability at each sample of the read, shape ``(n_samples,)``.
        quantity: What the curves show, if it is not the probability.
        start: First sample in view when the page opens.
        end: Sample after the last one in view; default: the read's end.

    Raises:
        ConfigError: ``[start, end)`` is not in the read.
    """
    tracks, curves = tracks or {}, curves or {}
    window = checked_window(read, start, end)
    heights = [SIGNAL_PX, *[TRACK_PX] * len(tracks), *[CURVE_PX] * bool(curves)]
    rows = len(heights)
    figure = make_subplots(rows, 1, shared_xaxes=True, row_heights=heights, vertical_spacing=0.02)
    colours = style.curve_colours(curves, style.class_colours(tracks))
    lines = [_add_line(figure, 1, "current", "pA", style.INK, *_as_counts(read))]
    rows_of_events = [_add_track(figure, row, *track, colours) for row, track in enumerate(tracks.items(), start=2)]
    for name, curve in curves.items():
        colour, title = colours.get(name, style.MODEL), f"P({name})" if quantity == PROBABILITY else name
        lines.append(_add_line(figure, rows, title, "", colour, *_as_steps(curve, quantity)))
    _add_legend(figure, colours)
    _lay_out(figure, read, window, sum(heights) + EDGES_PX)
    figure.update_xaxes(title=f"sample ({read.sample_rate_hz:,g} per second)", row=rows, col=1)
    if curves:
        limits = [-0.03, 1.03] if quantity == PROBABILITY else None
        figure.update_yaxes(title=quantity, range=limits, row=rows, col=1)
    figure.update_layout(meta={"n_samples": len(read.adc), "lines": lines, "tracks": rows_of_events})
    return figure


def save_page(figure: go.Figure, path: Path | str) -> None:
    """Write a figure of `interactive_squiggle` as one self-contained HTML page.

    Args:
        figure: The figure.
        path: File to write; it appears complete or not at all.
    """
    script = files("poreconv.plot").joinpath("refine.js").read_text()
    page = figure.to_html(include_plotlyjs=True, post_script=script, config={"displaylogo": False, "scrollZoom": True})
    with whole_file(Path(path)) as partial:
        partial.write_text(page)


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
    figure: go.Figure, row: int, name: str, unit: str, colour: str, numbers: NDArray[Any], offset: float, scale: float
) -> dict[str, Any]:
    """Draw a line of few points; return all of its samples for `refine.js`."""
    shown = extremes(numbers, BINS)
    values = np.where(numbers[shown] == GAP, np.nan, (numbers[shown] + np.float64(offset)) * scale)
    hover = f"sample %{{x:,}}<br>{name} %{{y:.2f}} {unit}<extra></extra>"
    line = {"color": colour, "width": 1}
    figure.add_scatter(x=shown, y=values, name=name, line=line, hovertemplate=hover, showlegend=False, row=row, col=1)
    kind = "i2" if numbers.dtype == np.int16 else "u1"
    packed = b64encode(numbers.astype(f"<{kind}").tobytes()).decode()
    return {"trace": len(figure.data) - 1, "base64": packed, "type": kind, "offset": offset, "scale": scale}


def _add_track(figure: go.Figure, row: int, name: str, events: Events, colours: Mapping[str, str]) -> dict[str, int]:
    """Draw events as one row of a heat map, which copes with thousands; return their number for `refine.js`."""
    classes, faces = len(events.classes) > 1, band_colours(events, colours)
    palette = list(dict.fromkeys(faces)) or [style.PALE]
    edges = np.unique(np.concatenate([[0], events.start, events.end]))
    place = np.searchsorted(edges, events.start)
    facts = np.full((4, max(len(edges) - 1, 1)), np.nan, np.float32)  # NaN in the cells between two events
    number = [palette.index(face) for face in faces]
    facts[:, place] = np.stack([number, events.start, events.end, events.score])
    names = np.full((1, facts.shape[1]), "", object)
    names[0, place] = np.array([*events.classes, "event"], object)[events.label]
    figure.add_heatmap(
        x=edges,
        y=[name],
        z=facts[:1],
        customdata=facts[None, 1:].transpose(0, 2, 1),
        text=names if classes else None,
        hovertemplate=("%{text}" if classes else "event") + EVENT_HOVER,
        colorscale=_colour_scale(palette),
        zmin=-0.5,
        zmax=len(palette) - 0.5,
        showscale=False,
        row=row,
        col=1,
    )
    return {"trace": len(figure.data) - 1, "n_events": len(events)}


def _colour_scale(palette: list[str]) -> list[tuple[float, str]]:
    """Return a colour scale that gives number ``i`` the palette's colour ``i``, without shades between colours."""
    edges = np.arange(len(palette) + 1) / len(palette)
    return [(float(edge), colour) for i, colour in enumerate(palette) for edge in edges[i : i + 2]]


def _add_legend(figure: go.Figure, colours: Mapping[str, str]) -> None:
    """Add a legend of the classes, since heat maps have none of their own."""
    if len(colours) < 2:
        return
    for name, colour in colours.items():
        figure.add_scatter(
            x=[None], y=[None], name=name, mode="markers", marker={"color": colour, "symbol": "square", "size": 11}
        )


def _lay_out(figure: go.Figure, read: Read, window: tuple[int, int], height: float) -> None:
    seconds = len(read.adc) / read.sample_rate_hz
    title = f"read {read.read_id} ({read.chemistry}, {len(read.adc):,} samples, {seconds:.1f} s)"
    figure.update_layout(
        template="plotly_white",
        title={"text": title, "font": {"size": 15}, "x": 0.01},
        height=height,
        margin={"l": 90, "r": 20, "t": 50, "b": 80},
        dragmode="pan",
        hovermode="closest",
        legend={"orientation": "h", "y": 0, "yref": "container", "yanchor": "bottom"},
    )
    figure.update_xaxes(range=window, tickformat=",d", showgrid=False, zeroline=False)
    figure.update_yaxes(fixedrange=True, showgrid=False)
    figure.update_yaxes(title="current (pA)", range=_usual_range(read), row=1, col=1)


def _usual_range(read: Read) -> list[float]:
    """Return the range of currents that the picture shows at first: all but the rarest."""
    pa = read.pa
    low, high = np.percentile(pa, [0.05, 99.95])
    return [float(low - 5), float(high + 5)]
