"""Labels of reads: the sources that they are read from, how several are combined, and their refinement."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
