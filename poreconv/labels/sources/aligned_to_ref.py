"""Labels from the alignments of events to a reference that early Nanopore workflows wrote into fast5 files."""

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

    Neighbouring rows with the same ``seq_pos`` form one event; gaps between rows (events that the aligner ignored) are
    not covered. Starts are seconds from the start of acquisition, or in one of the other forms that `row_places` reads.
    The class is the middle base of ``kmer``, which these tables write in signal order, also for RNA. Of several
    alignments the newest with such a table is used; the others are counted as ``other_alignments``. The rows are
    detected events: boundaries are where the event detector put them.
    """

    classes = BASES
    base_offset: int | None = STATE_BASE

    def events(self, read: Read) -> Events | None:
        """Label one read; see `LabelSource.events`.

        Args:
            read: Its fast5 file and id locate the table; its sample rate and start place the rows on its signal.
        """
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
