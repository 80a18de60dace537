"""Pictures of dwells, of pore models, and of learning curves."""

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import ArrayLike, NDArray

from poreconv.errors import FormatError
from poreconv.plot import style
from poreconv.pore_models.model import N_BASES, PoreModel

BASE_NAMES = "ACGT"

PLAIN = "{x:,.0f}"
"""Format of the numbers at a logarithmic axis."""

SCORE = "validation_score"
"""Column of a training run's log: the score by which the checkpoint is chosen."""

CURVES = {"train_loss": "training", "validation_loss": "validation"}
"""Column of a training run's log -> its name in the legend."""


def dwells(durations: Mapping[str, ArrayLike]) -> Figure:
    """Draw the distributions of dwells, as densities over a logarithmic axis.

    Args:
        durations: Name, such as ``truth`` or a class -> dwells in samples, at least 1, shape ``(n,)``.
    """
    dwells_of = {name: np.asarray(values, np.float64) for name, values in durations.items()}
    longest = max((values.max(initial=1) for values in dwells_of.values()), default=1)
    edges = _edges(longest)
    figure, axes = style.one_panel(2.4 + 0.16 * len(dwells_of))
    for (name, values), colour in zip(dwells_of.items(), style.cycled(list(dwells_of)).values(), strict=True):
        share = np.histogram(values, edges)[0] / max(len(values), 1)
        median = np.median(values) if len(values) else np.nan
        label = f"{name}: median {median:,.0f}, n = {len(values):,}"
        axes.stairs(share / np.diff(np.log10(edges)), edges, color=colour, linewidth=1.4, label=label)
    axes.set_xscale("log")
    axes.xaxis.set_major_formatter(PLAIN)
    style.tidy(axes, x="dwell (samples)", y="density (per decade)")
    style.legend_beneath(figure, axes, columns=1)
    return figure


def _edges(longest: float) -> NDArray[np.float64]:
    """Return edges of bins between whole numbers: ten bins to a decade, or one to a number where those are fewer."""
    n_bins = 10 * max(1, int(np.ceil(np.log10(longest + 1))))
    return np.unique(np.floor(np.logspace(0, np.log10(longest + 1), n_bins + 1))) - 0.5


def kmer_levels(model: PoreModel) -> Figure:
    """Draw a pore model: the level of every k-mer, the levels by the base with most influence, and the support.

    Args:
        model: The pore model; k-mers that no event supports are left blank.
    """
    level = np.where(model.count > 0, model.level_mean, np.nan) if model.count is not None else model.level_mean
    unit = "pA" if model.in_pa else "table's unit"
    figure = style.new_figure(3.0)
    left, middle, right = figure.subplots(1, 3, width_ratios=[1.5, 1, 1])
    _draw_table(figure, left, level, model.k, unit)
    _draw_by_base(middle, level, model, unit)
    _draw_support(right, model)
    return figure


def _draw_table(figure: Figure, axes: Axes, level: NDArray[np.float64], k: int, unit: str) -> None:
    """Draw all k-mers: the first half of the bases gives the row, the rest the column, the middle bases first."""
    first = k // 2
    inside_out = [*reversed(range(first)), *range(first, k)]
    table = level.reshape((N_BASES,) * k).transpose(inside_out).reshape(N_BASES**first, -1)
    picture = axes.imshow(table, aspect="auto", cmap="viridis", interpolation="nearest")
    for axis, size in ((axes.yaxis, table.shape[0]), (axes.xaxis, table.shape[1])):
        axis.set_ticks((np.arange(N_BASES) + 0.5) * size / N_BASES - 0.5, list(BASE_NAMES))
    style.tidy(axes, x=_nested(range(first, k)), y=_nested(range(first)[::-1]), title=f"{k}-mers")
    bar = figure.colorbar(picture, ax=axes, shrink=0.9)
    style.tidy(bar.ax, y=f"mean level ({unit})")


def _nested(bases: Sequence[int]) -> str:
    """Return the label of an axis along which the first of some bases changes slowest."""
    first, *others = [str(base + 1) for base in bases] or [""]
    return f"base {first}" + (f", in it {', '.join(others)}" if others else "")


def _draw_by_base(axes: Axes, level: NDArray[np.float64], model: PoreModel, unit: str) -> None:
    base = np.arange(len(level)) // N_BASES ** (model.k - 1 - model.centre) % N_BASES
    edges = np.histogram_bin_edges(level[np.isfinite(level)], 40)
    for code, name in enumerate(BASE_NAMES):
        levels = level[(base == code) & np.isfinite(level)]
        axes.hist(levels, list(edges), histtype="step", linewidth=1.3, color=style.CLASS_COLOURS[code], label=name)
    style.tidy(axes, x=f"mean level ({unit})", y="k-mers", title=f"by base {model.centre + 1}")
    style.legend(axes)


def _draw_support(axes: Axes, model: PoreModel) -> None:
    if model.count is None:
        style.tidy(axes, x="events per k-mer", y="k-mers", title="support: not known")
        return
    seen = model.count[model.count > 0]
    axes.hist(seen, list(np.logspace(0, np.log10(seen.max(initial=10)), 30)), color=style.BANDS[0])
    axes.set_xscale("log")
    axes.xaxis.set_major_formatter(PLAIN)
    style.tidy(axes, x="events per k-mer", y="k-mers", title=f"{len(seen):,} of {len(model.count):,} seen")


def learning_curves(run: Path | str) -> Figure:
    """Draw the losses and the validation score against the steps of a training run.

    Args:
        run: Folder of the training run.

    Raises:
        FormatError: It has no log.
    """
    columns = logged(run)
    figure = style.new_figure(2.5)
    loss, score = figure.subplots(1, 2)
    for (key, name), colour in zip(CURVES.items(), (style.GREY, style.MODEL), strict=True):
        loss.plot(*columns[key], color=colour, linewidth=1.3, label=name)
    score.plot(*columns[SCORE], color=style.MODEL, marker="o", markersize=2.5, linewidth=1.3)
    style.tidy(loss, x="step", y="loss (nats, weighted)")
    style.tidy(score, x="step", y="validation score (F1)")
    style.legend(loss)
    return figure


def logged(run: Path | str) -> dict[str, tuple[list[int], list[float]]]:
    """Return losses and validation score of a training run by their steps; of a step logged twice, the later counts.

    Args:
        run: Folder of the training run.

    Returns:
        Column of the log, a key of `CURVES` or `SCORE` -> steps, ascending, and values.

    Raises:
        FormatError: It has no log.
    """
    rows = _log_rows(Path(run))
    return {key: _column(rows, key) for key in (*CURVES, SCORE)}


def _log_rows(run: Path) -> list[dict[str, str]]:
    """Read the rows of all logs of a training run; one that was resumed has several."""
    logs = sorted(run.glob("logs/csv/*/metrics.csv"), key=lambda path: path.stat().st_mtime)
    if not logs:
        raise FormatError(f"{run}: no log in it (logs/csv/*/metrics.csv); give the folder that poreconv train wrote")
    rows: list[dict[str, str]] = []
    for path in logs:
        with path.open(newline="") as stream:
            rows.extend(csv.DictReader(stream))
    return rows


def _column(rows: list[dict[str, str]], key: str) -> tuple[list[int], list[float]]:
    """Return steps and values of a column, in order of the steps, without empty cells; of a repeated step, the last."""
    values = {int(row["step"]): float(row[key]) for row in rows if row.get(key)}
    return sorted(values), [values[step] for step in sorted(values)]
