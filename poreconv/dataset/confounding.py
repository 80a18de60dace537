"""Classes of reads from different sequencing runs: a model may learn the run instead of the class."""

import warnings
from collections.abc import Sequence

from poreconv.dataset.store import Store
from poreconv.errors import ConfoundedWarning


def confounded(stores: Sequence[Store]) -> tuple[str, ...]:
    """Find the classes whose training reads share no sequencing run with those of some other class.

    Args:
        stores: Open stores that train together.

    Returns:
        Class names, in the order of the classes; empty unless the task is of whole reads.
    """
    info = stores[0].info
    if not stores[0].task.whole_reads:
        return ()
    runs: dict[int, set[str]] = {}
    for store in stores:
        rows = store.rows("train")
        run_ids = store.text("run_id")
        for row, label in zip(rows, store.target[store.offset[rows]], strict=True):
            runs.setdefault(int(label), set()).add(run_ids[row])
    separate = {label for label in runs for other in runs if not runs[label] & runs[other]}
    return tuple(info.classes[label] for label in sorted(separate))


def warn_confounded(classes: Sequence[str]) -> None:
    """Warn, in one line, that classes are confounded with sequencing runs.

    Args:
        classes: What `confounded` returns.
    """
    if classes:
        warnings.warn(confounding_message(classes), ConfoundedWarning, stacklevel=3)


def confounding_message(classes: Sequence[str]) -> str:
    """Describe, in one line, that classes are confounded with sequencing runs.

    Args:
        classes: What `confounded` returns.

    Returns:
        Empty without such classes.
    """
    names = ", ".join(classes)
    return f"{names}: from different sequencing runs; a model may learn the run instead of the class" if classes else ""
