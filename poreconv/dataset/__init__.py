"""Datasets: how reads and labels are prepared, and the store that they are kept in."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
