"""Label sources: a read in, its events out. Adding one: one file here, one line in ``LABEL_SOURCES``."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:  # the command line reads this table, and numpy is slow to import
    from poreconv.events.events import Events
    from poreconv.reads.read import Read

LABEL_SOURCES = {
    "tombo": "poreconv.labels.sources.tombo:Tombo",
    "fast5_moves": "poreconv.labels.sources.fast5_moves:Fast5Moves",
    "fast5_events": "poreconv.labels.sources.fast5_events:Fast5Events",
    "aligned_to_ref": "poreconv.labels.sources.aligned_to_ref:AlignedToRef",
    "bam_moves": "poreconv.labels.sources.bam_moves:BamMoves",
    "sam_resquiggle": "poreconv.labels.sources.sam_resquiggle:SamResquiggle",
    "resquiggle_paf": "poreconv.labels.sources.resquiggle_paf:ResquigglePaf",
    "eventalign": "poreconv.labels.sources.eventalign:Eventalign",
    "polya": "poreconv.labels.sources.polya:PolyA",
    "captures": "poreconv.labels.sources.captures:Captures",
    "bed_modified": "poreconv.labels.sources.bed_modified:BedModified",
    "intervals": "poreconv.labels.sources.intervals:Intervals",
    "read_table": "poreconv.labels.sources.read_table:ReadTable",
    "path_class": "poreconv.labels.sources.path_class:PathClass",
}

OF_PATHS = {"path_class"}
"""Sources whose ``--labels_from`` are signal files and folders, which they look at themselves."""


class LabelSource(Protocol):
    """Where labels come from.

    Made as ``Source(files, config)``: the files of ``--labels_from`` and a `SourceConfig`. A source opens files, so it
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
