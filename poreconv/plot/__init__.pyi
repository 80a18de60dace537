from . import scores as scores
from .inside import (
    feature_maps as feature_maps,
    kernels as kernels,
    receptive_field as receptive_field,
    saliency as saliency,
)
from .interactive import interactive_squiggle as interactive_squiggle, save_page as save_page
from .reads import boundary_zoom as boundary_zoom, overview as overview, squiggle as squiggle
from .saving import save as save
from .scores import (
    boundary_offsets as boundary_offsets,
    confusion as confusion,
    error_by_tolerance as error_by_tolerance,
    reliability as reliability,
)
from .tables import dwells as dwells, kmer_levels as kmer_levels, learning_curves as learning_curves
