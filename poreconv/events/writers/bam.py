"""Events as the move tables of a basecaller, in an unaligned BAM: programs that read ``mv`` tags can read them."""

import re
from array import array
from collections import Counter
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pysam
from numpy.typing import NDArray

from poreconv.errors import FormatError
from poreconv.events.events import UNNAMED
from poreconv.events.targets import BASES
from poreconv.events.writers._whole_reads import WholeReads
from poreconv.events.writers.table import ReadFacts

NAME = re.compile("[!-?A-~]{1,254}")
"""Valid names of SAM records."""

HEADER = pysam.AlignmentHeader.from_dict({"HD": {"VN": "1.6", "SO": "unknown"}})

UNALIGNED = 4
"""Flag of an unaligned record."""

STRIDE = 1
"""Samples per block: a block is one sample, so that starts are exact."""


class BamWriter:
    """Writes one record per read that has events: a base for each event, N for an event that is not a base.

    Tag ``mv`` is the stride, 1, and then, for each sample, a 1 if an event starts there, else a 0; ``ts`` is the first
    event's start, ``ns`` the number of samples of the read. The sequence runs 5' to 3': against the signal where the
    read is known to be RNA, else with it.

    A move table has no gaps: a base reaches to the next one. So samples between two events go to the event before
    them, counted as ``gaps_closed``; labels that are replaced by N are counted as ``labels_written_as_n``.

    Source:
        https://software-docs.nanoporetech.com/dorado/latest/basecaller/sam_spec;
        https://samtools.github.io/hts-specs/SAMv1.pdf.
    """

    def __init__(self, path: Path) -> None:
        self.notes: Counter[str] = Counter()
        self._path = path
        self._file = pysam.AlignmentFile(str(path), "wb", header=HEADER)
        self._reads = WholeReads(self._add)

    def write(self, table: pa.Table) -> None:
        """Add rows.

        Args:
            table: Rows as `Writer.write` takes them.

        Raises:
            FormatError: A read id that cannot be the name of a record.
        """
        self._reads.add(table)

    def _add(self, read_id: str, facts: ReadFacts, rows: pa.Table) -> None:
        if not NAME.fullmatch(read_id):
            raise FormatError(
                f"{self._path}: read id {read_id!a}: a BAM record's name has 1 to 254 printable ASCII characters "
                "without '@' and spaces; write .parquet instead"
            )
        start, end = rows["start"].to_numpy(), rows["end"].to_numpy()
        sequence = _sequence(rows["label"])
        self._count(rows["label"], gaps=int((start[1:] > end[:-1]).sum()))
        record = pysam.AlignedSegment(HEADER)
        record.query_name, record.flag = read_id, UNALIGNED
        record.query_sequence = sequence[::-1] if facts.rna else sequence
        record.set_tag("mv", array("b", _moves(start, int(end[-1])).tobytes()))
        record.set_tag("ts", int(start[0]), "i")
        record.set_tag("ns", facts.n_samples, "i")
        self._file.write(record)

    def _count(self, label: pa.ChunkedArray, gaps: int) -> None:
        kept = pa.array([*BASES, UNNAMED, "N"])
        lost = len(label) - pc.sum(pc.is_in(label, kept)).as_py()
        self.notes += Counter(gaps_closed=gaps, labels_written_as_n=lost)  # keeps no zeros

    def close(self) -> None:
        """Finish the file."""
        self._reads.finish()
        self._file.close()


def _sequence(label: pa.ChunkedArray) -> str:
    """Return one letter per event, in signal order."""
    code: NDArray[np.int32] = pc.fill_null(pc.index_in(label, pa.array(BASES)), len(BASES)).to_numpy()
    letters = np.array([*BASES, "N"])
    return "".join(letters[code])


def _moves(start: NDArray[np.int64], end: int) -> NDArray[np.int8]:
    """Return the value of the ``mv`` tag: the stride, then 0 or 1 for each sample from the first start to ``end``."""
    move = np.zeros(end - start[0], np.int8)
    move[start - start[0]] = 1
    return np.append(np.int8(STRIDE), move)
