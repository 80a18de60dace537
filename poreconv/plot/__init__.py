"""Pictures of reads, events and errors: functions that give the figure.

For paper (matplotlib; `save` writes PNG, SVG, PDF) and, `interactive_squiggle`, for the screen (plotly).
"""

from poreconv.plot.inside import feature_maps, kernels, receptive_field, saliency
from poreconv.plot.interactive import interactive_squiggle, save_page
from poreconv.plot.reads import boundary_zoom, overview, squiggle
from poreconv.plot.saving import save
from poreconv.plot.scores import boundary_offsets, confusion, error_by_tolerance, reliability
from poreconv.plot.tables import dwells, kmer_levels, learning_curves

__all__ = [
    "boundary_offsets",
    "boundary_zoom",
    "confusion",
    "dwells",
    "error_by_tolerance",
    "feature_maps",
    "interactive_squiggle",
    "kernels",
    "kmer_levels",
    "learning_curves",
    "overview",
    "receptive_field",
    "reliability",
    "saliency",
    "save",
    "save_page",
    "squiggle",
]
