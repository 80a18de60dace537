"""Pictures of simulated reads, as `poreconv plot` draws them: what the first page and two guides lead to."""

import re
from pathlib import Path
from tempfile import TemporaryDirectory

import matplotlib as mpl

from poreconv.commands.plot import plot_read
from poreconv.commands.simulate import simulate
from poreconv.config import MoleculeConfig, PoreConfig, SimulateConfig, SquiggleConfig
from scripts.site.pages import Pages

DNA = SquiggleConfig(MoleculeConfig(bases_mean=300), PoreConfig(Path("dna_r9.4.1")))
RNA = SquiggleConfig(MoleculeConfig(chemistry="rna002", bases_mean=200, bases_min=100), PoreConfig(Path("rna002")))

DRAWN = {
    "plotted_boundaries": (DNA, "events.tsv", "dna_r9.4.1_boundary_fast"),
    "plotted_regions": (RNA, "regions.tsv", "rna002_regions"),
}
"""Name of a picture -> the read, its table of true events, and the shipped model that labels it."""

SEED = 1


def picture_pages() -> Pages:
    """Return the pictures."""
    return {f"pictures/{name}.svg": picture(*what) for name, what in DRAWN.items()}


def picture(read: SquiggleConfig, truth: str, model: str) -> str:
    """Draw a read above its true events and those that a model finds, as SVG.

    Args:
        read: How it is simulated.
        truth: Name of its table of true events.
        model: Name of a shipped model.
    """
    with TemporaryDirectory() as folder, mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": "poreconv"}):
        simulate("squiggle", out=f"{folder}/reads", common=SimulateConfig(reads=1, seed=SEED), config=read)
        out = Path(folder, "read.svg")
        plot_read(f"{folder}/reads", labels="intervals", labels_from=[f"{folder}/reads/{truth}"], model=model, out=out)
        return re.sub("<dc:date>.*?</dc:date>", "", out.read_text())  # else each build would write another file
