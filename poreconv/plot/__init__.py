"""Pictures of reads, events and errors: functions that return figures.

Most return matplotlib figures, for paper; `save` writes them as PNG, SVG or PDF. `interactive_squiggle` returns a
plotly figure, for the screen; `save_page` writes it as HTML.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
