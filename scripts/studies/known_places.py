"""Where the samples of reads lie on a reference: by Tombo in the reads, or by alignments of their called sequences."""

from collections.abc import Callable
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from poreconv.config import SourceConfig
from poreconv.errors import LabelError
from poreconv.events.events import Events
from poreconv.labels.opening import events_of, open_labels
from poreconv.labels.parsing.fast5 import Fast5Groups, analyses, text
from poreconv.labels.reference import ReferenceFiles
from poreconv.reads.read import Read

EVERY = 20
"""Samples between two places that are computed from a PAF."""


class Place(NamedTuple):
    """An interval of the reference, ``[start, end)``."""

    contig: str
    strand: str
    start: int
    end: int

    def is_near(self, other: "Place", slack: int) -> bool:
        """Whether another place is on the same strand and less than ``slack`` bases away."""
        same = (self.contig, self.strand) == (other.contig, other.strand)
        return same and self.start < other.end + slack and other.start < self.end + slack


@dataclass(frozen=True)
class Known:
    """Events of a read, each with its place on the reference."""

    events: Events
    contig: str
    strand: str
    position: NDArray[np.int64]
    """Of each event, shape ``(n,)``."""


KnownOf = Callable[[Read], Known]
"""Returns the known places of a read; raises `LabelError` if there are none."""


def known_places(file: Path | None, stack: ExitStack) -> KnownOf:
    """Open what the known places come from.

    Args:
        file: ``.bam``, ``.sam``: alignments with move tables; ``.paf``: alignments of the called sequences, whose bases
            are taken to pass at a constant speed; None: Tombo's resquiggle in the reads' own files.
        stack: Closes it.
    """
    if file is None:
        source = stack.enter_context(closing(open_labels("tombo", [], SourceConfig())))
        groups = stack.enter_context(closing(Fast5Groups()))
        return lambda read: _by_tombo(read, groups, events_of(source, read))
    if file.suffix == ".paf":
        records = records_in(file)
        return lambda read: _by_paf(read, records)
    moves = stack.enter_context(closing(open_labels("bam_moves", [file], SourceConfig())))
    places = stack.enter_context(closing(ReferenceFiles((file,), k=1).open()))

    def by_moves(read: Read) -> Known:
        placed = places.place(read, events_of(moves, read))
        return Known(placed.events, str(placed.contig[0]), "-" if placed.reverse[0] else "+", placed.position)

    return by_moves


def _by_tombo(read: Read, groups: Fast5Groups, events: Events) -> Known:
    corrected = analyses(groups.of(read), "RawGenomeCorrected")
    about = next((one["BaseCalled_template/Alignment"].attrs for one in corrected if _aligned(one)), None)
    if about is None:
        raise LabelError(f"{read.where}: Tombo states no alignment; leave it out", reason="unaligned")
    strand, bases = text(about["mapped_strand"]), int(about["mapped_end"]) - int(about["mapped_start"])
    number = np.arange(bases)[:: -1 if read.chemistry.rna else 1]  # from 5', in signal order
    if bases != len(events):
        raise LabelError(f"{read.where}: {len(events)} events for {bases} aligned bases", reason="label_sequence")
    forward = int(about["mapped_start"]) + number
    position = forward if strand == "+" else int(about["mapped_end"]) - 1 - number
    return Known(events, text(about["mapped_chrom"]), strand, position)


def _aligned(corrected: object) -> bool:
    return "BaseCalled_template/Alignment" in corrected  # type: ignore[operator]  # a group


class Record(NamedTuple):
    """A line of a PAF: bases ``[first, last)`` of a read of ``bases``, and their place."""

    bases: int
    first: int
    last: int
    place: Place


def records_in(paf: Path) -> dict[str, Record]:
    """Return the first alignment of each query of a PAF; ``*`` stands for one that was not mapped.

    Args:
        paf: The file.
    """
    found: dict[str, Record] = {}
    for line in paf.read_text().splitlines():
        name, bases, first, last, strand, contig, _, start, end, *_ = line.split("\t")
        if contig != "*":
            place = Place(contig, strand, int(start), int(end))
            found.setdefault(name, Record(int(bases), int(first), int(last), place))
    return found


def _by_paf(read: Read, records: dict[str, Record]) -> Known:
    record = records.get(read.read_id)
    if record is None:
        raise LabelError(f"{read.where}: not in the PAF", reason="no_alignment")
    start = np.arange(0, len(read.adc) - EVERY + 1, EVERY)
    base = (start + EVERY / 2) / len(read.adc) * record.bases
    base = record.bases - base if read.chemistry.rna else base
    inside = (base >= record.first) & (base < record.last)
    place, share = record.place, (base[inside] - record.first) / (record.last - record.first)
    along = share if place.strand == "+" else 1 - share
    position = (place.start + along * (place.end - 1 - place.start)).astype(np.int64)
    return Known(Events.of(start[inside], start[inside] + EVERY), place.contig, place.strand, position)
