"""Places of called bases from exact alignments, as label source `bed_modified` uses them."""

from pathlib import Path
from typing import Any

import pytest

from poreconv.errors import FormatError, LabelError
from poreconv.reads.read import Read
from tests.support.labels import paf_line, read_of, spans, write_bam
from tests.support.sites import RNA, EventsAndNotes, aligned, bed, from_sites


def exactly(
    folder: Path, exact: Path, *rows: tuple[int, str, str], read: Read | None = None, **fields: Any
) -> EventsAndNotes:
    """Label r1, whose record has 8 bases and no moves, by the file ``exact``."""
    record = aligned("r1", **({"cigar": "8M", "sequence": "ACCTGATT"} | fields))
    for tag in ("mv", "ts"):
        record.set_tag(tag, None)
    files = [bed(folder / "s.bed", *rows), write_bam(folder / "r.bam", record), exact]
    return from_sites(files, read or read_of("r1"))


def paf(folder: Path, ss: str, end: int, *, n_kmers: int = 8, first: int = 0, last: int = 8) -> Path:
    """Write a PAF of one record that begins at sample 10."""
    line = paf_line("r1", 100, 10, end, ss).split("\t")
    line[6:9] = str(n_kmers), str(first), str(last)
    (folder / "r.paf").write_text("\t".join(line))
    return folder / "r.paf"


def test_run_strings_place_the_bases(tmp_path: Path) -> None:
    """Extra samples belong to no base, and a skipped base is counted."""
    rows = [(1, "m", "+"), (2, "m", "+"), (3, "m", "+"), (7, "m", "+")]
    (events,), notes = exactly(tmp_path, paf(tmp_path, "4,6,1D2I3,7,5,5,8,", 50), *rows)

    assert spans(events) == [(14, 20, 0), (22, 25, 0), (42, 50, 0)]
    assert notes == {"sites_without_place": 1}


@pytest.mark.parametrize(
    ("k", "base", "fields"), [(6, 2, {}), (5, 2, {}), (3, 1, {}), (5, 2, RNA), (5, 1, {"kit": "SQK-RNA002"})]
)
def test_an_event_of_a_kmer_stands_for_one_base(tmp_path: Path, k: int, base: int, fields: dict[str, str]) -> None:
    """It is the base that sets the current most; k-mers of RNA count down."""
    n_kmers = 8 - k + 1
    first, last = (n_kmers, 0) if fields else (0, n_kmers)
    path = paf(tmp_path, "5," * n_kmers, 10 + 5 * n_kmers, n_kmers=n_kmers, first=first, last=last)
    (events,), _ = exactly(tmp_path, path, (base, "m", "+"), read=read_of("r1", **fields))
    start = 10 + 5 * (n_kmers - 1) if fields else 10

    assert spans(events) == [(start, start + 5, 0)]


def test_a_paf_may_begin_within_the_sequence(tmp_path: Path) -> None:
    """Column 8 is the first k-mer."""
    (events,), _ = exactly(tmp_path, paf(tmp_path, "5,5,", 20, first=3, last=5), (4, "m", "+"))

    assert spans(events) == [(15, 20, 0)]


@pytest.mark.parametrize(
    ("fields", "change"),
    [
        ({"n_kmers": 9}, {}),
        ({"last": 7}, {}),
        ({"first": 3, "last": 11}, {}),
        ({}, {"cigar": "2H8M"}),
        ({"n_kmers": 30, "last": 8}, {}),
    ],
)
def test_run_strings_of_another_sequence_are_a_named_drop(
    tmp_path: Path, fields: dict[str, int], change: dict[str, str]
) -> None:
    """More k-mers than bases, another number of aligned k-mers, a clipped sequence."""
    with pytest.raises(LabelError) as caught:
        exactly(tmp_path, paf(tmp_path, "5," * 8, 50, **fields), (1, "m", "+"), **change)

    assert caught.value.reason == "label_sequence"


def table(folder: Path, bases: str) -> Path:
    """Write an events table: 4 samples per base."""
    rows = [f"r1\t{10 + 4 * at}\t{14 + 4 * at}\t{base}\n" for at, base in enumerate(bases)]
    (folder / "r.tsv").write_text("read_id\tstart\tend\tlabel\n" + "".join(rows))
    return folder / "r.tsv"


@pytest.mark.parametrize(
    ("bases", "fields", "start"), [("ACCTGATT", {}, 18), ("CCTGA", {}, 14), ("TTAGTCCA", RNA, 30), ("TTAGTCC", RNA, 30)]
)
def test_a_table_of_refined_events_places_the_bases(
    tmp_path: Path, bases: str, fields: dict[str, str], start: int
) -> None:
    """Its labels spell the sequence except some bases at the ends, for RNA backwards."""
    (events,), _ = exactly(tmp_path, table(tmp_path, bases), (2, "m", "+"), read=read_of("r1", **fields))

    assert spans(events) == [(start, start + 4, 0)]


@pytest.mark.parametrize("bases", ["ACCTGAAT", "ACCTGATTA", "C", "ACCGATT"])
def test_a_table_that_spells_something_else_is_a_named_drop(tmp_path: Path, bases: str) -> None:
    """So is one that spells several parts of the sequence."""
    with pytest.raises(LabelError) as caught:
        exactly(tmp_path, table(tmp_path, bases), (1, "m", "+"))

    assert caught.value.reason == "label_sequence"


def test_a_table_of_other_classes_is_a_format_error(tmp_path: Path) -> None:
    """Its labels don't spell a sequence."""
    with pytest.raises(FormatError, match=r"r\.tsv: its labels are beat, not bases"):
        exactly(tmp_path, table(tmp_path, ["beat"]), (1, "m", "+"))


@pytest.mark.parametrize("suffix", [".tsv", ".paf"])
def test_a_read_without_exact_events_has_no_label(tmp_path: Path, suffix: str) -> None:
    """Its moves, if it has any, are not used instead."""
    exact = table(tmp_path, "ACCTGATT") if suffix == ".tsv" else paf(tmp_path, "5," * 8, 50)
    record = write_bam(tmp_path / "o.bam", aligned("other", "8M"))

    assert from_sites([bed(tmp_path / "s.bed", (1, "m", "+")), record, exact], read_of("other"))[0] == [None]
