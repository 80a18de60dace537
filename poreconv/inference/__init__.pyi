from .introspection import feature_maps as feature_maps, first_kernels as first_kernels, saliency as saliency
from .labeller import Labeller as Labeller, load as load
from .streaming.labeller import StreamingLabeller as StreamingLabeller
