"""The picture at the head of the README: a simulated read of RNA, labelled by two shipped models.

Writes ``docs/images/labelled_squiggle.svg``, which is light or dark as the browser prefers.
"""

from pathlib import Path
from tempfile import TemporaryDirectory

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from poreconv.commands.simulate import simulate
from poreconv.config import MoleculeConfig, PoreConfig, SimulateConfig, SquiggleConfig
from poreconv.events.events import Events
from poreconv.inference.labeller import load
from poreconv.plot import style
from poreconv.plot.decimation import extremes
from poreconv.plot.panels import draw_track, mark_window
from poreconv.reads.read import Read
from poreconv.reads.readers import open_reads
from scripts.studies.results import ROOT

OUT = ROOT / "docs" / "images" / "labelled_squiggle.svg"

REGIONS, BOUNDARIES = "rna004_regions", "rna004_boundary"
"""The models."""

NAMES = {"adapter": "adapter", "polya": "poly(A) tail", "transcript": "transcript"}
"""Class -> its name in the picture."""

SQUIGGLE = SquiggleConfig(MoleculeConfig(chemistry="rna004", bases_mean=250), PoreConfig(pore_model=Path("rna004")))
SEED = 3

WIDTH_IN, HEIGHT_IN = 5.8, 3.5
"""At 700 pixels, the smallest letters are 12 pixels high."""

BINS, ENLARGED = 700, 500
"""Bins of the read in the upper panel; samples in the lower one."""

DARK = "<style>@media (prefers-color-scheme: dark) { #figure_1 { filter: invert(.88) hue-rotate(180deg); } }</style>"
"""Turns white over into dark grey, and keeps the hues."""


def simulated_read() -> Read:
    """Simulate the read."""
    with TemporaryDirectory() as folder:
        simulate("squiggle", out=folder, common=SimulateConfig(reads=1, seed=SEED), config=SQUIGGLE)
        with open_reads(folder) as reads:
            return next(iter(reads))


def drawn(read: Read, regions: Events, boundaries: Events) -> Figure:
    """Draw the read in the colours of its regions, and a part of its transcript with the boundaries of its bases.

    Args:
        read: The read.
        regions: Its regions.
        boundaries: Events from base to base.
    """
    figure = style.new_figure(HEIGHT_IN, WIDTH_IN)
    whole, track, part, below = figure.subplots(4, 1, height_ratios=[1, 0.14, 1, 0.14])
    start = int(regions.start[-1]) + 3 * ENLARGED
    window = (start, start + ENLARGED)
    _draw_regions(whole, read, regions)
    mark_window(whole, window)
    draw_track(track, "regions", regions, (0, len(read.adc)), style.class_colours({"": regions}))
    track.set_xlim(whole.get_xlim())
    _draw_events(part, read, boundaries, window)
    draw_track(below, "bases", boundaries, window, {})
    below.set_xlim(window)
    for axes in (whole, track, part, below):
        axes.tick_params(bottom=False, labelbottom=False)
        axes.spines["bottom"].set_visible(False)
    return figure


def _draw_regions(axes: Axes, read: Read, regions: Events) -> None:
    pa, colours = read.pa, style.class_colours({"": regions})
    for start, end, label in zip(regions.start, regions.end, regions.label, strict=True):
        name = regions.classes[label]
        shown = start + extremes(pa[start:end], max(1, BINS * (end - start) // len(pa)))
        axes.plot(shown, pa[shown], color=colours[name], linewidth=0.6)
        place = min((start + end) / 2, 0.93 * len(pa))
        axes.text(place, 1.0, NAMES[name], transform=axes.get_xaxis_transform(), color=colours[name],
                  fontsize=style.TITLE_PT, ha="center", va="bottom")  # fmt: skip
    axes.set_xlim(0, len(pa))
    axes.set_ylim(*np.percentile(pa, [0.1, 99.9]))
    style.tidy(axes, y="current (pA)")


def _draw_events(axes: Axes, read: Read, boundaries: Events, window: tuple[int, int]) -> None:
    start, end = window
    axes.plot(np.arange(start, end), read.pa[start:end], color=style.INK, linewidth=0.9)
    seen = boundaries.within(start, end)
    for first, last in zip(boundaries.start[seen], boundaries.end[seen], strict=True):
        axes.hlines(read.pa[first:last].mean(), first, last, color=style.MODEL, linewidth=2.2)
        axes.axvline(first, color=style.GREY, linewidth=0.4)
    axes.set_xlim(start, end)
    style.tidy(axes, y="current (pA)")


def _labelled(read: Read, model: str) -> Events:
    labeller = load(model)
    return labeller.decode(read, labeller.probabilities(read))


def main() -> None:
    """Write the picture."""
    read = simulated_read()
    OUT.parent.mkdir(exist_ok=True)
    figure = drawn(read, _labelled(read, REGIONS), _labelled(read, BOUNDARIES))
    with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": "poreconv", "font.family": "sans-serif"}):
        figure.savefig(OUT, metadata={"Date": None})
    OUT.write_text(OUT.read_text().replace("</defs>", f"</defs>{DARK}", 1))


if __name__ == "__main__":
    main()
