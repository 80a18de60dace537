"""The page's pictures, as SVG in data URIs: sharp at any size, and part of the page."""

import base64
from dataclasses import dataclass, replace
from io import BytesIO
from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter, StrMethodFormatter
from numpy.typing import NDArray

from poreconv import plot
from poreconv.evaluation.excerpt import Excerpt
from poreconv.evaluation.result import MODEL, Evaluation
from poreconv.models.recipe import Recipe
from poreconv.plot import panels, style
from poreconv.plot.decimation import bin_starts

WIDE_IN, NARROW_IN, OFFSETS_IN = 4.9, 3.2, 3.6
"""Widths at which words in a picture stay readable when a telephone shrinks it; two wide or three narrow ones fill a
row of the page."""

PX_PER_IN = 110


FEW_CLASSES = 4
"""So many fit into a narrow confusion matrix."""


@dataclass(frozen=True)
class Picture:
    """One picture of the page."""

    uri: str
    alt: str
    """What one would say of it to somebody who doesn't see it."""
    caption: str
    width_px: int
    height_px: int


def picture(figure: Figure, alt: str, caption: str, *, width_in: float) -> Picture:
    """Put a figure into a data URI; the same figure gives the same bytes."""
    figure.set_size_inches(width_in, figure.get_figheight())
    stream = BytesIO()
    with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": "poreconv", "font.family": "sans-serif"}):
        figure.savefig(stream, format="svg", metadata={"Date": None, "Creator": None})
    uri = "data:image/svg+xml;base64," + base64.b64encode(stream.getvalue()).decode()
    width, height = (round(inches * PX_PER_IN) for inches in figure.get_size_inches())
    return Picture(uri, alt, caption, width, height)


def of_scores(result: Evaluation) -> list[Picture]:
    """Pictures of all reads together."""
    drawn = []
    if result.recipe.task == "boundary":
        drawn += [_by_tolerance(result), _offsets(result)]
    if result.confusion:
        drawn.append(_confusion(result))
    if result.reliability and "ece" in result.scores[MODEL]:
        drawn.append(_reliability(result))
    if len(result.reads) > 1:
        drawn.append(_by_read(result))
    return drawn


def _by_tolerance(result: Evaluation) -> Picture:
    told = ", ".join(f"{result.scores[MODEL][f'f1_{n}']:.3f} within {n}" for n in (0, 1, 2, 3, 5))
    return picture(
        plot.error_by_tolerance({plain(name): row for name, row in result.scores.items()}),
        f"F1, precision and recall against the tolerance in samples; the model's F1 is {told}",
        "What a miss by so many samples costs. Bands are 95 % intervals over reads.",
        width_in=WIDE_IN,
    )


def _offsets(result: Evaluation) -> Picture:
    total = max(sum(result.offsets.values()), 1)
    exact = result.offsets.get(0, 0) / total
    return picture(
        plot.boundary_offsets(result.offsets),
        f"Distances from true boundaries to the nearest prediction; {exact:.0%} are 0",
        f"Distance to the nearest prediction: {exact:.0%} to the sample. Right of 0 it comes late.",
        width_in=OFFSETS_IN,
    )


def _confusion(result: Evaluation) -> Picture:
    what = "reads" if result.recipe.task == "read" else "samples"
    return picture(
        plot.confusion(result.confusion, [*map(plain, result.recipe.classes)]),
        f"Confusion matrix: {what} by true and predicted class",
        f"What each class is taken for, by {what}.",
        width_in=NARROW_IN if len(result.recipe.classes) <= FEW_CLASSES else WIDE_IN,
    )


def _reliability(result: Evaluation) -> Picture:
    ece = result.scores[MODEL]["ece"]
    what = "of a boundary at this very sample" if result.recipe.task == "boundary" else "of the likeliest class"
    return picture(
        plot.reliability(result.reliability),
        f"Observed share against predicted probability; the expected calibration error is {ece:.4f}",
        f"Are probabilities ({what}) shares? On the dashed line they are. Calibration error (ECE) {ece:.4f}.",
        width_in=NARROW_IN,
    )


