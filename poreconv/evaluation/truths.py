"""The reads that a model is judged on, and what is true of them."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from poreconv.config import IGNORE
from poreconv.dataset.store import Store, some_reads
from poreconv.errors import ConfigError, ReadDropped
from poreconv.models.recipe import Recipe
from poreconv.reads.read import Read
from poreconv.runtime.ledger import Ledger

Place = tuple[Path | None, str]
"""Path of the store and id of a read; the same read may stand in two stores."""


class Truths:
    """The reads of some stores' split that a model may be judged on, and what is true of them.

    Args:
        stores: Prepared alike.
        recipe: The model's.
        split: Name of a split, or ``all``.
        most_samples: Of more, some labelled reads are taken evenly; default: all reads.
        guarded: Whether to leave out the reads that the model's own split rule put into training or validation.

    Raises:
        ConfigError: A store's task or classes are not the model's.
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
        self._stores, self.recipe, self._split, self._guarded = stores, recipe, split, guarded
        self._n_in_split = sum(len(store.rows(split)) for store in stores)
        places = [(store, int(row)) for store in stores for row in store.rows(split)]
        chosen = places if most_samples is None else some_reads(stores, split, most_samples)
        ids = {store.path: store.text("read_id") for store in stores}
        self._place: dict[Place, tuple[Store, int]] = {
            (store.path, ids[store.path][row]): (store, row) for store, row in chosen
        }

    def __len__(self) -> int:
        """Number of reads taken from the split, those that will be dropped included."""
        return len(self._place)

    def reads(self, ledger: Ledger) -> Iterator[Read]:
        """The reads that training has not seen; the others go into the ledger."""
        reference = {store.path: store.text("reference") for store in self._stores}
        for store, row in self._place.values():
            read = store.read(row)
            try:
                if self._guarded:
                    self.recipe.check_unseen(read, reference[store.path][row])
            except ReadDropped as exc:
                ledger.drop(exc, read_id=read.read_id, source=read.source)
                continue
            yield read

    def read(self, place: Place) -> Read:
        """One of the reads."""
        store, row = self._place[place]
        return store.read(row)

    def n_samples(self, place: Place) -> int:
        """Length of one of the reads."""
        store, row = self._place[place]
        return int(store.length[row])

    def target(self, place: Place) -> NDArray[np.int8]:
        """The class of each sample of a read as the model numbers them, shape ``(n_samples,)``."""
        store, row = self._place[place]
        class_of = np.array([*map(self.recipe.classes.index, store.info.classes), IGNORE], np.int8)
        return np.asarray(class_of[store.read_target(row)], np.int8)

    @property
    def where(self) -> str:
        """For an error message."""
        return f"{', '.join(str(store.path) for store in self._stores)}: no read of split {self._split}"

    def described(self) -> dict[str, Any]:
        """As JSON types."""
        return {
            "split": self._split,
            "reads_in_split": self._n_in_split,
            "reads_taken": len(self),
            "stores": [_described(store) for store in self._stores],
        }


def _check_alike(store: Store, recipe: Recipe) -> None:
    if store.info.task != recipe.task or set(store.info.classes) - set(recipe.classes):
        raise ConfigError(
            f"{store.path}: task {store.info.task}, classes {store.info.classes}, and the model was trained on task"
            f" {recipe.task}, classes {recipe.classes}; prepare it alike"
        )


def _described(store: Store) -> dict[str, Any]:
    info = store.info
    return {
        "path": str(store.path),
        "labels": list(info.labels),
        "hash": info.content_hash,
        "reads": {split: counts["reads"] for split, counts in info.counts.items()},
        "prepared": Ledger.from_dict(info.ledger).summary(),
    }
