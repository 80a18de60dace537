"""The page of a run: its speed, its course over time, its flow cell."""

from pathlib import Path
from typing import Any

import numpy as np

from poreconv.evaluation.health.summary import (
    BLOCKED,
    LEVEL,
    NOISE,
    OPEN_PORE,
    QUANTITIES,
    SPEED,
    STALLED,
    Group,
    RunHealth,
    summary_rows,
)
from poreconv.plot.flow_cells import flow_cell_map, histogram, time_course
from poreconv.plot.pages import WIDE_IN, Picture, filled, picture
from poreconv.runtime.files import whole_file
from poreconv.runtime.version import __version__

MOST_CHANNELS, LEAST_READS = 8, 3
"""Channels in the table of those that are furthest from the run's speed; fewest reads of a channel in it."""

SHOWN_SHARE = 0.001
"""Share of blocked time from which it has a map."""

METHODS = [
    (
        "speed",
        "bases over the time from the end of the adapter (RNA) or the read's start to its end, stalls included; the"
        " bases are counted by a model of their boundaries, not called",
    ),
    ("open-pore current", "median current before a read, where the file contains it"),
    ("current of the molecule", "mean current while the molecule moves"),
    ("noise", "SD of samples about their event, from the differences of neighbours"),
    ("stalled", "share of the molecules' time in which less than one base passes in 25 usual dwells; a poly(A) counts"),
    ("blocked", "share of the reads' time with less than 20 pA"),
    ("change per hour", "median slope between windows of time; of a quantity in % of its median, of a share as it is"),
    ("map", "channels as they lie on the flow cell; its kind by its product code, else by the largest channel"),
]
"""What each number is."""


def write_page(path: Path, run: RunHealth) -> None:
    """Write the page; the file appears complete or not at all.

    Args:
        path: File to write.
        run: The run.
    """
    with whole_file(path) as partial:
        partial.write_text(page(run), encoding="utf-8")


def page(run: RunHealth) -> str:
    """Return the page as HTML.

    Args:
        run: The run.
    """
    return filled(Path(__file__).with_name("page.html"), **_contents(run))


def _contents(run: RunHealth) -> dict[str, Any]:
    """Return the variables of the page's template."""
    models = ", ".join(f"{name} ({n:,} reads)" for name, n in run.models.items())
    headline = QUANTITIES[SPEED].text(run.spreads[SPEED].middle)
    return {
        "title": f"Run health: {headline}",
        "run": run,
        "headline": headline,
        "speed_note": f"of {run.n_timed:,} of {run.n_reads:,} reads; stalls included",
        "summary": summary_rows(run),
        "cautions": _cautions(run),
        "course": _course(run),
        "maps": _maps(run),
        "heads": ["reads", *(quantity.name for quantity in QUANTITIES.values())],
        "furthest": _furthest(run),
        "methods": METHODS,
        "data": [
            ("sequencing runs", ", ".join(run.runs) or "not known"),
            ("models that counted bases", models or "none"),
            ("poreconv", __version__),
        ],
    }


def _cautions(run: RunHealth) -> list[str]:
    """Return what a reader must know before the numbers are believed."""
    found = []
    if len(run.runs) > 1:
        found.append(f"{len(run.runs)} sequencing runs lie one upon the other: time counts from the start of each.")
    if not run.n_timed:
        found.append("No speed: no model counts the bases of these reads. State their chemistry if the files do not.")
    if np.isnan(run.spreads[OPEN_PORE].middle):
        found.append("No open-pore current: the files do not contain the current before the reads.")
    return found


def _course(run: RunHealth) -> list[Picture]:
    """Draw each quantity over time, and the speeds of reads."""
    hours, pictures = [group.place for group in run.course], []
    for key in (SPEED, OPEN_PORE, LEVEL, NOISE):
        name, unit, _ = QUANTITIES[key]
        low, middle, high = np.array([group.spreads[key] for group in run.course])[:, [1, 0, 2]].T
        if np.isfinite(middle).any():
            figure = time_course(hours, {name: middle}, f"{name} ({unit})", band=[low, high])
            text = QUANTITIES[key].text
            alt = f"{name} over time: {text(middle[0])} in the first window, {text(middle[-1])} in the last"
            pictures.append(
                picture(figure, alt, f"{name.capitalize()}: median and quartiles of reads.", width_in=WIDE_IN)
            )
    shares = {QUANTITIES[key].name: 100 * _middles(run.course, key) for key in (STALLED, BLOCKED)}
    figure = time_course(hours, shares, "share of time (%)")
    alt = "Stalled and blocked shares over time: " + ", ".join(f"{name} {y.mean():.1f} %" for name, y in shares.items())
    pictures.append(
        picture(figure, alt, "Share of time in which molecules stalled, or pores blocked.", width_in=WIDE_IN)
    )
    if len(run.speeds):
        figure = histogram(run.speeds, "speed (bases/s)")
        alt = f"Speeds of {len(run.speeds):,} reads, median {np.median(run.speeds):.1f} bases/s"
        pictures.append(picture(figure, alt, "Speed of each read; 1 % at either end left out.", width_in=WIDE_IN))
    return pictures


def _middles(groups: list[Group], key: str) -> Any:
    return np.array([group.spreads[key].middle for group in groups])


def _maps(run: RunHealth) -> list[Picture]:
    """Draw the flow cell: reads, speed, open-pore current, noise, blocked share by channel."""
    if not run.channels:
        return []
    counts = {int(group.place): float(group.n_reads) for group in run.channels}
    alt = f"Flow cell of {run.n_channels:,} channels: {len(counts):,} have reads"
    figure = flow_cell_map(run.n_channels, counts, "reads")
    pictures = [picture(figure, alt, "Reads of each channel.", width_in=WIDE_IN)]
    pictures += [_map(run, key) for key in (SPEED, OPEN_PORE, NOISE) if np.isfinite(run.spreads[key].middle)]
    return pictures + ([_map(run, BLOCKED)] if run.spreads[BLOCKED].middle >= SHOWN_SHARE else [])


def _map(run: RunHealth, key: str) -> Picture:
    quantity = QUANTITIES[key]
    values = {int(group.place): group.spreads[key].middle for group in run.channels}
    low, high = np.nanpercentile([*values.values()], [5, 95])
    alt = f"{quantity.name} by channel: {quantity.text(low)} to {quantity.text(high)} in nine of ten"
    unit, factor = ("%", 100) if quantity.is_share else (quantity.unit, 1)
    in_unit = {channel: factor * value for channel, value in values.items()}
    figure = flow_cell_map(run.n_channels, in_unit, f"{quantity.name} ({unit})")
    return picture(figure, alt, f"{quantity.name.capitalize()} of each channel.", width_in=WIDE_IN)


def _furthest(run: RunHealth) -> list[tuple[str, list[str]]]:
    """Return the channels of enough reads whose speed is furthest from the run's."""
    usual = run.spreads[SPEED].middle
    known = [group for group in run.channels if group.n_reads >= LEAST_READS]
    known = [group for group in known if np.isfinite(group.spreads[SPEED].middle)]
    known.sort(key=lambda group: -abs(np.log(max(group.spreads[SPEED].middle, 1e-9) / usual)))
    return [
        (
            f"{group.place:.0f}",
            [f"{group.n_reads:,}", *(q.text(group.spreads[key].middle) for key, q in QUANTITIES.items())],
        )
        for group in known[:MOST_CHANNELS]
    ]
