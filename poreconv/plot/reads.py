"""Pictures of one read: its current, its events as bands below, and the probability of each class."""

from collections.abc import Mapping

from matplotlib.axes import Axes
from matplotlib.figure import Figure, FigureBase
from matplotlib.patches import Patch

from poreconv.config import require
from poreconv.events.events import Events
from poreconv.plot import style
from poreconv.plot.panels import (
    PROBABILITY,
    Curves,
    Window,
    draw_boundaries,
    draw_curves,
    draw_signal,
    draw_track,
    label_samples,
    mark_window,
)
from poreconv.reads.read import Read

Tracks = Mapping[str, Events]
"""Tracks below a squiggle: name, such as ``truth`` or ``predicted`` -> events."""

SIGNAL_IN, TRACK_IN, CURVE_IN, EDGES_IN = 1.3, 0.17, 0.75, 0.7
"""Heights in inches: of the squiggle, of each track, of the probabilities; of title and axes together."""

ZOOM_SAMPLES = 400
"""Length of `default_window`: some 45 bases of R9.4.1 DNA."""


def squiggle(read: Read, tracks: Tracks | None = None, *, start: int = 0, end: int | None = None) -> Figure:
    """Draw a read, or a part of it, with its events as bands below.

    Args:
        read: The read.
        tracks: Name -> events, from top to bottom. Thin lines in the squiggle are the boundaries of the first track.
        start: First sample drawn.
        end: Sample after the last one drawn; default: the read's end.

    Raises:
        ConfigError: ``[start, end)`` is not in the read.
    """
    return _figure(read, tracks or {}, {}, [checked_window(read, start, end)])


def boundary_zoom(
    read: Read,
    tracks: Tracks,
    curves: Curves,
    *,
    quantity: str = PROBABILITY,
    start: int | None = None,
    end: int | None = None,
) -> Figure:
    """Draw a part of a read, its events, and the probability of each class at each sample.

    Args:
        read: The read.
        tracks: Name -> events, as for `squiggle`.
        curves: Class -> its probability at each sample of the read, shape ``(n_samples,)``; ``{"boundary": p}`` for a
            boundary model.
        quantity: What the curves show, if it is not the probability.
        start: First sample drawn.
        end: Sample after the last one drawn. Without ``start`` and ``end``, `default_window` is drawn.

    Raises:
        ConfigError: ``[start, end)`` is not in the read.
    """
    return _figure(read, tracks, curves, [_window(read, tracks, start, end)], quantity)


def overview(
    read: Read,
    tracks: Tracks | None = None,
    curves: Curves | None = None,
    *,
    quantity: str = PROBABILITY,
    start: int | None = None,
    end: int | None = None,
) -> Figure:
    """Draw the whole read, and below it a part as `boundary_zoom` draws it.

    Args:
        read: The read.
        tracks: Name -> events, as for `squiggle`.
        curves: Class -> its probability at each sample of the read, shape ``(n_samples,)``.
        quantity: What the curves show, if it is not the probability.
        start: First sample of the part.
        end: Sample after the last one of the part. Without ``start`` and ``end``, `default_window` is drawn.

    Raises:
        ConfigError: ``[start, end)`` is not in the read.
    """
    tracks = tracks or {}
    window = _window(read, tracks, start, end)
    whole = (0, len(read.adc))
    return _figure(read, tracks, curves or {}, [window] if window == whole else [whole, window], quantity)


def _window(read: Read, tracks: Tracks, start: int | None, end: int | None) -> Window:
    return default_window(read, tracks) if start is end is None else checked_window(read, start or 0, end)


def checked_window(read: Read, start: int, end: int | None) -> Window:
    """Return the window ``[start, end)`` of a read.

    Args:
        read: The read.
        start: First sample.
        end: Sample after the last; None: the read's end.

    Raises:
        ConfigError: The window is empty, or not in the read.
    """
    n_samples = len(read.adc)
    stop = n_samples if end is None else end
    inside = 0 <= start < stop <= n_samples
    require(inside, f"{read.where}: has no samples {start} to {stop}; choose start < end within 0 to {n_samples}")
    return start, stop


def default_window(read: Read, tracks: Tracks) -> Window:
    """Choose `ZOOM_SAMPLES` samples around the middle boundary of the first track that has events.

    Args:
        read: The read; of a shorter one, all samples are chosen.
        tracks: Name -> events. Without any event, the window is in the middle of the read.
    """
    n_samples = len(read.adc)
    starts = next((events.start for events in tracks.values() if len(events)), [n_samples // 2])
    first = int(starts[len(starts) // 2]) - ZOOM_SAMPLES // 2
    start = max(0, min(first, n_samples - ZOOM_SAMPLES))
    return start, min(start + ZOOM_SAMPLES, n_samples)


def _figure(read: Read, tracks: Tracks, curves: Curves, windows: list[Window], quantity: str = PROBABILITY) -> Figure:
    """Draw the windows below each other; the last has the curves, the others show where it is."""
    curves_shown: list[Curves] = [*[{}] * (len(windows) - 1), curves]
    heights = [EDGES_IN + sum(_heights(tracks, shown)) for shown in curves_shown]
    colours = style.curve_colours(curves, style.class_colours(tracks))
    named = len(colours) > 1
    figure = style.new_figure(sum(heights) + 0.2 + 0.2 * named)
    subfigures = figure.subfigures(len(windows), 1, height_ratios=heights, squeeze=False)[:, 0]
    for subfigure, window, shown in zip(subfigures, windows, curves_shown, strict=True):
        signal = _panel(subfigure, read, tracks, shown, window, colours, quantity)
        if window != windows[-1]:
            mark_window(signal, windows[-1])
    title = f"read {read.read_id} ({read.chemistry})"
    figure.suptitle(title, fontsize=style.TITLE_PT, color=style.INK, x=0.01, ha="left")
    if named:
        patches = [Patch(color=colour, label=name) for name, colour in colours.items()]
        figure.legend(handles=patches, loc="outside lower center", ncols=8, fontsize=style.SMALL_PT, frameon=False)
    return figure


def _heights(tracks: Tracks, curves: Curves) -> list[float]:
    return [SIGNAL_IN, *[TRACK_IN] * len(tracks), *[CURVE_IN] * bool(curves)]


def _panel(
    subfigure: FigureBase,
    read: Read,
    tracks: Tracks,
    curves: Curves,
    window: Window,
    colours: Mapping[str, str],
    quantity: str,
) -> Axes:
    """Draw one window; return the axes of the current."""
    heights = _heights(tracks, curves)
    rows: list[Axes] = list(
        subfigure.subplots(len(heights), 1, sharex=True, height_ratios=heights, squeeze=False)[:, 0]
    )
    draw_signal(rows[0], read, window)
    for events in list(tracks.values())[:1]:
        draw_boundaries(rows[0], events, window)
    for axes, (name, events) in zip(rows[1:], tracks.items(), strict=False):
        draw_track(axes, name, events, window, colours)
    if curves:
        draw_curves(rows[-1], curves, window, colours, quantity)
    for axes in rows[:-1]:
        axes.tick_params(labelbottom=False, bottom=False)
        axes.spines["bottom"].set_visible(False)
    label_samples(rows[-1])
    return rows[0]
