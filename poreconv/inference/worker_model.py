"""A trained model as work for any process: named by its file, and loaded in each process that labels."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Self

from poreconv.config import InferenceConfig, WorkConfig
from poreconv.errors import BundleError
from poreconv.events.tabulation import Find
from poreconv.models.header import read_header
from poreconv.models.recipe import Recipe
from poreconv.models.shipped import find_bundle
from poreconv.runtime.files import sha256

if TYPE_CHECKING:
    from poreconv.inference.labeller import Labeller


@dataclass(frozen=True)
class TrainedModel:
    """A model by its file; it pickles, and needs torch only where it labels."""

    model: Path | str
    """Its file, or the name of a shipped one, which lies elsewhere on another machine."""
    sha256: str
    """Of the file."""
    config: InferenceConfig
    recipe: Recipe
    """As the file has it."""

    @classmethod
    def find(cls, model: Path | str, config: InferenceConfig) -> Self:
        """Look at a model before there is work for it.

        Raises:
            BundleError: The file is no trained model.
        """
        path = find_bundle(model)
        return cls(model, sha256([path]), config, read_header(path).recipe)

    @contextmanager
    def opened(self) -> Iterator["Labeller"]:
        """Load the model in this process, to compute in one thread: torch rounds otherwise in several.

        Raises:
            BundleError: The file is another one than the command found.
        """
        from poreconv.inference.labeller import load

        path = find_bundle(self.model)
        if sha256([path]) != self.sha256:
            raise BundleError(
                f"{path}: changed since the command began, or differs from machine to machine; start again"
            )
        yield load(path, self.config, threads=1)

    @contextmanager
    def labelling(self) -> Iterator[Find]:
        """What finds the events of reads; see `Labeller.label`."""
        with self.opened() as labeller:
            yield labeller.label


def for_model(work: WorkConfig) -> WorkConfig:
    """By default, one process where there is a GPU: it fills it, and several would share its memory."""
    return replace(work, workers=1) if work.workers == 0 and _has_gpu() else work


def _has_gpu() -> bool:
    """Whether there is an NVIDIA GPU to use; torch would know, and takes a second to say so."""
    return shutil.which("nvidia-smi") is not None and os.environ.get("CUDA_VISIBLE_DEVICES") != ""
