"""Labels from eventalign tables."""

import gzip
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from poreconv.config import SourceConfig
from poreconv.errors import FormatError, LabelError
from poreconv.events.events import Events
from poreconv.labels.opening import open_labels
from poreconv.labels.sources import LabelSource
from poreconv.reads.read import Read
from poreconv.reads.readers import open_reads
from tests.support.labels import EVENTALIGN_HEADER, eventalign_row, read_of, spans

NAMED = EVENTALIGN_HEADER.replace("read_index", "read_name")
SUMMARY = "read_index\tread_name\tfast5_path\n0\tr0\tf\n1\tr1\tf\n"


def table(folder: Path, *rows: str, header: str = NAMED, name: str = "events.tsv") -> Path:
    """Write a table."""
    (folder / name).write_text(header + "".join(rows))
    return folder / name


def from_table(files: Sequence[Path], *reads: Read) -> tuple[list[Events | None], LabelSource]:
    """Label reads; the returned source is closed."""
    source = open_labels("eventalign", files, SourceConfig())
    try:
        return [source.events(read) for read in reads], source
    finally:
        source.close()


def test_rows_of_one_kmer_are_one_event_in_signal_order(tmp_path: Path) -> None:
    """RNA is written from its 5' end, so its last row comes first in the signal; gaps are not covered."""
    rows = [(7, "GGTGG", 40, 50), (6, "GGCGG", 25, 30), (6, "GGCGG", 20, 24), (5, "GGAGG", 10, 20)]
    (events,), _ = from_table([table(tmp_path, *(eventalign_row("r1", *row) for row in rows))], read_of("r1"))

    assert spans(events) == [(10, 20, 0), (20, 30, 1), (40, 50, 3)]
    assert events is not None
    assert events.coverage.tolist() == [[10, 30], [40, 50]]


def test_rows_without_a_kmer_belong_to_no_event(tmp_path: Path) -> None:
    """The aligner writes NNNNN in these rows."""
    rows = [(5, "GGAGG", 10, 20), (5, "NNNNN", 20, 24), (6, "GGCGG", 24, 30)]
    (events,), _ = from_table([table(tmp_path, *(eventalign_row("r1", *row) for row in rows))], read_of("r1"))

    assert spans(events) == [(10, 20, 0), (24, 30, 1)]


def test_a_read_of_unknown_kmers_only_has_no_label(tmp_path: Path) -> None:
    """It has no event."""
    path = table(tmp_path, eventalign_row("r1", 5, "NNNNN", 10, 20))

    assert from_table([path], read_of("r1"))[0] == [None]


@pytest.mark.parametrize(("kmer", "label", "offset"), [("GGAGG", 0, 2), ("GGGCGG", 1, 3), ("GGGGTGGGG", 3, 4)])
def test_the_class_is_the_middle_base_of_the_reads_own_strand(
    tmp_path: Path, kmer: str, label: int, offset: int
) -> None:
    """The reference's k-mer may be of the other strand."""
    path = table(tmp_path, eventalign_row("r1", 5, kmer, 10, 20, reference="C" * len(kmer)))
    (events,), source = from_table([path], read_of("r1"))

    assert spans(events) == [(10, 20, label)]
    assert source.base_offset == offset


def test_a_summary_names_numbered_reads(tmp_path: Path) -> None:
    """The files may be in any order."""
    numbered = table(tmp_path, eventalign_row(1, 5, "GGAGG", 10, 20), header=EVENTALIGN_HEADER)
    (tmp_path / "summary.tsv").write_text(SUMMARY)
    (none, events), _ = from_table([tmp_path / "summary.tsv", numbered], read_of("r0"), read_of("r1"))

    assert none is None
    assert spans(events) == [(10, 20, 0)]


def test_the_longest_alignment_of_a_read_wins(tmp_path: Path) -> None:
    """Alignments are not mixed; the others are counted."""
    short, long = (10, "GGAGG", 50, 60), [(5, "GGAGG", 10, 20), (6, "GGCGG", 20, 30)]
    rows = [eventalign_row("r1", *short, contig="a"), *(eventalign_row("r1", *row, contig="b") for row in long)]
    path = table(tmp_path, *rows, eventalign_row("r2", *short), eventalign_row("r1", *short))
    (events, other), source = from_table([path], read_of("r1"), read_of("r2"))

    assert spans(events) == [(10, 20, 0), (20, 30, 1)]
    assert spans(other) == [(50, 60, 0)]
    assert source.notes == {"other_records": 2}


