"""Settings of judging."""

from dataclasses import dataclass
from typing import Literal

from poreconv.config._base import WorkConfig, group
from poreconv.config._data import FilesConfig, SourceConfig, TruthConfig
from poreconv.config._inference import InferenceConfig


@dataclass(frozen=True)
class EvaluateConfig:
    """On what a model is judged, and how it runs."""

    split: Literal["test", "validation", "train", "all"] = "test"
    """Reads of a store to judge on; those that trained the model are dropped all the same."""
    truth: TruthConfig = group(TruthConfig)
    sources: SourceConfig = group(SourceConfig)
    inference: InferenceConfig = group(InferenceConfig)
    files: FilesConfig = group(FilesConfig)
    work: WorkConfig = group(WorkConfig)
