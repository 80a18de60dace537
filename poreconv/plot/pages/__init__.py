"""Pages: self-contained HTML of tables and pictures, without a request to anywhere."""

import base64
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import matplotlib as mpl
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from matplotlib.figure import Figure

WIDE_IN, NARROW_IN = 4.9, 3.2
"""Widths at which the text in a picture stays readable when a telephone shrinks it; two wide or three narrow pictures
fill a row of the page."""

PX_PER_IN = 110

PAGES = Path(__file__).parent
"""Folder of the templates, styles and scripts that pages share."""


@dataclass(frozen=True)
class Picture:
    """One picture of a page: SVG in a data URI, which is sharp at any size and part of the page."""

    uri: str
    alt: str
    """Description for readers who do not see the picture."""
    caption: str
    width_px: int
    height_px: int


def picture(figure: Figure, alt: str, caption: str, *, width_in: float) -> Picture:
    """Put a figure into a data URI; the same figure gives the same bytes.

    Args:
        figure: The figure; its width is set.
        alt: Description for readers who do not see the picture.
        caption: Text below the picture.
        width_in: Width in inches.
    """
    figure.set_size_inches(width_in, figure.get_figheight())
    stream = BytesIO()
    with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": "poreconv", "font.family": "sans-serif"}):
        figure.savefig(stream, format="svg", metadata={"Date": None, "Creator": None})
    uri = "data:image/svg+xml;base64," + base64.b64encode(stream.getvalue()).decode()
    width, height = (round(inches * PX_PER_IN) for inches in figure.get_size_inches())
    return Picture(uri, alt, caption, width, height)


def filled(template: Path, **contents: Any) -> str:
    """Fill a page's template, which extends ``base.html``, and may use ``macros.html`` of this package.

    Args:
        template: Its file.
        **contents: Its variables.
    """
    pages = Environment(
        loader=FileSystemLoader([template.parent, PAGES]),
        autoescape=True,  # read ids and paths come from files that anybody may have written
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return pages.get_template(template.name).render(**contents)