def test_gzip_and_plain_tables_count_as_one(tmp_path: Path) -> None:
    """Each read is found in its own file."""
    plain = table(tmp_path, eventalign_row("r1", 5, "GGAGG", 10, 20))
    packed = tmp_path / "more.tsv.gz"
    packed.write_bytes(gzip.compress((NAMED + eventalign_row("r2", 5, "GGCGG", 30, 40)).encode()))
    found, _ = from_table([plain, packed], read_of("r2"), read_of("r1"))

    assert [spans(events) for events in found] == [[(30, 40, 1)], [(10, 20, 0)]]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (eventalign_row("r1", 6, "GGAGG", 15, 25), "label_order"),
        (eventalign_row("r1", 6, "GGAGG", 95, 101), "label_outside_signal"),
        (eventalign_row("r1", 6, "GGAGG", 30, 30), "label_empty"),
        (eventalign_row("r1", 6, "GGAG", 30, 40), "label_unreadable"),
        (eventalign_row("r1", 6, "GGAGG", 30, 40).replace("\t40", "\tx"), "label_unreadable"),
    ],
)
def test_rows_that_do_not_fit_are_named_drops(tmp_path: Path, row: str, reason: str) -> None:
    """Overlapping, beyond the signal, empty, another k-mer, no number."""
    path = table(tmp_path, eventalign_row("r1", 5, "GGAGG", 10, 20), row)
    with pytest.raises(LabelError, match="read r1: ") as caught:
        from_table([path], read_of("r1"))

    assert caught.value.reason == reason


ROW = eventalign_row(1, 5, "GGAGG", 10, 20)


@pytest.mark.parametrize(
    ("texts", "problem"),
    [
        ([NAMED.replace("\tstart_idx\tend_idx", "") + ROW], "no column start_idx, end_idx; .*--signal-index"),
        ([NAMED.replace("contig", "chromosome") + ROW], "no column contig"),
        ([NAMED], "line 2: 1 columns, 15 in the header"),
        ([NAMED + ROW + "chr1\t7\n"], "byte [0-9]+: a row of 2 columns"),
        ([EVENTALIGN_HEADER + ROW], "give one table and its summary"),
        ([SUMMARY], "0 tables"),
        ([EVENTALIGN_HEADER + ROW, EVENTALIGN_HEADER + ROW, SUMMARY], "2 of them with read_index, 1 summaries"),
        ([EVENTALIGN_HEADER + ROW.replace("\t1\tt", "\t8\tt"), SUMMARY], "read_index b'8' is not in the summary"),
        ([EVENTALIGN_HEADER + ROW, SUMMARY + "2\n"], "line 4: no read_index and read_name"),
        ([NAMED + ROW, NAMED + ROW.replace("GGAGG", "GGAG")], "k-mers of different lengths"),
        (["read_id,start,end\n"], "no column position"),
    ],
)
def test_files_that_are_not_such_tables_are_format_errors(tmp_path: Path, texts: list[str], problem: str) -> None:
    """The message states what is missing, and which option writes it."""
    files = [table(tmp_path, text, header="", name=f"{number}.tsv") for number, text in enumerate(texts)]

    with pytest.raises(FormatError, match=problem):
        from_table(files)


def test_memory_holds_no_rows(tmp_path: Path) -> None:
    """The index holds the place of a read's rows, not their contents."""
    rows = [eventalign_row("r1", n, "GGAGG", 10 * n, 10 * n + 10) for n in range(2000)]
    source = open_labels("eventalign", [table(tmp_path, *rows)], SourceConfig())
    kept = [value for value in vars(source).values() if isinstance(value, dict)]
    source.close()

    assert max(len(repr(value)) for value in kept) < 500


