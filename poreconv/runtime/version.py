"""The version of poreconv that is installed."""

from importlib.metadata import version

__version__ = version("poreconv")
