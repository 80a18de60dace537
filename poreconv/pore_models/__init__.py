"""Pore models: the level, noise and dwell of each k-mer, their tables and their estimation."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
