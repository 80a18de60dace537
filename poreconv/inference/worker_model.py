"""A trained model that can be sent to other processes: named by its file, loaded in each process that labels."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Self

from poreconv.config import InferenceConfig, WorkConfig
from poreconv.errors import BundleError
from poreconv.events.tabulation import ReadAnalysis
from poreconv.models.header import ONNX, read_header
from poreconv.models.own import Networks, names_in, require_own, sent_networks
from poreconv.models.recipe import Recipe
from poreconv.models.shipped import find_bundle
from poreconv.runtime.executors import sendable
from poreconv.runtime.files import sha256

if TYPE_CHECKING:
    from poreconv.inference.labeller import Labeller


@dataclass(frozen=True)
class TrainedModel:
    """A model named by its file; it pickles, and needs torch only where it labels."""

    model: Path | str
    """The model's file, or the name of a shipped model, whose path may differ on another machine."""
    sha256: str
    """Checksum of the file."""
    config: InferenceConfig
    recipe: Recipe
    """The recipe in the file."""
    networks: Networks = None
    """The user's own network, if the model has one: imported, or unpickled, in each process."""

    @classmethod
    def find(cls, model: Path | str, config: InferenceConfig, networks: Networks = None) -> Self:
        """Find a model's file and read its recipe, without loading the network.

        Args:
            model: The model's file, or the name of a shipped model.
            config: How it is to run.
            networks: The user's own network, if the model has one; see `own_network`.

        Raises:
            BundleError: The file is not a trained model, or its network is not given.
            ConfigError: A network is given, and the model has no need of it.
        """
        path = find_bundle(model)
        recipe = read_header(path).recipe
        if path.suffix != ONNX:
            require_own(recipe, networks, path)
        return cls(model, sha256([path]), config, recipe, sent_networks(networks))

    @property
    def identity(self) -> dict[str, str]:
        """What decides the results of the model, as JSON types: its file and, where it is one, that of its network."""
        files = [name.rpartition(":")[0] for name in names_in(self.networks)]
        return {"model": self.sha256} | {file: sha256([Path(file)]) for file in files if Path(file).is_file()}

    @contextmanager
    def opened(self) -> Iterator["Labeller"]:
        """Load the model in this process. It computes in one thread, since torch rounds differently in several.

        Raises:
            BundleError: The file differs from the one that `find` read.
        """
        from poreconv.inference.labeller import load

        path = find_bundle(self.model)
        if sha256([path]) != self.sha256:
            raise BundleError(
                f"{path}: changed since the command began, or differs from machine to machine; start again"
            )
        yield load(path, self.config, threads=1, networks=self.networks)

    @contextmanager
    def labelling(self) -> Iterator[ReadAnalysis]:
        """Load the model in this process and yield its `Labeller.label`."""
        with self.opened() as labeller:
            yield labeller.label


def for_model(work: WorkConfig, model: TrainedModel) -> WorkConfig:
    """Choose one process by default where a GPU is used: one fills it, and several would share its memory.

    The same where the user's own network cannot be sent to other processes.

    Args:
        work: The processes asked for; 0 workers: as many as suit this machine.
        model: The model.
    """
    on_gpu = model.config.accelerator != "cpu" and _has_gpu()
    chosen = replace(work, workers=1) if work.workers == 0 and on_gpu else work
    return sendable(chosen, model.networks, "network")


def _has_gpu() -> bool:
    """Whether an NVIDIA GPU can be used; without torch, which takes a second to import."""
    return shutil.which("nvidia-smi") is not None and os.environ.get("CUDA_VISIBLE_DEVICES") != ""
