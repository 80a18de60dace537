"""Labels from SAM and BAM files with ``si`` and ``ss`` tags, as f5c eventalign --sam writes them."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pysam

from poreconv.config import SourceConfig
from poreconv.errors import LabelError
from poreconv.events.events import Events
from poreconv.labels.parsing.bam import Records, tag_of
from poreconv.labels.parsing.run_string import run_events
from poreconv.reads.read import Read


class SamResquiggle:
    """Tag ``si`` is first sample, sample after the last, reference start and end; tag ``ss`` is a run string.

    There is one event per match, in signal order whichever strand the read aligned to; extra samples (``I``) belong to
    no k-mer and are not covered. The k-mers are those of the reference, which is not in the file, so events have places
    only. Of several records the primary alignment is used, or else the one with the longest span; the others are
    counted as ``other_records``. Events are k-mers, not bases: which base of a k-mer an event stands for depends on the
    pore.

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
            config: Not used.

        Raises:
            FormatError: A file is not SAM or BAM, or has no ``si`` tag.
        """
        self.notes: Counter[str] = Counter()
        hint = "make the file with f5c eventalign --sam"
        self._records = Records(files, tag="si", hint=hint, size=_span, notes=self.notes)

    def events(self, read: Read) -> Events | None:
        """Label one read; see `LabelSource.events`.

        Args:
            read: Its records are found by its id.

        Raises:
            LabelError: A tag is missing or can't be parsed (``label_unreadable``), or the run string doesn't fit the
                read (see `run_events`).
        """
        records = self._records.of(read.read_id)
        if not records:
            return None
        place = _place(records[0])
        run_string = tag_of(records[0], "ss")
        if place is None or run_string is None:
            raise LabelError(
                f"{read.where}: its record needs a tag 'si' of four numbers and a tag 'ss'; label the read again",
                reason="label_unreadable",
            )
        return run_events(read, str(run_string), *place)

    def close(self) -> None:
        """Close the files."""
        self._records.close()


def _place(record: pysam.AlignedSegment) -> tuple[int, int] | None:
    """Return the first sample and the sample after the last; None if ``si`` is not four numbers."""
    columns = str(tag_of(record, "si")).split(",")
    try:
        first, end, _, _ = (int(column) for column in columns)
    except ValueError:
        return None
    return first, end


def _span(record: pysam.AlignedSegment) -> int:
    first, end = _place(record) or (0, 0)
    return end - first
