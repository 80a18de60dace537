"""Files, processes, progress and the drop ledger: shared by all commands."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
