"""Stores of made reads, with labels that are easy to know."""

from collections.abc import Sequence
from itertools import cycle
from pathlib import Path
from typing import Any

from poreconv.config import PrepareConfig, from_flat
from poreconv.dataset.prepare import prepare
from poreconv.dataset.store import Store
from poreconv.reads.read import Read
from tests.support.signal_files import write_multi

STEP = 9
"""Samples of each interval."""


def steps(reads: Sequence[Read], labels: Sequence[str] = "ACGT") -> str:
    """Give a table of intervals that tile each read, 9 samples each, with the labels in turn."""
    rows = ["read_id\tstart\tend\tlabel"]
    for read in reads:
        starts = range(0, len(read.adc) - STEP + 1, STEP)
        rows += [
            f"{read.read_id}\t{start}\t{start + STEP}\t{label}"
            for start, label in zip(starts, cycle(labels), strict=False)
        ]
    return "\n".join(rows) + "\n"


def prepared(folder: Path, reads: Sequence[Read], table: str | None = None, **settings: Any) -> Store:
    """Write reads and a table of intervals (default: `steps`) into a folder, and prepare it as in `prepare_in`."""
    folder.mkdir(parents=True, exist_ok=True)
    write_multi(folder / "reads.fast5", reads)
    (folder / "labels.tsv").write_text(steps(reads) if table is None else table)
    return prepare_in(folder, **settings)


def prepare_in(folder: Path, name: str = "store", *, overwrite: bool = False, **settings: Any) -> Store:
    """Prepare the signal files of a folder with its labels.tsv; ``settings`` are those of PrepareConfig."""
    config, out = from_flat(PrepareConfig, {"workers": 1} | settings), folder / name
    labels = [folder / "labels.tsv"]
    return prepare([folder], labels="intervals", labels_from=labels, out=out, config=config, overwrite=overwrite)


def contents(folder: Path) -> dict[str, bytes]:
    """Give the bytes of every file in a folder, by name."""
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}
