from .opening import open_labels as open_labels, opened as opened
from .refinement import refine_events as refine_events
from .sources import LabelSource as LabelSource
