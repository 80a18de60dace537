"""A trained model that can be sent to other processes: named by its file, loaded in each process that labels."""

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, TypeVar

from poreconv.config import FilesConfig, FitConfig, InferenceConfig, WorkConfig
from poreconv.errors import BundleError
from poreconv.events.tabulation import OpenAnalysis, ReadAnalysis, TableKind
from poreconv.events.tasks.task import Task
from poreconv.inference.backends import backend_for, hardware_for
from poreconv.inference.choosing import Choosing, Way, never
from poreconv.models.fitting import check_fits, check_stated, stated
from poreconv.models.header import ONNX, read_header
from poreconv.models.own import Networks, names_in, require_own, sent_networks
from poreconv.models.recipe import USUAL, Recipe
from poreconv.models.shipped import find_bundle
from poreconv.reads.read import Read
from poreconv.reads.readers import find_files
from poreconv.runtime.executors import cores, sendable
from poreconv.runtime.files import sha256, size_of
from poreconv.runtime.jobs import JobFolder
from poreconv.runtime.records import from_json, to_json, to_plain

if TYPE_CHECKING:
    from poreconv.inference.auto import AutoModel
    from poreconv.inference.labeller import Labeller


T = TypeVar("T")

logger = logging.getLogger(__name__)

INFERENCE, CHOSEN, FIT = "inference", "chosen", "fit"
"""Names in a command's plan: the settings that the user asked for, the `Way` that was chosen, and which reads fit."""

READ_BYTES = 100_000
"""Bytes of a read in a signal file, about."""

EXPORT_PAYS_S = 30
"""Time of labelling, seconds, from which a bundle is exported, once, to be tried in ONNX Runtime: that takes about
four, and ONNX Runtime may be three times as fast."""


