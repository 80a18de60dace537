"""Two conditions along a reference: levels, dwells, and where they differ."""

import numpy as np
import plotly.graph_objects as go
import pyarrow as pa
from matplotlib.figure import Figure
from plotly.subplots import make_subplots

from poreconv.plot import style

PANELS = ("level (pA)", "dwell (ms)", "KS statistic")
HEIGHTS = (3, 2, 2)

HOVER = "position %{x:,d}, %{customdata}<br>%{y:.3f}<extra>%{fullData.name}</extra>"


def comparison(rows: pa.Table, names: tuple[str, str], remark: str = "") -> Figure:
    """Draw two conditions along a reference for paper.

    Args:
        rows: Positions of one contig, ascending; columns as in `poreconv.commands.compare.DIFFERENCES`.
        names: Of conditions a and b.
        remark: A line below the picture.
    """
    figure = style.new_figure(4.6)
    axes = figure.subplots(len(PANELS), 1, sharex=True, height_ratios=HEIGHTS)
    position = rows["position"].to_numpy()
    for side, name, colour in zip("ab", names, style.cycled(names).values(), strict=True):
        mean, sd = rows[f"mean_{side}"].to_numpy(), rows[f"sd_{side}"].to_numpy()
        axes[0].plot(position, mean, color=colour, linewidth=1.2, label=name)
        axes[0].fill_between(position, mean - sd, mean + sd, color=colour, alpha=0.25, linewidth=0)
        axes[1].plot(position, 1000 * rows[f"dwell_{side}"].to_numpy(), color=colour, linewidth=1.2)
    axes[2].vlines(position, 0, rows["ks"].to_numpy(), color=style.INK, linewidth=1.2)
    axes[2].set_ylim(0, 1)
    for number, (each, quantity) in enumerate(zip(axes, PANELS, strict=True)):
        style.tidy(each, y=quantity, x=_place(rows) if number == len(PANELS) - 1 else "")
    style.legend(axes[0])
    if remark:
        figure.supxlabel(remark, fontsize=style.SMALL_PT, color=style.SPIKE, wrap=True)
    return figure


def interactive_comparison(rows: pa.Table, names: tuple[str, str], remark: str = "") -> go.Figure:
    """Draw two conditions along a reference for the screen.

    Args:
        rows: Positions of one contig, ascending; columns as in `poreconv.commands.compare.DIFFERENCES`.
        names: Of conditions a and b.
        remark: A line above the picture.
    """
    figure = make_subplots(len(PANELS), 1, shared_xaxes=True, row_heights=HEIGHTS, vertical_spacing=0.03)
    position, kmer = rows["position"].to_numpy(), rows["reference_kmer"].to_pylist()
    common = {"x": position, "customdata": kmer, "hovertemplate": HOVER}
    for side, name, colour in zip("ab", names, style.cycled(names).values(), strict=True):
        line, meta = {"color": colour, "width": 1.5}, {"colour": style.ON_PAGES.get(colour)}
        error = {"type": "data", "array": rows[f"sd_{side}"].to_numpy(), "thickness": 0.8, "width": 0}
        legend = {"name": name, "legendgroup": name, "meta": meta}
        figure.add_scatter(
            y=rows[f"mean_{side}"].to_numpy(), error_y=error, line=line, mode="lines", **legend, **common, row=1, col=1
        )
        dwell = np.round(1000 * rows[f"dwell_{side}"].to_numpy(), 3)
        figure.add_scatter(y=dwell, line=line, mode="lines", showlegend=False, **legend, **common, row=2, col=1)
    bars = {
        "marker": {"color": style.INK},
        "meta": {"colour": style.ON_PAGES[style.INK]},
        "name": "KS",
        "showlegend": False,
    }
    figure.add_bar(y=rows["ks"].to_numpy(), **bars, **common, row=3, col=1)
    for number, quantity in enumerate(PANELS, start=1):
        figure.update_yaxes(title=quantity, row=number, col=1)
    figure.update_xaxes(title=_place(rows), row=len(PANELS), col=1)
    lines = [f"{' and '.join(names)}, {rows['contig'][0].as_py()}", *(remark.split("; ") if remark else ())]
    title = {"text": ";<br>".join(lines), "font": {"size": 12}}
    margin = {"t": 50 + 15 * len(lines)}
    figure.update_layout(template="plotly_white", height=620, title=title, margin=margin, dragmode="pan")
    figure.update_yaxes(fixedrange=True)
    return figure


def _place(rows: pa.Table) -> str:
    return f"position on {rows['contig'][0].as_py()} (from 0)"
