"""Signal files and labels -> a store."""

from collections.abc import Sequence
from pathlib import Path

from rich.markup import escape
from rich.table import Table

from poreconv.config import PrepareConfig
from poreconv.dataset import prepare as preparation
from poreconv.dataset.confounding import confounded, warn_confounded
from poreconv.dataset.store import Store, StoreInfo
from poreconv.labels.opening import LabelsAsked
from poreconv.runtime.outputs import writes_out
from poreconv.runtime.progress import progress_bar


@writes_out
def prepare(
    paths: Path | str | Sequence[Path | str],
    *,
    labels: LabelsAsked,
    out: Path | str,
    labels_from: Sequence[Path | str] = (),
    read_info: Sequence[Path | str] = (),
    config: PrepareConfig | None = None,
    overwrite: bool = False,
) -> Store:
    """Prepare a store; see `poreconv.dataset.prepare.prepare`.

    Args:
        paths: Signal files and folders: one, or several.
        labels: Name in ``LABEL_SOURCES``; or your own: ``my.py:Mine``, ``package.module:Mine``, a function of a read
            that returns its `Events` or None, a class or an object with a method ``events``. Or several of these: for
            each read the first that has a label is used.
        out: The store's folder.
        labels_from: Files of the label sources; ``NAME=FILE`` if several sources read files.
        read_info: BAM files or sequencing summaries with the mean quality and reference of reads.
        config: Task, split, filter, processes.
        overwrite: Replace a store that exists, and start anew where a command was killed.

    Returns:
        The open store; ``store.info`` describes its contents, the drop ledger included.
    """
    several = [paths] if isinstance(paths, Path | str) else paths
    with progress_bar("prepare") as progress:
        store = preparation.prepare(
            [Path(path) for path in several],
            labels=labels,
            out=Path(out),
            labels_from=labels_from,
            read_info=read_info,
            config=config,
            progress=progress,
            overwrite=overwrite,
        )
    warn_confounded(confounded([store]))
    return store


def render(store: Store) -> Table:
    """Return the table for the terminal: counts by split.

    Args:
        store: What `prepare` returned.
    """
    info = store.info
    columns = ["reads", "samples", "events", *info.classes]
    title = escape(f"{store.path}: task {info.task}, labels {', '.join(info.labels)}")
    table = Table(title=title, caption=escape(_moves(info)) or None)
    for name in ("split", *columns):
        table.add_column(escape(name), justify="left" if name == "split" else "right")
    for split, counts in info.counts.items():
        table.add_row(split, *[f"{counts[name]:,}" for name in columns])
    return table


def _moves(info: StoreInfo) -> str:
    """Name what was moved into a split that would have been empty."""
    moved = ", ".join(f"{group} to {split}" for group, split in info.moved.items())
    return f"moved into splits that would be empty: {info.split.by} {moved}" if moved else ""
