"""Alignments, sites of a reference and the events that they give."""

from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pysam

from poreconv.config import SourceConfig
from poreconv.events.events import Events
from poreconv.labels.opening import open_labels
from poreconv.reads.read import Read
from tests.support.labels import BAM_HEADER, bam_record

EventsAndNotes = tuple[list[Events | None], Counter[str]]
"""Events of each read, and the source's notes."""

RNA = {"kit": "SQK-RNA004"}
"""Fields of a read of RNA."""


def aligned(
    name: str, cigar: str, *, at: int = 0, flag: int = 0, sequence: str = "", **tags: Any
) -> pysam.AlignedSegment:
    """Return a record aligned to chr1 whose bases begin every 5 samples, from sample 10 on."""
    record = pysam.AlignedSegment(BAM_HEADER)
    record.cigarstring = cigar
    n_bases = record.infer_query_length()
    made = bam_record(name, sequence or "A" * n_bases, flag=flag, **({"mv": [5, *[1] * n_bases], "ts": 10} | tags))
    made.reference_start, made.cigarstring = at, cigar
    return made


def bed(path: Path, *rows: tuple[int, str, str]) -> Path:
    """Write sites: 0-based place, name and strand."""
    path.write_text("".join(f"chr1\t{at}\t{at + 1}\t{name}\t0\t{strand}\n" for at, name, strand in rows))
    return path


def from_sites(files: Sequence[Path], *reads: Read, outside: str = "unknown", margin: bool = False) -> EventsAndNotes:
    """Label reads; return their events and the source's notes."""
    config = SourceConfig(outside=outside, move_margin=margin)
    with closing(open_labels("bed_modified", files, config)) as source:
        return [source.events(read) for read in reads], source.notes
