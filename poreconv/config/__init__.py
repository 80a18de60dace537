"""Every setting, as frozen dataclasses that are checked on construction.

A field's docstring is also the help of its command line option. This package imports no torch, so that help is fast.
"""

from poreconv.config._base import (
    BOUNDARY,
    FLAT,
    IGNORE,
    INSIDE,
    BackendName,
    DecodeMethod,
    Precision,
    SignalFormat,
    SimulatedChemistry,
    WorkConfig,
    asdict_flat,
    from_flat,
    group,
    require,
    require_none_below,
)
from poreconv.config._data import (
    ConvertConfig,
    FilesConfig,
    FilterConfig,
    KmersConfig,
    PrepareConfig,
    RefineConfig,
    SourceConfig,
    SplitConfig,
    TruthConfig,
)
from poreconv.config._evaluation import EvaluateConfig
from poreconv.config._inference import (
    DecodeConfig,
    FitConfig,
    FlowCellConfig,
    InferenceConfig,
    LabelConfig,
    PlotConfig,
    StreamConfig,
    TailsConfig,
)
from poreconv.config._presets import PRESETS, Ordered, Preset
from poreconv.config._simulation import HeartbeatConfig, MoleculeConfig, PoreConfig, SimulateConfig, SquiggleConfig
from poreconv.config._training import AugmentConfig, NormalisationConfig, TrainConfig

__all__ = [
    "BOUNDARY",
    "FLAT",
    "IGNORE",
    "INSIDE",
    "PRESETS",
    "AugmentConfig",
    "BackendName",
    "ConvertConfig",
    "DecodeConfig",
    "DecodeMethod",
    "EvaluateConfig",
    "FilesConfig",
    "FilterConfig",
    "FitConfig",
    "FlowCellConfig",
    "HeartbeatConfig",
    "InferenceConfig",
    "KmersConfig",
    "LabelConfig",
    "MoleculeConfig",
    "NormalisationConfig",
    "Ordered",
    "PlotConfig",
    "PoreConfig",
    "Precision",
    "PrepareConfig",
    "Preset",
    "RefineConfig",
    "SignalFormat",
    "SimulateConfig",
    "SimulatedChemistry",
    "SourceConfig",
    "SplitConfig",
    "SquiggleConfig",
    "StreamConfig",
    "TailsConfig",
    "TrainConfig",
    "TruthConfig",
    "WorkConfig",
    "asdict_flat",
    "from_flat",
    "group",
    "require",
    "require_none_below",
]
