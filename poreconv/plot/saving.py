"""Pictures -> files."""

from pathlib import Path

import matplotlib as mpl
from matplotlib.figure import Figure

from poreconv.errors import ConfigError
from poreconv.runtime.files import whole_file

STILL = (".png", ".svg", ".pdf")
"""Suffixes of files for paper."""


def save(figure: Figure, path: Path | str) -> None:
    """Write a picture for paper, whole or not at all; the words in an SVG stay words.

    Raises:
        ConfigError: The suffix names no format.
    """
    path = Path(path)
    if path.suffix not in STILL:
        raise ConfigError(f"{path}: no format of pictures; end the name in {', '.join(STILL)}")
    with whole_file(path, partial_suffix=path.suffix) as partial, mpl.rc_context({"svg.fonttype": "none"}):
        figure.savefig(partial, dpi=200)
