"""A training run whose reads are judged in folds: K models judge each read once, and the bundle learns from all."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from functools import cached_property, partial
from pathlib import Path
from typing import Any

from poreconv.config import TrainConfig, require
from poreconv.dataset.splits import dealt
from poreconv.dataset.store import Store
from poreconv.models.networks.outside import Own
from poreconv.runtime.progress import Progress
from poreconv.training.choose_decoding import Judged
from poreconv.training.objectives import MOST_SAMPLES
from poreconv.training.plugins import NO_PLUGINS, Plugins
from poreconv.training.presets import settled
from poreconv.training.run import TrainingRun


class FoldedRun(TrainingRun):
    """A training run on all reads, after one for each fold in ``folds`` of its own folder.

    The model of a fold is validated on the next fold, and trained on the others; where there are two folds, it is
    validated and trained on the other one. No read is left for the bundle to be validated on, so its best checkpoint is
    the best on its training reads, and its decoding is chosen on what the folds' models give for reads that they have
    not seen.

    Args:
        stores: Open stores, see `open_stores`.
        out: Folder of the training run.
        network: See `network_asked`.
        settings: See `network_asked`.
        config: How to train; its number of folds is 2 or more.
        plugins: What else of the user's own takes part; default: nothing.

    Raises:
        ConfigError: There are more folds than groups of reads, a setting does not fit the stores, or ``out`` holds
            another training run.
        BundleError: The model to start from, or the teacher, is not a trained model.
    """

    def __init__(
        self,
        stores: Sequence[Store],
        out: Path,
        network: str | Own | None,
        settings: Any,
        config: TrainConfig,
        plugins: Plugins = NO_PLUGINS,
    ) -> None:
        network, settings, config = settled(stores, network, settings, config)  # the same in all folds
        self._prepared, n_folds, split = stores, config.folds, stores[0].info.split
        self._groups = frozenset(group for store in stores for group in store.groups())
        labelled = _labelled_groups(stores)
        require(
            n_folds <= len(labelled),
            f"folds: {n_folds}, more than the {len(labelled)} {split.by}s with labels in"
            f" {', '.join(str(store.path) for store in stores)}; choose fewer, or prepare more",
        )
        self._dealt = dealt(split, labelled, n_folds)
        of_fold = replace(config, folds=0)
        self._fold = partial(TrainingRun, network=network, settings=settings, config=of_fold, plugins=plugins)
        super().__init__(self._stores(self._groups, self._groups), out, network, settings, config, plugins)

    def _stores(self, train: Collection[str], validation: Collection[str]) -> list[Store]:
        return [store.assigned(train=train, validation=validation) for store in self._prepared]

    @cached_property
    def judges(self) -> Sequence[TrainingRun]:
        """The training runs of the folds; the test split of each is its fold."""
        runs = []
        for number, held_out in enumerate(self._dealt):
            following = self._dealt[(number + 1) % len(self._dealt)]
            kept_back = held_out if len(self._dealt) == 2 else [*held_out, *following]
            stores = self._stores(self._groups.difference(kept_back), following)
            runs.append(self._fold(stores, self.out / "folds" / str(number + 1)))
        return runs

    def fit(self, progress: Progress) -> None:
        """Train the models of the folds, then the one of all reads; see `TrainingRun.fit`.

        Args:
            progress: Called with the share of all trainings that is done, and fold, step, loss and score.
        """
        n_folds = len(self.judges)
        for number, run in enumerate(self.judges):
            if not run.finished:
                run.fit(_part(progress, number, n_folds + 1, f"fold {number + 1} of {n_folds}"))
        super().fit(_part(progress, n_folds, n_folds + 1, "all reads"))

    def judged(self) -> Judged:
        """Return what the decoding is chosen on: for each read the outputs of the network that has not seen it."""
        most_samples = MOST_SAMPLES // len(self.judges)
        return [outputs for run in self.judges for outputs in run.outputs("test", most_samples)]


def _labelled_groups(stores: Sequence[Store]) -> set[str]:
    rows = [row for store in stores for row in zip(store.groups(), store.column("end_labelled"), strict=True)]
    return {group for group, end_labelled in rows if end_labelled > 0}


def _part(progress: Progress, number: int, n_parts: int, name: str) -> Progress:
    """Return the progress of one of several trainings that follow each other."""

    def report(share: float, note: str = "") -> None:
        progress((number + share) / n_parts, ", ".join([name, note] if note else [name]))

    return report
