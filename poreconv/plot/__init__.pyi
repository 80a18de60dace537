from . import scores as scores
from .comparison import (
    comparison as comparison,
    interactive_comparison as interactive_comparison,
)
from .figure_page import save_page as save_page
from .flow_cells import (
    flow_cell_layout as flow_cell_layout,
    flow_cell_map as flow_cell_map,
    time_course as time_course,
)
from .inside import (
    feature_maps as feature_maps,
    kernels as kernels,
    receptive_field as receptive_field,
    saliency as saliency,
)
from .interactive import interactive_squiggle as interactive_squiggle
from .reads import boundary_zoom as boundary_zoom, overview as overview, squiggle as squiggle
from .saving import save as save
from .scores import (
    boundary_offsets as boundary_offsets,
    confusion as confusion,
    error_by_tolerance as error_by_tolerance,
    found_by_length as found_by_length,
    reliability as reliability,
)
from .tables import dwells as dwells, kmer_levels as kmer_levels, learning_curves as learning_curves
