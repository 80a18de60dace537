"""The shipped model that fits, for each read: ``auto`` in the place of a model."""

import logging
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import asdict, dataclass, replace
from functools import partial
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any, ClassVar, Self, TypeVar

from poreconv.config import FitConfig, InferenceConfig, require
from poreconv.errors import MismatchError
from poreconv.events.named_models import FoundBy, naming_models
from poreconv.events.tabulation import OpenAnalysis, ReadAnalysis, TableKind
from poreconv.events.tasks.task import Task
from poreconv.inference.worker_model import FIT, Amount, TrainedModel
from poreconv.models.fitting import check_stated, chosen_model, stated
from poreconv.models.own import Networks
from poreconv.models.recipe import USUAL, Recipe
from poreconv.models.shipped import AUTO, shipped_headers
from poreconv.reads.read import Read
from poreconv.runtime.jobs import JobFolder
from poreconv.runtime.ledger import Ledger

T = TypeVar("T")

logger = logging.getLogger(__name__)

MODELS = "models"
"""Name in a command's plan: the models that are chosen from, with their settings."""

OpenWith = Callable[[TrainedModel], AbstractContextManager[ReadAnalysis]]
"""Opens an analysis with a model."""


@dataclass(frozen=True)
class AutoModel:
    """The shipped models of one task, of which each read is labelled by the one that fits; it pickles.

    It has what `TrainedModel` has, for commands that take either.
    """

    models: dict[str, TrainedModel]
    """By name, the most accurate first."""
    fit: FitConfig = USUAL
    """Whether reads are resampled, and the chemistry of those whose files do not contain it."""
    networks: ClassVar[Networks] = None

    @classmethod
    def find(cls, suits: Callable[[Recipe], bool], config: InferenceConfig, fit: FitConfig = USUAL) -> Self:
        """Find the shipped models that a command can use.

        Args:
            suits: Returns whether the command can use a model. All that it can use are of one task.
            config: How they are to run.
            fit: Which reads are labelled.

        Raises:
            ConfigError: There is no such model, reads of any chemistry are to be labelled, or the chemistry that is
                stated is not known.
        """
        require(not fit.any_chemistry, "any_chemistry: auto chooses by the chemistry; name a model, or leave it out")
        headers = {name: header for name, header in shipped_headers().items() if suits(header.recipe)}
        require(bool(headers), "auto: no such model comes with poreconv; name the model.safetensors of your own")
        check_stated(fit, [header.recipe for header in headers.values()])
        names = sorted(headers, key=lambda name: -headers[name].n_parameters)
        return cls({name: TrainedModel.find(name, config, fit=fit) for name in names}, fit)

    @property
    def asked(self) -> Task:
        """The task of all of them."""
        return next(iter(self.models.values())).asked

    @property
    def settings(self) -> dict[str, Any]:
        """What decides the results, as JSON types."""
        models = {name: model.settings for name, model in self.models.items()}
        return {"model": AUTO, FIT: asdict(self.fit), MODELS: models}

    def settled(self, out: Path, amount: Amount | None = None, *, overwrite: bool = False) -> Self:
        """Choose on what each of them runs; see `TrainedModel.settled`.

        Args:
            out: The command's output.
            amount: Not used: a model is exported only where it is named, as it may label few of the reads.
            overwrite: Whether the command starts anew.

        Raises:
            ConfigError: A model cannot run on the backend that was asked for, or not on this hardware.
        """
        plan = {} if overwrite else JobFolder.plan_for(out).get(MODELS, {})
        return replace(self, models={name: model.settled_as(plan.get(name, {})) for name, model in self.models.items()})

    def most_processes(self) -> int | None:
        """Return how many processes can run them at a time; None: as many as there are.

        Raises:
            ConfigError: They cannot run on the accelerator that was asked for.
        """
        found = [model.most_processes() for model in self.models.values()]
        return min((most for most in found if most is not None), default=None)

    def name_for(self, read: Read) -> str:
        """Return the name of the model that labels a read.

        Args:
            read: The read.

        Raises:
            MismatchError: None of them does, or its chemistry is not known.
        """
        recipes = {name: model.recipe for name, model in self.models.items()}
        return chosen_model(recipes, stated(read, self.fit), self.fit)

    def check(self, read: Read) -> None:
        """Refuse a read that none of them labels.

        Args:
            read: The read.

        Raises:
            MismatchError: See `name_for`.
        """
        self.name_for(read)

    def of_each(self, asked: Callable[[Recipe], T]) -> dict[str, T]:
        """Return something of each model's recipe, by the model's name.

        Args:
            asked: Called with each recipe.
        """
        return {name: asked(model.recipe) for name, model in self.models.items()}

    def table(self, kind: TableKind, out: Path) -> TableKind:
        """Return a table with the name of each read's model.

        Args:
            kind: Its rows without that.
            out: The table.

        Raises:
            ConfigError: The table's format has no column for it.
        """
        return naming_models(kind, out)

    def analysis(self, opened: OpenWith) -> OpenAnalysis:
        """Return what opens an analysis of reads in each process; its results are `FoundBy`.

        Args:
            opened: Opens it with one model; must pickle.
        """
        return partial(self._analysing, opened)

    @contextmanager
    def _analysing(self, opened: OpenWith) -> Iterator[ReadAnalysis]:
        with ExitStack() as stack:
            yield partial(self._analyse, opened, stack, {})

    def _analyse(
        self,
        opened: OpenWith,
        stack: ExitStack,
        analyses: dict[str, ReadAnalysis],
        reads: Iterator[Read],
        ledger: Ledger,
    ) -> Iterator[tuple[Read, FoundBy]]:
        """Analyse reads in order, those of one model that follow each other together; a model is opened when needed."""
        for name, group in groupby(self._with_names(reads, ledger), key=itemgetter(0)):
            if name not in analyses:
                analyses[name] = stack.enter_context(opened(self.models[name]))
            for read, result in analyses[name]((read for _, read in group), ledger):
                yield read, FoundBy(name, result)

    def _with_names(self, reads: Iterator[Read], ledger: Ledger) -> Iterator[tuple[str, Read]]:
        for read in reads:
            try:
                yield self.name_for(read), read
            except MismatchError as exc:
                ledger.drop(exc, read_id=read.read_id, source=read.source)


def found_model(
    model: Path | str,
    suits: Callable[[Recipe], bool],
    config: InferenceConfig,
    networks: Networks = None,
    fit: FitConfig = USUAL,
) -> TrainedModel | AutoModel:
    """Find the model that a command is given, or those that it may choose from.

    Args:
        model: The model's file, the name of a shipped model, or ``auto``; a file of that name is a model.
        suits: Returns whether the command can use a model; asked where it may choose.
        config: How it is to run.
        networks: The user's own network, if the model has one; see `own_network`.
        fit: Which reads are labelled besides those of the kind that the model was trained on.

    Raises:
        BundleError: The file is not a trained model, or its network is not given.
        ConfigError: See `TrainedModel.find` and `AutoModel.find`.
    """
    if str(model) == AUTO and not Path(model).is_file():
        require(networks is None, "network: the models that come with poreconv have no need of one; leave it out")
        return AutoModel.find(suits, config, fit)
    return TrainedModel.find(model, config, networks, fit)


def finds_bases(recipe: Recipe) -> bool:
    """Return whether a model finds where each base begins: what ``auto`` stands for where nothing else is asked.

    Args:
        recipe: Of the model.
    """
    return recipe.asked.needs_starts