@given(
    edges=st.lists(st.integers(1, 20), min_size=1, max_size=12),
    order=st.randoms(use_true_random=False),
    headers=st.booleans(),
)
@settings(max_examples=30, deadline=None)
def test_rows_of_a_read_need_not_stand_together(
    tmp_path_factory: pytest.TempPathFactory, edges: list[int], order: Random, headers: bool
) -> None:
    """In whatever order, and with headers between them, the events are those of the table as the aligner wrote it."""
    starts = np.cumsum([0, *edges]).tolist()
    of_reads = {
        name: [eventalign_row(name, n, "GGAGG", a, b) for n, (a, b) in enumerate(pairwise(starts), start=shift)]
        for shift, name in enumerate(("r1", "r2"))
    }
    rows = [row for read_rows in of_reads.values() for row in read_rows]
    folder, reads = tmp_path_factory.mktemp("tables"), [read_of(name, 300) for name in of_reads]
    together, _ = from_table([table(folder, *rows)], *reads)
    order.shuffle(rows)
    apart, source = from_table([table(folder, *((row + NAMED * headers) for row in rows))], *reads)

    assert [spans(events) for events in apart] == [spans(events) for events in together]
    assert source.notes == {}


def test_rows_apart_that_share_samples_are_other_alignments(tmp_path: Path) -> None:
    """Such as a table joined with itself: nothing is counted twice."""
    rows = [eventalign_row("r1", n, "GGAGG", 10 * n, 10 * n + 10) for n in range(3)]
    path = table(tmp_path, *rows, NAMED, *rows)
    (events,), source = from_table([path], read_of("r1"))

    assert spans(events) == [(0, 10, 0), (10, 20, 0), (20, 30, 0)]
    assert source.notes == {"other_records": 1}


@pytest.mark.parametrize(
    ("first", "second", "problem"),
    [
        (EVENTALIGN_HEADER, EVENTALIGN_HEADER, "joined tables number their reads anew"),
        (NAMED, EVENTALIGN_HEADER, "another header in the middle"),
    ],
)
def test_joined_tables_that_do_not_fit_are_refused(tmp_path: Path, first: str, second: str, problem: str) -> None:
    """Read 0 of the second table is another read than that of the first; other columns would be misread."""
    row = eventalign_row(0, 5, "GGAGG", 10, 20)
    (tmp_path / "summary.tsv").write_text(SUMMARY)
    files = [table(tmp_path, row, second, row, header=first), *([tmp_path / "summary.tsv"] if first != NAMED else [])]

    with pytest.raises(FormatError, match=problem):
        from_table(files)


def test_a_byte_order_mark_is_harmless(tmp_path: Path) -> None:
    """Also at the head of a joined table, and of the summary."""
    mark, row = "\ufeff", eventalign_row("r1", 5, "GGAGG", 10, 20)
    path = table(tmp_path, row, mark + NAMED, eventalign_row("r2", 5, "GGCGG", 30, 40), header=mark + NAMED)
    numbered = table(tmp_path, eventalign_row(1, 5, "GGAGG", 10, 20), header=mark + EVENTALIGN_HEADER, name="i.tsv")
    (tmp_path / "summary.tsv").write_text(mark + SUMMARY)
    both, _ = from_table([path], read_of("r1"), read_of("r2"))
    (by_index,), _ = from_table([numbered, tmp_path / "summary.tsv"], read_of("r1"))

    assert [spans(events) for events in both] == [[(10, 20, 0)], [(30, 40, 1)]]
    assert spans(by_index) == [(10, 20, 0)]


@pytest.mark.real
def test_a_real_table_sorted_by_position_gives_the_same_events(real_data: Path, tmp_path: Path) -> None:
    """All 2,543 events of three reads, whose rows then stand far apart."""
    folder = real_data / "rna002_same_reads_formats_eventalign"
    head, *rows = (folder / "eventalign_result.csv").read_text().splitlines(keepends=True)
    place = head.split("\t").index("position")
    rows.sort(key=lambda row: int(row.split("\t")[place]))
    (tmp_path / "sorted.tsv").write_text(head + "".join(rows))
    with open_reads(folder / "test.pod5") as stream:
        reads = list(stream)
    expected, _ = from_table([folder / "eventalign_result.csv", folder / "eventalign_summary.csv"], *reads)
    found, source = from_table([tmp_path / "sorted.tsv", folder / "eventalign_summary.csv"], *reads)

    assert [spans(events) for events in found if events] == [spans(events) for events in expected if events]
    assert sum(len(events) for events in found if events) == 2_543
    assert source.notes == {}
