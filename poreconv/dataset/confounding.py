"""Classes of reads that come from different runs: a model may learn to tell the runs."""

import warnings
from collections.abc import Sequence

from poreconv.dataset.store import Store
from poreconv.errors import ConfoundedWarning


def confounded(stores: Sequence[Store]) -> tuple[str, ...]:
    """Classes of task `read` whose training reads have no run in common with some other class's; else none."""
    info = stores[0].info
    if info.task != "read":
        return ()
    runs: dict[int, set[str]] = {}
    for store in stores:
        rows = store.rows("train")
        run_ids = store.text("run_id")
        for row, label in zip(rows, store.target[store.offset[rows]], strict=True):
            runs.setdefault(int(label), set()).add(run_ids[row])
    apart = {one for one in runs for other in runs if not runs[one] & runs[other]}
    return tuple(info.classes[label] for label in sorted(apart))


def warn_confounded(classes: Sequence[str]) -> None:
    """Warn, in one line, of classes that are `confounded`."""
    if classes:
        warnings.warn(confounder_of(classes), ConfoundedWarning, stacklevel=3)


def confounder_of(classes: Sequence[str]) -> str:
    """What to say of classes whose training reads come from different runs; empty of none."""
    names = ", ".join(classes)
    return f"{names}: from different runs, so a model may tell the run instead of the class" if classes else ""
