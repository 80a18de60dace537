"""Writing pictures to files."""

from pathlib import Path

import matplotlib as mpl
from matplotlib.figure import Figure

from poreconv.errors import ConfigError
from poreconv.runtime.files import whole_file

STILL = (".png", ".svg", ".pdf")
"""Suffixes of formats for paper."""


def save(figure: Figure, path: Path | str) -> None:
    """Write a picture for paper; text in an SVG stays text.

    Args:
        figure: The picture.
        path: File to write; its suffix, one of `STILL`, chooses the format. It appears complete or not at all.

    Raises:
        ConfigError: The suffix is not one of `STILL`.
    """
    path = Path(path)
    if path.suffix not in STILL:
        raise ConfigError(
            f"{path}: no picture format has the suffix {path.suffix!r}; end the name in {', '.join(STILL)}"
        )
    with whole_file(path) as partial, mpl.rc_context({"svg.fonttype": "none"}):
        figure.savefig(partial, dpi=200)