def _by_read(result: Evaluation) -> Picture:
    figure, axes = style.one_panel()
    lengths = [read.n_samples for read in result.reads]
    scores = [read.model[result.read_headline] for read in result.reads]
    axes.scatter(lengths, scores, s=22, color=style.MODEL, label=MODEL)
    for name, colour in list(style.cycled(list(result.scores)).items())[1:]:
        axes.scatter(
            lengths, [read.baselines[name] for read in result.reads], s=8, color=colour, label=plain(name), zorder=1
        )
    if max(lengths) > 10 * min(lengths):
        axes.set_xscale("log")
    axes.xaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.set_ylim(-0.02, 1.02)
    style.tidy(axes, x="samples in the read", y="score of the read")
    style.legend_beneath(figure, axes, columns=3)
    return picture(
        figure,
        f"Score of each read against its length; the worst, {result.reads[-1].read_id}, has {scores[-1]:.3f}",
        "Each read by itself: are short reads, or some outliers, the weak place?",
        width_in=NARROW_IN,
    )


def plain(name: str) -> str:
    """A name that somebody's file holds, so that it is drawn as it is: dollars would begin a formula."""
    return "".join(letter if letter.isprintable() else "?" for letter in name).replace("$", r"\$")


def _plain_excerpt(excerpt: Excerpt) -> Excerpt:
    truth, predicted = (
        replace(events, classes=tuple(map(plain, events.classes))) for events in (excerpt.truth, excerpt.predicted)
    )
    return replace(excerpt, read_id=plain(excerpt.read_id), truth=truth, predicted=predicted)


def of_read(excerpt: Excerpt, recipe: Recipe) -> list[Picture]:
    """A read from afar, with its errors, and the place where most goes wrong from near."""
    what = "wrong boundaries" if recipe.task == "boundary" else "wrong samples"
    where = f"samples {excerpt.start:,} to {excerpt.end:,}"
    shown = _plain_excerpt(excerpt)
    afar = picture(
        _afar(shown),
        f"Read {excerpt.read_id}: current, and {excerpt.wrong.sum():,} {what} along it",
        f"All of the read, and its errors: {what} per {_bin_edges(excerpt)[1]:,} samples. The triangle marks where most"
        " goes wrong, which the next picture shows.",
        width_in=WIDE_IN,
    )
    near = picture(
        _near(shown, recipe),
        f"Read {excerpt.read_id}, {where}: current, true and predicted events, probabilities",
        f"Where most goes wrong: {where}.",
        width_in=WIDE_IN,
    )
    return [afar, near]


def _near(excerpt: Excerpt, recipe: Recipe) -> Figure:
    tracks = {"truth": excerpt.truth, "predicted": excerpt.predicted}
    curves = {name: excerpt.probabilities(label) for label, name in _curves(excerpt, recipe)}
    return plot.boundary_zoom(excerpt.read(), tracks, curves, start=excerpt.start, end=excerpt.end)


def _curves(excerpt: Excerpt, recipe: Recipe) -> list[tuple[int, str]]:
    if not len(excerpt.probabilities_CN):
        return []
    named = list(enumerate(map(plain, recipe.classes)))
    return named[1:] if recipe.task == "boundary" else named


def _afar(excerpt: Excerpt) -> Figure:
    read, window = excerpt.read(), (0, excerpt.n_samples)
    tracks = {"truth": excerpt.truth, "predicted": excerpt.predicted} if excerpt.complete else {}
    figure = style.new_figure(2.9)
    rows = figure.subplots(2 + len(tracks), 1, sharex=True, height_ratios=[1.3, *[0.17] * len(tracks), 0.75])
    panels.draw_signal(rows[0], read, window)
    panels.draw_place(rows[0], (excerpt.start, excerpt.end))
    colours = style.class_colours(tracks)
    for axes, (name, events) in zip(rows[1:], tracks.items(), strict=False):
        panels.draw_track(axes, name, events, window, colours)
    _draw_errors(rows[-1], excerpt)
    for axes in rows[:-1]:
        axes.tick_params(labelbottom=False, bottom=False)
    return figure


def _draw_errors(axes: Axes, excerpt: Excerpt) -> None:
    axes.stairs(excerpt.wrong, _bin_edges(excerpt), fill=True, color=style.SPIKE)
    style.tidy(axes, y="errors")
    panels.label_samples(axes)


def _bin_edges(excerpt: Excerpt) -> NDArray[np.int64]:
    return np.append(bin_starts(excerpt.n_samples, len(excerpt.wrong)), excerpt.n_samples)


def of_training(run: Path) -> Picture:
    """Learning curves."""
    return picture(
        plot.learning_curves(run),
        "Losses and validation score against the training's steps",
        "Loss on training and validation windows, and the validation score by which the checkpoint was chosen.",
        width_in=2 * NARROW_IN,
    )
