"""Evaluation of a model and of baselines on reads that the model has not seen."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
