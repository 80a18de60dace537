"""Label sources: each returns the events of a read. To add one: one file here, one line in ``LABEL_SOURCES``."""

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
    "values": "poreconv.labels.sources.values:Values",
    "read_table": "poreconv.labels.sources.read_table:ReadTable",
    "path_class": "poreconv.labels.sources.path_class:PathClass",
    "studio": "poreconv.labels.sources.studio:Studio",
}

OF_PATHS = {"path_class", "studio"}
"""Sources whose ``--labels_from`` may be folders; they check these paths themselves."""


class LabelSource(Protocol):
    """A provider of labels, asked read by read.

    Constructed as ``Source(files, config)``: the files of ``--labels_from`` and a `SourceConfig`. A source keeps files
    open: close it after use, and construct one per process.
    """

    in_file: bool
    """Whether the labels are in the reads' own files, so that no ``--labels_from`` is needed. A class attribute, so
    that it is known before a source is constructed."""
    classes: tuple[str, ...]
    """Class names that the events' ``label`` indexes, the same for every read. ``("A", "C", "G", "T")`` makes the
    `base` task possible; empty: events have places only."""
    base_offset: int | None
    """Index of the base, within a labelled k-mer, that is the event's class (0: its first); None without a sequence."""
    notes: Counter[str]
    """Counts of what was met besides reads, such as second records of a read; they are written to the drop ledger."""

    def events(self, read: Read) -> Events | None:
        """Label one read.

        Args:
            read: The read to label. Its number of samples is used to check the labels; how they are found (by its id,
                file, channel) depends on the source.

        Returns:
            Events in raw samples and signal order, or None if the source has no label for this read.

        Raises:
            LabelError: The label that the source has doesn't fit the read's signal, or can't be used.
        """
        ...

    def close(self) -> None:
        """Close the source's files."""
        ...
