"""The reads that a model is judged on, and their true classes."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from poreconv.dataset.store import Store, subsample_reads
from poreconv.errors import ConfigError, ReadDropped
from poreconv.models.recipe import Recipe
from poreconv.reads.read import Read
from poreconv.runtime.ledger import Ledger

ReadKey = tuple[Path | None, str]
"""Path of a store and id of a read; two stores may hold the same read."""


class Truths:
    """The reads of one split of some stores that a model may be judged on, and their true classes.

    Args:
        stores: Stores with the task and the classes of the model.
        recipe: Recipe of the model.
        split: Name of a split, or ``all``.
        most_samples: About how many samples to judge on; labelled reads are taken at even intervals. Default: all.
        guarded: Whether to drop the reads that the model's own split put into training or validation; else they are
            counted in the ledger's notes.

    Raises:
        ConfigError: A store has another task than the model, or classes that the model has not.
    """

    def __init__(
        self,
        stores: Sequence[Store],
        recipe: Recipe,
        split: str,
        *,
        most_samples: int | None = None,
        guarded: bool = True,
    ) -> None:
        for store in stores:
            _check_alike(store, recipe)
        self._stores, self.recipe, self.split, self._guarded = stores, recipe, split, guarded
        self._n_in_split = sum(len(store.rows(split)) for store in stores)
        rows = [(store, int(row)) for store in stores for row in store.rows(split)]
        chosen = rows if most_samples is None else subsample_reads(stores, split, most_samples)
        ids = {store.path: store.text("read_id") for store in stores}
        self._rows: dict[ReadKey, tuple[Store, int]] = {
            (store.path, ids[store.path][row]): (store, row) for store, row in chosen
        }

    def __len__(self) -> int:
        """Return the number of reads taken from the split, including those that will be dropped."""
        return len(self._rows)

    def reads(self, ledger: Ledger) -> Iterator[Read]:
        """Return the reads that the model may be judged on.

        Args:
            ledger: Ledger that records the other reads as dropped; if they are judged too, it counts them in its
                notes, by the same reasons.
        """
        reference = {store.path: store.text("reference") for store in self._stores}
        rows = ((store.read(row), reference[store.path][row]) for store, row in self._rows.values())
        return unseen(rows, self.recipe, ledger, guarded=self._guarded)

    def read(self, key: ReadKey) -> Read:
        """Read one of the reads again.

        Args:
            key: Store and id of the read.
        """
        store, row = self._rows[key]
        return store.read(row)

    def n_samples(self, key: ReadKey) -> int:
        """Return the length of a read in samples.

        Args:
            key: Store and id of the read.
        """
        store, row = self._rows[key]
        return int(store.length[row])

    def target(self, key: ReadKey) -> NDArray[Any]:
        """Return the true class of each sample of a read.

        Args:
            key: Store and id of the read.

        Returns:
            Index of the class among the model's classes, -1 outside the coverage, shape ``(n_samples,)``.
        """
        store, row = self._rows[key]
        return store.task.renumbered(store.read_target(row), store.info.classes, self.recipe.classes)

    @property
    def where(self) -> str:
        """The stores, for an error message."""
        return ", ".join(str(store.path) for store in self._stores)

    def describe(self) -> dict[str, Any]:
        """Return the stores, the split and the numbers of reads as JSON types."""
        return {
            "split": self.split,
            "reads_in_split": self._n_in_split,
            "reads_taken": len(self),
            "stores": [_described(store) for store in self._stores],
        }


def unseen(
    reads: Iterable[tuple[Read, str]], recipe: Recipe, ledger: Ledger, *, guarded: bool = True
) -> Iterator[Read]:
    """Yield the reads that the model's own split did not put into training or validation.

    Args:
        reads: Each with the name of the sequence that it was aligned to; empty if that is not known.
        recipe: Recipe of the model.
        ledger: Records the other reads as dropped; if they are judged too, it counts them in its notes.
        guarded: Whether to drop the others; else they are yielded too.
    """
    for read, reference in reads:
        try:
            recipe.check_unseen(read, reference)
        except ReadDropped as exc:
            if guarded:
                ledger.drop(exc, read_id=read.read_id, source=read.source)
                continue
            ledger.notes[exc.reason] += 1
        yield read


def _check_alike(store: Store, recipe: Recipe) -> None:
    if store.info.task != recipe.task or set(store.info.classes) - set(recipe.classes):
        theirs, its = ", ".join(store.info.classes), ", ".join(recipe.classes)
        raise ConfigError(
            f"{store.path}: task {store.info.task}, classes {theirs}, and the model was trained on task {recipe.task},"
            f" classes {its}; give labels of this task and these classes"
        )


def _described(store: Store) -> dict[str, Any]:
    info = store.info
    return {
        "path": str(store.path),
        "labels": list(info.labels),
        "hash": info.content_hash,
        "reads": {split: counts["reads"] for split, counts in info.counts.items()},
        "prepared": info.ledger.summary(),
    }
