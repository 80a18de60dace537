"""Labels from the alignment of events to a reference that early Nanopore workflows wrote into fast5."""

import h5py
import numpy as np

from poreconv.events.events import Events
from poreconv.labels.bases import BASES
from poreconv.labels.fit import fitted
from poreconv.labels.parsing.fast5 import InFast5, analyses, rows_of, unreadable_dropped
from poreconv.labels.sources.fast5_events import STATE_BASE, row_places, state_base
from poreconv.reads.read import Read

TABLE = "CurrentSpaceMapped_template/Events"
COLUMNS = {"start", "length", "seq_pos", "kmer"}


class AlignedToRef(InFast5):
    """``Analyses/AlignToRef_nnn/CurrentSpaceMapped_template/Events`` of the read's own fast5 file.

    Neighbouring rows of one ``seq_pos`` are one event; gaps between rows (events that the aligner ignored) are not
    covered. Starts are seconds from the start of acquisition, or what else `row_places` knows. The class is the middle
    base of ``kmer``, which these tables write in signal order, for RNA too. The newest alignment with such a table
    wins; the others are counted as ``other_alignments``. Its rows are detected events: the places are those of the
    event detector.
    """

    classes = BASES
    base_offset: int | None = STATE_BASE

    def events(self, read: Read) -> Events | None:
        """Label one read; see `LabelSource.events`."""
        with unreadable_dropped(read):
            aligned = analyses(self._groups.of(read), "AlignToRef")
            tables = [group[TABLE] for group in aligned if _is_table(group.get(TABLE))]
            if not tables:
                return None
            if len(tables) > 1:
                self.notes["other_alignments"] += len(tables) - 1
            return _events(read, tables[0])


def _is_table(found: h5py.Dataset | None) -> bool:
    return found is not None and set(found.dtype.names or ()) >= COLUMNS and len(found) > 0


def _events(read: Read, dataset: h5py.Dataset) -> Events:
    table = rows_of(read, dataset)
    start, end = row_places(read, table)
    first = np.flatnonzero(np.append(True, np.diff(table["seq_pos"]) != 0))
    last = np.append(first[1:], len(table)) - 1
    return fitted(read, start[first], end[last], label=state_base(table["kmer"])[first], classes=BASES)
