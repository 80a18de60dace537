"""Label sources: a read in, its events out. Adding one: one file here, one line in ``LABEL_SOURCES``."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from poreconv.config import LabelConfig, require
from poreconv.registry import lookup

if TYPE_CHECKING:  # the command line reads this table, and numpy is slow to import
    from poreconv.events import Events
    from poreconv.read import Read

LABEL_SOURCES = {
    "tombo": "poreconv.labels.tombo:Tombo",
    "fast5_moves": "poreconv.labels.fast5_moves:Fast5Moves",
    "fast5_events": "poreconv.labels.fast5_events:Fast5Events",
    "aligned_to_ref": "poreconv.labels.aligned_to_ref:AlignedToRef",
    "bam_moves": "poreconv.labels.bam_moves:BamMoves",
    "sam_resquiggle": "poreconv.labels.sam_resquiggle:SamResquiggle",
    "resquiggle_paf": "poreconv.labels.resquiggle_paf:ResquigglePaf",
    "eventalign": "poreconv.labels.eventalign:Eventalign",
    "polya": "poreconv.labels.polya:PolyA",
    "captures": "poreconv.labels.captures:Captures",
    "bed_modified": "poreconv.labels.bed_modified:BedModified",
    "intervals": "poreconv.labels.intervals:Intervals",
    "read_table": "poreconv.labels.read_table:ReadTable",
    "path_class": "poreconv.labels.path_class:PathClass",
}

OF_PATHS = {"path_class"}
"""Sources whose ``--labels_from`` are signal files and folders, which they look at themselves."""


class LabelSource(Protocol):
    """Where labels come from.

    Made as ``Source(files, config)``: the files of ``--labels_from`` and a `LabelConfig`. A source opens files, so it
    is closed after use, and each process makes its own.
    """

    in_file: bool
    """Whether the labels stand in the reads' own files, so that no ``--labels_from`` is needed; the class tells it
    too."""
    classes: tuple[str, ...]
    """Names that the events' ``label`` indexes, the same for every read; ``("A", "C", "G", "T")`` makes the `base`
    task possible; empty: the source knows places only."""
    base_offset: int | None
    """Which base of a labelled k-mer the event's class stands for (0: its first), None without a sequence."""
    notes: Counter[str]
    """Things met that are not reads, such as second records of a read; they go into the drop ledger."""

    def events(self, read: Read) -> Events | None:
        """Label one read, in raw coordinates and signal order.

        Returns:
            None if the source has no label for this read.

        Raises:
            LabelError: It has one, and that does not fit the read's signal.
        """
        ...

    def close(self) -> None:
        """Let go of open files."""
        ...


def open_labels(name: str, files: Sequence[Path], config: LabelConfig) -> LabelSource:
    """Make a label source by name.

    Raises:
        ConfigError: No such source; or files given to one that reads the reads' own files, or none to one that needs
            them; or a file that is not there.
        FormatError: A file that is no table of this source.
    """
    made = lookup(LABEL_SOURCES, name, kind="label source")
    require(not (made.in_file and files), f"labels {name}: stand in the reads' own files; leave out --labels_from")
    require(made.in_file or len(files) > 0, f"labels {name}: no file; give it with --labels_from")
    for path in files:
        require(name in OF_PATHS or path.is_file(), f"{path}: no such file; give the labels' file with --labels_from")
    source: LabelSource = made(files, config)
    return source
