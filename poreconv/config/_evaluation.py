"""Settings of evaluating a model."""

from dataclasses import dataclass
from typing import Literal

from poreconv.config._base import WorkConfig, group
from poreconv.config._data import FilesConfig, SourceConfig, TruthConfig
from poreconv.config._inference import InferenceConfig


@dataclass(frozen=True)
class EvaluateConfig:
    """The reads on which a model is judged, and how it runs."""

    split: Literal["test", "validation", "train", "all"] = "test"
    """Split of a store on which the model is judged; reads that trained the model are dropped from any split."""
    truth: TruthConfig = group(TruthConfig)
    sources: SourceConfig = group(SourceConfig)
    inference: InferenceConfig = group(InferenceConfig)
    files: FilesConfig = group(FilesConfig)
    work: WorkConfig = group(WorkConfig)