@dataclass(frozen=True)
class Amount:
    """How much is to be labelled, and in how many processes."""

    paths: Path | str | Sequence[Path | str]
    """Signal files and folders."""
    files: FilesConfig
    work: WorkConfig

    def is_long(self, rate: float) -> bool:
        """Return whether labelling takes over `EXPORT_PAYS_S`; False where that is not known.

        Args:
            rate: Samples per second of one process.

        Raises:
            FormatError: A path does not exist, or contains no signal file.
        """
        if self.work.scheduler is not None or self.files.read_ids is not None:
            return False
        found = find_files(self.paths)
        n_bytes = sum(map(size_of, found))  # a sample takes about a byte, compressed
        most = n_bytes if self.files.limit is None else min(n_bytes, self.files.limit * READ_BYTES)
        return most > EXPORT_PAYS_S * rate * (self.work.workers or cores())


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
    way: Way | None = None
    """On what it runs, the same in all processes; None: that is not chosen yet, see `settled`."""
    fit: FitConfig = USUAL
    """Which reads it labels besides those of the kind that it was trained on."""

    @classmethod
    def find(
        cls, model: Path | str, config: InferenceConfig, networks: Networks = None, fit: FitConfig = USUAL
    ) -> Self:
        """Find a model's file and read its recipe, without loading the network.

        Args:
            model: The model's file, or the name of a shipped model.
            config: How it is to run.
            networks: The user's own network, if the model has one; see `own_network`.
            fit: Which reads it labels besides those of the kind that it was trained on.

        Raises:
            BundleError: The file is not a trained model, or its network is not given.
            ConfigError: A network is given, and the model has no need of it; or the chemistry that is stated is not
                known.
        """
        path = find_bundle(model)
        recipe = read_header(path).recipe
        check_stated(fit, [recipe])
        if path.suffix != ONNX:
            require_own(recipe, networks, path)
        return cls(model, sha256([path]), config, recipe, sent_networks(networks), fit=fit)

    @property
    def identity(self) -> dict[str, str]:
        """What decides the results of the model, as JSON types: its file and, where it is one, that of its network."""
        files = [name.rpartition(":")[0] for name in names_in(self.networks)]
        return {"model": self.sha256} | {file: sha256([Path(file)]) for file in files if Path(file).is_file()}

    @property
    def settings(self) -> dict[str, Any]:
        """What decides the results of the model as it runs, as JSON types."""
        chosen = {} if self.way is None else asdict(self.way)
        return {**self._asked, CHOSEN: chosen}

    @property
    def running(self) -> InferenceConfig:
        """How it runs, with what was chosen."""
        return self.config if self.way is None else self.way(self.config)

    def settled(self, out: Path | None = None, amount: "Amount | None" = None, *, overwrite: bool = False) -> Self:
        """Choose on what it runs, once for all processes; a command that goes on keeps the choice that it began with.

        Args:
            out: The command's output; default: it does not go on.
            amount: What is to be labelled; default: not known.
            overwrite: Whether the command starts anew.

        Raises:
            BundleError: The file is not a trained model, or its network is not given.
            ConfigError: The file cannot run on the backend that was asked for, or not on this hardware.
            FormatError: There are no signal files.
        """
        return self.settled_as(JobFolder.plan_for(out) if out is not None and not overwrite else {}, amount)

    def settled_as(self, plan: Mapping[str, Any], amount: "Amount | None" = None) -> Self:
        """Choose on what it runs; see `settled`.

        Args:
            plan: What a killed command has left of its `settings`; empty if there is none.
            amount: What is to be labelled; default: not known.

        Raises:
            BundleError: The file is not a trained model, or its network is not given.
            ConfigError: The file cannot run on the backend that was asked for, or not on this hardware.
            FormatError: There are no signal files.
        """
        if plan.get(CHOSEN) and all(plan.get(name) == value for name, value in to_plain(self._asked).items()):
            way = from_json(to_json(plan[CHOSEN]), Way)
        else:
            is_long = never if amount is None else amount.is_long
            path = find_bundle(self.model)
            way = Choosing(path, self.config, networks=self.networks, is_long=is_long).way()
        logger.debug("%s: runs in %s", self.model, way.name)
        return replace(self, way=way)

    @property
    def _asked(self) -> dict[str, Any]:
        return {**self.identity, INFERENCE: asdict(self.config), FIT: asdict(self.fit)}

    def most_processes(self) -> int | None:
        """Return how many processes can run the model at a time; None: as many as there are.

        Raises:
            ConfigError: The model cannot run on the accelerator that was asked for.
        """
        running = self.running
        return hardware_for(backend_for(find_bundle(self.model), running.backend), running.accelerator).most_processes

    def name_for(self, read: Read) -> Path | str:
        """Return the model's file or name; of an `AutoModel`, the name of the model that fits.

        Args:
            read: The read.
        """
        return self.model

    def check(self, read: Read) -> None:
        """Refuse a read that the model does not label.

        Args:
            read: The read.

        Raises:
            MismatchError: It is of a kind that the model was not trained for.
        """
        check_fits(self.recipe, stated(read, self.fit), self.fit)

    @property
    def asked(self) -> Task:
        """Its task."""
        return self.recipe.asked

    def of_each(self, asked: Callable[[Recipe], T]) -> T:
        """Return something of the recipe; of an `AutoModel`, of each recipe.

        Args:
            asked: Called with the recipe.
        """
        return asked(self.recipe)

    def table(self, kind: TableKind, out: Path) -> TableKind:
        """Return the table that a command writes: of one model, the same as without.

        Args:
            kind: Its usual rows.
            out: The table.
        """
        return kind

    def analysis(self, opened: Callable[["TrainedModel"], AbstractContextManager[ReadAnalysis]]) -> OpenAnalysis:
        """Return what opens an analysis of reads in each process.

        Args:
            opened: Opens it with a model; must pickle.
        """
        return partial(opened, self)

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
        yield load(path, self.running, threads=1, networks=self.networks, fit=self.fit)

    @contextmanager
    def labelling(self) -> Iterator[ReadAnalysis]:
        """Load the model in this process and yield its `Labeller.label`."""
        with self.opened() as labeller:
            yield labeller.label


def for_model(work: WorkConfig, model: "TrainedModel | AutoModel") -> WorkConfig:
    """Choose by default as many processes as the memory of a GPU holds, where one is used, and at most one per core.

    One process where the user's own network cannot be sent to others.

    Args:
        work: The processes asked for; 0 workers: as many as suit this machine.
        model: The model, or those that are chosen from.

    Raises:
        ConfigError: The model cannot run on the accelerator that was asked for.
    """
    if work.workers == 0:
        most = model.most_processes()
        work = work if most is None else replace(work, workers=min(most, cores()))
    return sendable(work, model.networks, "network")
