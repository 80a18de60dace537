"""Label every sample of a nanopore squiggle with a 1-D convolutional network.

The API is exported lazily: importing the package imports nothing heavy.
"""

import warnings
from typing import TYPE_CHECKING, Any

from poreconv.runtime.registry import lookup

if TYPE_CHECKING:
    from poreconv.commands.convert import convert
    from poreconv.commands.evaluate import evaluate
    from poreconv.commands.export import export
    from poreconv.commands.label import label
    from poreconv.commands.models import shipped_models
    from poreconv.commands.plot import plot_read
    from poreconv.commands.prepare import prepare
    from poreconv.commands.refine import refine
    from poreconv.commands.stream import stream
    from poreconv.commands.tails import tails
    from poreconv.commands.train import train
    from poreconv.events.events import Events
    from poreconv.inference.introspection import feature_maps, first_kernels, saliency
    from poreconv.inference.labeller import Labeller, load
    from poreconv.inference.streaming.labeller import StreamingLabeller
    from poreconv.reads.read import Calibration, Read
    from poreconv.reads.readers import open_reads

# ont-fast5-api 4.1.3 imports pkg_resources, which warns every user; setuptools is pinned to versions that have it.
warnings.filterwarnings("ignore", message="pkg_resources is deprecated", category=UserWarning)

__all__ = [
    "Calibration",
    "Events",
    "Labeller",
    "Read",
    "StreamingLabeller",
    "convert",
    "evaluate",
    "export",
    "feature_maps",
    "first_kernels",
    "label",
    "load",
    "open_reads",
    "plot_read",
    "prepare",
    "refine",
    "saliency",
    "shipped_models",
    "stream",
    "tails",
    "train",
]

_HOMES = {
    "Calibration": "poreconv.reads.read:Calibration",
    "Events": "poreconv.events.events:Events",
    "Labeller": "poreconv.inference.labeller:Labeller",
    "Read": "poreconv.reads.read:Read",
    "StreamingLabeller": "poreconv.inference.streaming.labeller:StreamingLabeller",
    "convert": "poreconv.commands.convert:convert",
    "evaluate": "poreconv.commands.evaluate:evaluate",
    "export": "poreconv.commands.export:export",
    "feature_maps": "poreconv.inference.introspection:feature_maps",
    "first_kernels": "poreconv.inference.introspection:first_kernels",
    "label": "poreconv.commands.label:label",
    "load": "poreconv.inference.labeller:load",
    "open_reads": "poreconv.reads.readers:open_reads",
    "plot_read": "poreconv.commands.plot:plot_read",
    "prepare": "poreconv.commands.prepare:prepare",
    "refine": "poreconv.commands.refine:refine",
    "saliency": "poreconv.inference.introspection:saliency",
    "stream": "poreconv.commands.stream:stream",
    "tails": "poreconv.commands.tails:tails",
    "shipped_models": "poreconv.commands.models:shipped_models",
    "train": "poreconv.commands.train:train",
}


def __getattr__(name: str) -> Any:
    """Import an exported name when it is first asked for."""
    if name not in _HOMES:
        raise AttributeError(f"module 'poreconv' has no attribute {name!r}")
    return lookup(_HOMES, name, kind="name")
