"""A trained model as work for any process: told by its file, and loaded once in each process that labels."""

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Self, TypeVar

from poreconv.config import LabelRunConfig, WorkConfig
from poreconv.errors import BundleError
from poreconv.events import Events
from poreconv.files import sha256
from poreconv.header import read_header
from poreconv.ledger import Ledger
from poreconv.once import once
from poreconv.read import Read
from poreconv.recipe import Recipe
from poreconv.shipped import find_bundle

if TYPE_CHECKING:
    from poreconv.infer import Labeller

W = TypeVar("W", bound=WorkConfig)


@dataclass(frozen=True)
class TrainedModel:
    """A model by its file; it pickles, and needs torch only where it labels."""

    model: Path | str
    """Its file, or the name of a shipped one, which lies elsewhere on another machine."""
    sha256: str
    """Of the file."""
    config: LabelRunConfig
    recipe: Recipe = field(compare=False)
    """As the file tells it."""

    @classmethod
    def find(cls, model: Path | str, config: LabelRunConfig) -> Self:
        """Look at a model before there is work for it.

        Raises:
            BundleError: The file is no trained model.
        """
        path = find_bundle(model)
        return cls(model, sha256([path]), config, read_header(path).recipe)

    def label(self, reads: Iterator[Read], ledger: Ledger) -> Iterator[tuple[Read, Events]]:
        """Label reads; see `Labeller.label`."""
        yield from _loaded(self).label(reads, ledger)


@once
def _loaded(model: TrainedModel) -> "Labeller":
    """A model in this process, computing in one thread, for torch rounds otherwise in several; cores have processes.

    Raises:
        BundleError: The file is another one than the command found.
    """
    from poreconv.infer import load

    path = find_bundle(model.model)
    if sha256([path]) != model.sha256:
        raise BundleError(f"{path}: changed since the command began, or differs from machine to machine; start again")
    return load(path, model.config, threads=1)


def for_model(config: W) -> W:
    """By default, one process where there is a GPU: it fills it, and several would share its memory."""
    return replace(config, workers=1) if config.workers == 0 and _has_gpu() else config


def _has_gpu() -> bool:
    """Whether there is an NVIDIA GPU to use; torch would know, and takes a second to say so."""
    return shutil.which("nvidia-smi") is not None and os.environ.get("CUDA_VISIBLE_DEVICES") != ""
