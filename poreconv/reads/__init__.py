"""Reads as a sequencer stores them: reading, writing, scaling and resampling their signal."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
