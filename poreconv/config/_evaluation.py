"""Settings of evaluating a model."""

from dataclasses import dataclass
from typing import Literal

from poreconv.config._base import WorkConfig, group
from poreconv.config._data import FilesConfig, SourceConfig, TruthConfig
from poreconv.config._inference import FitConfig, InferenceConfig


@dataclass(frozen=True)
class EvaluateConfig:
    """The reads on which a model is judged, and how it runs."""

    judge: Literal["truth", "levels"] = "truth"
    """`truth`: by the true labels of a store or of files. `levels`, for models of boundaries: without labels, by how
    constant the current is within events, at an equal number of events for all methods, and, with --labels that contain
    bases and --pore_model, by how well events fit the levels of the sequence."""
    split: Literal["test", "validation", "train", "all"] = "test"
    """Split of a store on which the model is judged; reads that trained the model are dropped from any split."""
    include_training: bool = False
    """Judge the reads that trained the model too, for instance to see how far a model can fit a few reads. Their scores
    do not show how good the model is on other reads, so the result is marked."""
    truth: TruthConfig = group(TruthConfig)
    sources: SourceConfig = group(SourceConfig)
    inference: InferenceConfig = group(InferenceConfig)
    fit: FitConfig = group(FitConfig)
    files: FilesConfig = group(FilesConfig)
    work: WorkConfig = group(WorkConfig)
