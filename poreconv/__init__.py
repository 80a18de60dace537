"""Label every sample of a nanopore squiggle with a 1-D convolutional network.

The API is exported lazily: importing the package imports nothing heavy.
"""

import warnings
from typing import TYPE_CHECKING

import lazy_loader

if TYPE_CHECKING:
    from poreconv import (
        config as config,
        dataset as dataset,
        errors as errors,
        evaluation as evaluation,
        events as events,
        inference as inference,
        labels as labels,
        models as models,
        plot as plot,
        pore_models as pore_models,
        reads as reads,
        runtime as runtime,
        simulate as simulate,
        testing as testing,
        training as training,
    )
    from poreconv.commands.compare import compare as compare
    from poreconv.commands.convert import convert as convert
    from poreconv.commands.evaluate import evaluate as evaluate
    from poreconv.commands.export import export as export
    from poreconv.commands.health import health as health
    from poreconv.commands.inspect import inspect as inspect
    from poreconv.commands.label import label as label
    from poreconv.commands.models import shipped_models as shipped_models
    from poreconv.commands.plot import plot_read as plot_read
    from poreconv.commands.prepare import prepare as prepare
    from poreconv.commands.refine import refine as refine
    from poreconv.commands.stream import stream as stream
    from poreconv.commands.tails import tails as tails
    from poreconv.commands.train import train as train
    from poreconv.events.events import Events as Events
    from poreconv.inference.introspection import (
        feature_maps as feature_maps,
        first_kernels as first_kernels,
        saliency as saliency,
    )
    from poreconv.inference.labeller import Labeller as Labeller, load as load
    from poreconv.inference.streaming.labeller import StreamingLabeller as StreamingLabeller
    from poreconv.reads.read import Calibration as Calibration, Read as Read
    from poreconv.reads.readers import open_reads as open_reads
    from poreconv.runtime.version import __version__ as __version__

# ont-fast5-api 4.1.3 imports pkg_resources, which warns every user; setuptools is pinned to versions that have it.
warnings.filterwarnings("ignore", message="pkg_resources is deprecated", category=UserWarning)

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submodules={
        "config", "dataset", "errors", "evaluation", "events", "inference", "labels", "models", "plot", "pore_models",
        "reads", "runtime", "simulate", "testing", "training",
    },
    submod_attrs={
        "commands.compare": ["compare"],
        "commands.convert": ["convert"],
        "commands.evaluate": ["evaluate"],
        "commands.export": ["export"],
        "commands.health": ["health"],
        "commands.inspect": ["inspect"],
        "commands.label": ["label"],
        "commands.models": ["shipped_models"],
        "commands.plot": ["plot_read"],
        "commands.prepare": ["prepare"],
        "commands.refine": ["refine"],
        "commands.stream": ["stream"],
        "commands.tails": ["tails"],
        "commands.train": ["train"],
        "events.events": ["Events"],
        "inference.introspection": ["feature_maps", "first_kernels", "saliency"],
        "inference.labeller": ["Labeller", "load"],
        "inference.streaming.labeller": ["StreamingLabeller"],
        "reads.read": ["Calibration", "Read"],
        "reads.readers": ["open_reads"],
        "runtime.version": ["__version__"],
    },
)  # fmt: skip
