"""The page's pictures, as SVG in data URIs, which are sharp at any size and part of the page."""

from dataclasses import replace
from pathlib import Path
from pkgutil import resolve_name

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter, StrMethodFormatter
from numpy.typing import NDArray

from poreconv import plot
from poreconv.evaluation.criteria import criterion_of
from poreconv.evaluation.excerpt import Excerpt
from poreconv.evaluation.result import MODEL, Evaluation
from poreconv.events.events import Events
from poreconv.models.recipe import Recipe
from poreconv.plot import panels, style
from poreconv.plot.decimation import bin_starts
from poreconv.plot.pages import NARROW_IN, WIDE_IN, Picture, picture

OFFSETS_IN = 3.6
"""Width of the picture of offsets, which is narrow and has many bars."""

FEW_CLASSES = 4
"""Most classes that fit into a narrow confusion matrix."""


def of_scores(result: Evaluation) -> list[Picture]:
    """Draw the pictures of all reads together.

    Args:
        result: Result of the evaluation.
    """
    possible = [resolve_name(name)(result) for name in result.presentation.pictures]
    drawn = [each for each in possible if each is not None]
    if result.reliability and "ece" in result.scores[MODEL]:
        drawn.append(_reliability(result))
    if len(result.reads) > 1:
        drawn.append(_by_read(result))
    return drawn


def by_tolerance(result: Evaluation) -> Picture:
    """Draw F1, precision and recall at each tolerance.

    Args:
        result: Result of the evaluation.
    """
    f1 = ", ".join(f"{result.scores[MODEL][f'f1_{n}']:.3f} within {n}" for n in (0, 1, 2, 3, 5))
    return picture(
        plot.error_by_tolerance({plain(name): row for name, row in result.scores.items()}),
        f"F1, precision and recall against the tolerance in samples; the model's F1 is {f1}",
        "F1, precision and recall at each tolerance. The bands are 95 % intervals over reads.",
        width_in=WIDE_IN,
    )


def offsets(result: Evaluation) -> Picture:
    """Draw the distances of boundaries.

    Args:
        result: Result of the evaluation.
    """
    total = max(sum(result.offsets.values()), 1)
    exact = result.offsets.get(0, 0) / total
    return picture(
        plot.boundary_offsets(result.offsets),
        f"Distances from the true boundaries to the nearest prediction; {exact:.0%} are 0",
        f"Distance from each true boundary to the nearest prediction: {exact:.0%} are 0."
        " To the right of 0, the prediction is late.",
        width_in=OFFSETS_IN,
    )


def by_length(result: Evaluation) -> Picture | None:
    """Draw the share of true events that are found against their length; None without one.

    Args:
        result: Result of the evaluation.
    """
    rows = result.found_by_length
    if not rows:
        return None
    least = min(rows, key=lambda row: row.share)
    found = result.presentation.found
    return picture(
        plot.found_by_length([row._replace(name=plain(row.name)) for row in rows]),
        f"Share of true {found}; least of {least.shortest:,} to {least.longest:,} samples: {least.share:.0%}",
        f"Share of true {found}. Bars: the share of all that have this length.",
        width_in=NARROW_IN,
    )


def confusion(result: Evaluation) -> Picture:
    """Draw the confusion matrix.

    Args:
        result: Result of the evaluation.
    """
    counted = result.presentation.counted
    return picture(
        plot.confusion(result.confusion, [*map(plain, result.recipe.classes)]),
        f"Confusion matrix: {counted} by true and predicted class",
        f"Classes predicted for the {counted} of each true class.",
        width_in=NARROW_IN if len(result.recipe.classes) <= FEW_CLASSES else WIDE_IN,
    )


def _reliability(result: Evaluation) -> Picture:
    ece = result.scores[MODEL]["ece"]
    what = criterion_of(result.recipe.task).probability
    return picture(
        plot.reliability(result.reliability),
        f"Observed share against predicted probability; the expected calibration error is {ece:.4f}",
        f"Reliability of the probability {what}: on the dashed line, it equals the observed share. Expected calibration"
        f" error (ECE): {ece:.4f}.",
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
    axes.set_ylim(min(-0.02, axes.get_ylim()[0]), 1.02)
    style.tidy(axes, x="samples in the read", y="score of the read")
    style.legend_beneath(figure, axes, columns=3)
    return picture(
        figure,
        f"Score of each read against its length; the worst read, {result.reads[-1].read_id}, scores {scores[-1]:.3f}",
        "Score of each read against its length: are low scores those of short reads, or of a few outliers?",
        width_in=NARROW_IN,
    )


def plain(name: str) -> str:
    """Escape a name from a file, so that it is drawn as it is: a dollar would start a formula.

    Args:
        name: The name.
    """
    return "".join(letter if letter.isprintable() else "?" for letter in name).replace("$", r"\$")


def _plain_excerpt(excerpt: Excerpt) -> Excerpt:
    truth, predicted = (
        replace(events, classes=tuple(map(plain, events.classes))) for events in (excerpt.truth, excerpt.predicted)
    )
    return replace(excerpt, read_id=plain(excerpt.read_id), truth=truth, predicted=predicted)


def of_read(excerpt: Excerpt, recipe: Recipe) -> list[Picture]:
    """Draw a whole read with its errors, and the window with most errors in detail.

    Args:
        excerpt: The read.
        recipe: Recipe of the model.
    """
    errors = criterion_of(recipe.task).errors
    window = f"samples {excerpt.start:,} to {excerpt.end:,}"
    shown = _plain_excerpt(excerpt)
    whole = picture(
        _whole(shown, recipe),
        f"Read {excerpt.read_id}: current, and {excerpt.wrong.sum():,} {errors} along it",
        f"The whole read and its errors: {errors} per {_bin_edges(excerpt)[1]:,} samples. The triangle marks the part"
        " with most errors, which the next picture shows.",
        width_in=WIDE_IN,
    )
    detail = picture(
        _detail(shown, recipe),
        f"Read {excerpt.read_id}, {window}: current, true and predicted events, {recipe.asked.quantity}",
        f"The part with most errors: {window}.",
        width_in=WIDE_IN,
    )
    return [whole, detail]


def _detail(excerpt: Excerpt, recipe: Recipe) -> Figure:
    curves = {plain(name): curve for name, curve in excerpt.whole_curves().items()}
    quantity = recipe.asked.quantity
    return plot.boundary_zoom(
        excerpt.read(), _tracks(excerpt, recipe), curves, quantity=quantity, start=excerpt.start, end=excerpt.end
    )


def _tracks(excerpt: Excerpt, recipe: Recipe) -> dict[str, Events]:
    if not recipe.asked.events_drawn:
        return {}
    return {"truth": excerpt.truth.events, "predicted": excerpt.predicted.events}


def _whole(excerpt: Excerpt, recipe: Recipe) -> Figure:
    read, window = excerpt.read(), (0, excerpt.n_samples)
    tracks = _tracks(excerpt, recipe) if excerpt.complete else {}
    figure = style.new_figure(2.9)
    rows = figure.subplots(2 + len(tracks), 1, sharex=True, height_ratios=[1.3, *[0.17] * len(tracks), 0.75])
    panels.draw_signal(rows[0], read, window)
    panels.mark_window(rows[0], (excerpt.start, excerpt.end))
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
    """Draw the learning curves.

    Args:
        run: Folder of the training run.

    Raises:
        FormatError: It has no log.
    """
    return picture(
        plot.learning_curves(run),
        "Losses and validation score against the steps of the training run",
        "Loss on training and validation windows, and the validation score by which the checkpoint was chosen.",
        width_in=2 * NARROW_IN,
    )
