"""Training: windows, loss, the Lightning module, and the training run that writes a bundle."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
