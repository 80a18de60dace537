"""Every setting, as frozen dataclasses checked on construction.

No torch here: the command line reads these for its help.
"""

from poreconv.config._architectures import ARCHITECTURES, Campolina, Dense, Heartbeat, Strided, Tcn
from poreconv.config._base import (
    BOUNDARY,
    IGNORE,
    INSIDE,
    Chemistry,
    DecodeMethod,
    Precision,
    Task,
    Written,
    require,
    require_none_below,
)
from poreconv.config._data import (
    FilesConfig,
    FilterConfig,
    LabelConfig,
    PrepareConfig,
    RefineConfig,
    SplitConfig,
    TruthConfig,
)
from poreconv.config._running import (
    AugmentConfig,
    DecodeConfig,
    EvaluateConfig,
    LabelRunConfig,
    NormalisationConfig,
    TailsConfig,
    TrainConfig,
)
from poreconv.config._simulation import HeartbeatConfig, MoleculeConfig, PoreConfig, SimulateConfig, SquiggleConfig

__all__ = [
    "ARCHITECTURES",
    "BOUNDARY",
    "IGNORE",
    "INSIDE",
    "AugmentConfig",
    "Campolina",
    "Chemistry",
    "DecodeConfig",
    "DecodeMethod",
    "Dense",
    "EvaluateConfig",
    "FilesConfig",
    "FilterConfig",
    "Heartbeat",
    "HeartbeatConfig",
    "LabelConfig",
    "LabelRunConfig",
    "MoleculeConfig",
    "NormalisationConfig",
    "PoreConfig",
    "Precision",
    "PrepareConfig",
    "RefineConfig",
    "SimulateConfig",
    "SplitConfig",
    "SquiggleConfig",
    "Strided",
    "TailsConfig",
    "Task",
    "Tcn",
    "TrainConfig",
    "TruthConfig",
    "Written",
    "require",
    "require_none_below",
]
