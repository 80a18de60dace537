"""The studio: a page on which people look at squiggles and mark them, and its server."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
