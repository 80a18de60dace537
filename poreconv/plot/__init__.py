"""Pictures of reads, events and errors: functions that give the figure.

For paper (matplotlib; `save` writes PNG, SVG, PDF) and, `interactive_squiggle`, for the screen (plotly).
"""

from poreconv.plot.interactive import interactive_squiggle, save_page
from poreconv.plot.saving import save
from poreconv.plot.scores import boundary_offsets, confusion, error_by_tolerance, reliability
from poreconv.plot.squiggle import boundary_zoom, overview, squiggle
from poreconv.plot.tables import dwells, kmer_levels, learning_curves

__all__ = [
    "boundary_offsets",
    "boundary_zoom",
    "confusion",
    "dwells",
    "error_by_tolerance",
    "interactive_squiggle",
    "kmer_levels",
    "learning_curves",
    "overview",
    "reliability",
    "save",
    "save_page",
    "squiggle",
]
