"""Pictures of the inside of a network: kernels, feature maps, saliency, receptive field."""

from itertools import zip_longest

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import ArrayLike, NDArray

from poreconv.plot import style
from poreconv.plot.panels import Window, draw_signal, label_samples
from poreconv.reads.read import Read

COLUMNS = 8
"""Number of kernels in a row."""

DIVERGING = "RdBu_r"
"""Colour map of values that may be positive (red) or negative (blue)."""


def kernels(weights: ArrayLike, *, title: str = "first layer") -> Figure:
    """Draw kernels as small lines, all on one scale.

    Args:
        weights: Shape ``(kernels, inputs, size)``, as ``first_kernels`` returns them; one line is drawn per input.
        title: Name of the layer, for the heading.
    """
    drawn = np.asarray(weights, np.float64)
    rows = -(-len(drawn) // COLUMNS)
    figure = style.new_figure(0.55 + 0.62 * rows)
    panels = figure.subplots(rows, COLUMNS, sharex=True, sharey=True, squeeze=False).ravel()
    reach = drawn.shape[2] // 2
    place = np.arange(drawn.shape[2]) - reach
    for axes, kernel in zip_longest(panels, drawn):
        axes.set_visible(kernel is not None)
        axes.axhline(0, color=style.PALE, linewidth=0.8)
        for line, colour in zip(kernel if kernel is not None else [], style.CLASS_COLOURS, strict=False):
            axes.plot(place, line, color=colour, linewidth=1.2)
        axes.set_xticks([-reach, 0, reach])
        style.tidy(axes)
    figure.supxlabel("sample, from the kernel's middle", fontsize=style.TEXT_PT, color=style.INK)
    figure.supylabel("weight", fontsize=style.TEXT_PT, color=style.INK)
    figure.suptitle(f"{len(drawn)} kernels, {title}", fontsize=style.TITLE_PT, color=style.INK, x=0.01, ha="left")
    return figure


def feature_maps(
    read: Read, values: NDArray[np.float32], *, start: int, samples_per_frame: int = 1, title: str = ""
) -> Figure:
    """Draw the output of a layer, channel by channel, under the squiggle.

    Args:
        read: The read.
        values: Output of the layer, shape ``(channels, frames)``.
        start: Sample at which the first frame begins.
        samples_per_frame: Samples from one frame to the next.
        title: Name of the layer, for the heading.
    """
    end = min(start + values.shape[1] * samples_per_frame, len(read.adc))
    figure = style.new_figure(3.8)
    signal, below = figure.subplots(2, 1, sharex=True, height_ratios=[1, 1.6])
    draw_signal(signal, read, (max(start, 0), end))
    peak = float(np.percentile(np.abs(values), 99.5)) or 1.0
    extent = (start, start + values.shape[1] * samples_per_frame, len(values) - 0.5, -0.5)
    layout = {"aspect": "auto", "interpolation": "nearest", "extent": extent}
    picture = below.imshow(values, cmap=DIVERGING, vmin=-peak, vmax=peak, **layout)
    below.set_xlim(max(start, 0), end)
    below.yaxis.set_major_locator(MaxNLocator(integer=True))
    style.tidy(below, y="channel")
    label_samples(below)
    style.tidy(figure.colorbar(picture, ax=below, pad=0.01).ax, y="activation")
    _title(figure, read, title)
    return figure


def saliency(read: Read, attributions: NDArray[np.float32], sample: int, class_name: str) -> Figure:
    """Draw how much each sample contributes to the probability of a class at one sample.

    Args:
        read: The read.
        attributions: Contribution of each sample to the log-odds of the class, shape ``(n_samples,)``, as
            `poreconv.saliency` returns them.
        sample: The sample whose class is explained.
        class_name: Name of that class.
    """
    start, end = _around(attributions, sample)
    figure = style.new_figure(3.0)
    signal, below = figure.subplots(2, 1, sharex=True, height_ratios=[1, 0.8])
    draw_signal(signal, read, (start, end))
    place = np.arange(start, end)
    below.bar(
        place, attributions[start:end], width=1, color=np.where(attributions[start:end] > 0, style.SPIKE, style.MODEL)
    )
    for axes in (signal, below):
        axes.axvline(sample, color=style.GREY, linewidth=0.8, linestyle="--", zorder=0)
    style.tidy(below, y="contribution\nto log-odds")
    label_samples(below)
    _title(figure, read, f"{class_name} at sample {sample:,}: log-odds {attributions.sum():+.2f} in total")
    return figure


def _around(attributions: NDArray[np.float32], sample: int) -> Window:
    """Return the samples that hold all but a thousandth of the attributions, with a margin."""
    weight = np.cumsum(np.abs(attributions), dtype=np.float64)
    low, high = np.searchsorted(weight, np.array([0.0005, 0.9995]) * weight[-1])
    margin = 10
    return max(0, min(int(low), sample) - margin), min(len(attributions), max(int(high), sample) + margin)


def receptive_field(read: Read, sample: int, size: int) -> Figure:
    """Draw the part of a read that a network sees when it labels one sample.

    Args:
        read: The read.
        sample: The sample that is labelled.
        size: The receptive field in samples, odd: ``network.receptive_field``.
    """
    reach = size // 2
    start, end = max(0, sample - int(1.5 * reach) - 5), min(len(read.adc), sample + int(1.5 * reach) + 6)
    figure, axes = style.one_panel(2.0, style.WIDTH_IN)
    draw_signal(axes, read, (start, end))
    axes.axvspan(sample - reach, sample + reach + 1, color=style.MODEL, alpha=0.15, linewidth=0)
    axes.axvline(sample, color=style.SPIKE, linewidth=1)
    label_samples(axes)
    milliseconds = 1000 * size / read.sample_rate_hz
    _title(figure, read, f"receptive field of sample {sample:,}: {size:,} samples, {milliseconds:.0f} ms")
    return figure


def _title(figure: Figure, read: Read, more: str) -> None:
    title = f"read {read.read_id} ({read.chemistry})" + (f"\n{more}" if more else "")
    figure.suptitle(title, fontsize=style.TITLE_PT, color=style.INK, x=0.01, ha="left")
