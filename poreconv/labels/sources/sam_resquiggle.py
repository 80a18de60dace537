"""Labels from SAM and BAM files with ``si`` and ``ss`` tags: f5c eventalign --sam."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pysam

from poreconv.config import SourceConfig
from poreconv.errors import LabelError
from poreconv.events.events import Events
from poreconv.labels.parsing.bam import Records
from poreconv.labels.parsing.run_string import run_events
from poreconv.reads.read import Read


class SamResquiggle:
    """Tag ``si``: first sample, sample after the last, reference start and end; tag ``ss``: a run string.

    One event per match, in signal order whichever strand the read aligned to; extra samples (``I``) belong to no k-mer
    and are not covered. The k-mers are the reference's, which the file doesn't hold, so events have places only. Of
    several records the primary alignment's wins, then the longest span; the others are counted as ``other_records``.
    Events are k-mers, not bases: which base of a k-mer one stands for depends on the pore.

    Source:
        https://hasindu2008.github.io/f5c/docs/output; Samarakoon et al. 2024, doi:10.1093/bioinformatics/btae501.
    """

    in_file = False
    classes: tuple[str, ...] = ()
    base_offset: int | None = None

    def __init__(self, files: Sequence[Path], config: SourceConfig) -> None:
        """Index the files.

        Args:
            files: SAM or BAM files.
            config: Not needed here.

        Raises:
            FormatError: A file is no SAM or BAM, or has no ``si`` tag.
        """
        self.notes: Counter[str] = Counter()
        hint = "make the file with f5c eventalign --sam"
        self._records = Records(files, tag="si", hint=hint, size=_span, notes=self.notes)

    def events(self, read: Read) -> Events | None:
        """Label one read; see `LabelSource.events`."""
        records = self._records.of(read.read_id)
        if not records:
            return None
        place = _place(records[0])
        if place is None or not records[0].has_tag("ss"):
            raise LabelError(
                f"{read.where}: its record has no 'si' of four numbers with an 'ss'; label the read again",
                reason="label_unreadable",
            )
        return run_events(read, str(records[0].get_tag("ss")), *place)

    def close(self) -> None:
        """Close the files."""
        self._records.close()


def _place(record: pysam.AlignedSegment) -> tuple[int, int] | None:
    """First sample and sample after the last; None if the tag doesn't tell."""
    columns = str(record.get_tag("si")).split(",")
    try:
        first, end, _, _ = (int(column) for column in columns)
    except ValueError:
        return None
    return first, end


def _span(record: pysam.AlignedSegment) -> int:
    first, end = _place(record) or (0, 0)
    return end - first
