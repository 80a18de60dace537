"""Labels from programs that find poly(A) tails: adapter, tail and transcript as regions of the signal."""

import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pysam

from poreconv.config import SourceConfig
from poreconv.errors import LabelError
from poreconv.events.events import Events
from poreconv.labels.fit import check_fit, fitted
from poreconv.labels.parsing.bam import Records, int_tag, tag_of
from poreconv.labels.parsing.tails import PASSED, Tail, tails_in
from poreconv.reads.read import Read

ADAPTER, POLYA, TRANSCRIPT = "adapter", "polya", "transcript"
BAM_SUFFIXES = (".bam", ".sam", ".cram")
NO_ADAPTER = "NO_ADAPTER"
"""Verdict on a tail of RNA that dorado sought from the first sample on: its place is a guess."""


class PolyA:
    """Tables of nanopolish polya (TSV), tailfindr (CSV) and dorado summary, or dorado's BAM with ``pa`` tags.

    All of them count raw samples. The tail is ``polya_start`` to ``transcript_start``, ``tail_start`` to ``tail_end``,
    ``poly_tail_start`` to ``poly_tail_end``, or the second and third number of ``pa`` (counted from ``sp`` for a part
    of a split read). RNA goes through the pore 3' end first: what comes before the tail is the adapter, and what comes
    after it, up to the end of the read, or of the part (``sp + ns``), is the transcript. The adapter begins at
    nanopolish's ``leader_start``, so that nanopolish's leader (one sample in most reads) counts as adapter; the other
    programs don't report its start, and it begins with the read or the part. For DNA, and where the molecule is
    unknown, only the tail is labelled (class ``polya``, also for poly(T)), except that a start of the adapter always
    gives all three regions.

    A read whose row has another verdict than PASS (nanopolish's ``qc_tag``) or a tail that isn't valid (tailfindr,
    cDNA) is dropped with a reason named after the verdict, such as ``label_qc_suffclip``; so is RNA in which dorado
    found no adapter, at whose end it looks for the tail (``pa`` begins with 0; ``label_qc_no_adapter``). A read
    without a tail has no label. Of several rows for one read the first with a good verdict is used; the others are
    counted as ``other_records``.

    Source:
        Workman et al. 2019, doi:10.1038/s41592-019-0617-2 (nanopolish); Krause et al. 2019,
        doi:10.1261/rna.071332.119 (tailfindr); https://github.com/nanoporetech/dorado, documentation/SAM.md (``pa``).
    """

    in_file = False
    classes = (ADAPTER, POLYA, TRANSCRIPT)
    base_offset: int | None = None

    def __init__(self, files: Sequence[Path], config: SourceConfig) -> None:
        """Read the tables, which leave one tail per read in memory, and index the BAM files.

        Args:
            files: BAM or SAM files, by suffix, and tables.
            config: Not used.

        Raises:
            FormatError: A file is neither such a table nor a BAM with ``pa`` tags.
        """
        self.notes: Counter[str] = Counter()
        self._others: Counter[str] = Counter()
        self._tails: dict[str, Tail] = {}
        for path in files:
            if path.suffix not in BAM_SUFFIXES:
                for read_id, tail in tails_in(path):
                    self._add(read_id, tail)
        hint = "basecall again with dorado 1.0 or newer and --estimate-poly-a"
        bams = [path for path in files if path.suffix in BAM_SUFFIXES]
        self._records = Records(
            bams, tag="pa", hint=hint, size=lambda record: record.query_length, notes=self.notes, split=True
        )

    def _add(self, read_id: str, tail: Tail) -> None:
        best = self._tails.get(read_id)
        if best is not None:
            self._others[read_id] += 1
        if best is None or (best.quality not in PASSED and tail.quality in PASSED):
            self._tails[read_id] = tail

    def events(self, read: Read) -> Events | None:
        """Label one read; see `LabelSource.events`.

        Args:
            read: Its tail is found by its id; its chemistry decides whether adapter and transcript are labelled.

        Raises:
            LabelError: The program's verdict on the tail is not good (``label_qc_...``), its ``pa`` tag can't be parsed
                (``label_unreadable``), or a region doesn't fit the read (see `fitted`).
        """
        if read.read_id in self._others:
            self.notes["other_records"] += self._others[read.read_id]
        tail = self._tails.get(read.read_id) or _first(read, self._records.of(read.read_id))
        if tail is not None and tail.quality not in PASSED:
            raise LabelError(
                f"{read.where}: its tail is marked {tail.quality}, and only passing ones are used; leave out the read, "
                "or label it by hand",
                reason=f"label_qc_{re.sub(r'[^a-z0-9]+', '_', tail.quality.lower())}",
            )
        return None if tail is None or tail.start < 0 else _regions(read, tail)

    def close(self) -> None:
        """Close the BAM files."""
        self._records.close()


def _first(read: Read, records: Sequence[pysam.AlignedSegment]) -> Tail | None:
    """Return the first good tail that dorado found in a read, or in the parts into which it was split."""
    found = [tail for record in records if (tail := _tail(read, record)).start >= 0]
    return min(found, key=lambda tail: (tail.quality not in PASSED, tail.start), default=None)


def _tail(read: Read, record: pysam.AlignedSegment) -> Tail:
    places = np.atleast_1d(np.asarray(tag_of(record, "pa")))
    if places.dtype.kind not in "iu" or len(places) < 3:
        raise LabelError(
            f"{read.where}: its 'pa' tag is not whole numbers: anchor, start, end, ...; basecall the read again",
            reason="label_unreadable",
        )
    anchor, start, end = (int(place) for place in places[:3])
    if start < 0:
        return Tail(-1, -1)
    part, n_samples = int_tag(record, "sp"), int_tag(record, "ns")
    first, last = part or 0, None if part is None or n_samples is None else part + n_samples
    if not read.chemistry.rna:
        return Tail(start + first, end + first)
    return Tail(start + first, end + first, part, last, "" if anchor else NO_ADAPTER)


def _regions(read: Read, tail: Tail) -> Events:
    start, end = np.array([tail.start]), np.array([tail.end])
    check_fit(read, start, end)
    if tail.adapter_start is None and not read.chemistry.rna:
        return fitted(read, start, end, label=[1], classes=PolyA.classes)
    last = len(read.adc) if tail.transcript_end is None else tail.transcript_end
    edge = np.array([tail.adapter_start or 0, tail.start, tail.end, last])
    region = np.flatnonzero(np.diff(edge))  # those with samples
    return fitted(read, edge[region], edge[region + 1], label=region, classes=PolyA.classes)
