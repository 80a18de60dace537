"""Plotly figures as one self-contained HTML page, which needs no network: plotly itself is in it, compressed."""

import json
from collections.abc import Sequence
from pathlib import Path

import plotly.graph_objects as go
from plotly.offline import get_plotlyjs
from plotly.utils import PlotlyJSONEncoder

from poreconv.plot.packing import packed_bytes
from poreconv.plot.pages import PAGES, filled
from poreconv.runtime.files import whole_file

HINT = "Drag to move, scroll to zoom, click twice to see all."
OF_READS = " A click on the strip above moves the view there."


def save_page(figures: go.Figure | Sequence[go.Figure], path: Path | str) -> None:
    """Write figures of `interactive_squiggle` or `interactive_comparison` as one self-contained HTML page.

    The page shows one figure at a time, in light or dark as the browser prefers. It is compressed: 2 MB of it are
    plotly, and a squiggle with its events adds about 1.2 bytes per sample.

    Args:
        figures: One figure; or several, among which the reader of the page chooses by their titles.
        path: File to write; it appears complete or not at all.
    """
    several = [figures] if isinstance(figures, go.Figure) else list(figures)
    titles = [figure.layout.title.text.replace("<br>", " ") for figure in several]
    page = filled(
        PAGES / "figures.html",
        title=titles[0],
        titles=titles,
        hint=HINT + (OF_READS if several[0].layout.meta else ""),
        plotly=packed_bytes(get_plotlyjs().encode()),
        figures=[packed_bytes(_as_json(figure).encode()) for figure in several],
    )
    with whole_file(Path(path)) as partial:
        partial.write_text(page, encoding="utf-8")


def _as_json(figure: go.Figure) -> str:
    """Return a figure without the points that the page itself draws, from the packed columns of the figure."""
    content, meta = figure.to_dict(), figure.layout.meta or {}
    for drawn in (*meta.get("lines", ()), *meta.get("tracks", ())):
        trace = content["data"][drawn["trace"]]
        for name in {"x", "y", "z", "customdata", "text"} - ({"y"} if trace["type"] == "heatmap" else set()):
            trace.pop(name, None)
    return json.dumps(content, cls=PlotlyJSONEncoder)
