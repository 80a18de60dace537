"""Events in reference places: the coordinate map, and what stands in the table."""

from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pysam
import pytest
from hypothesis import given, settings, strategies as st

from poreconv.errors import ConfigError, FormatError, LabelError
from poreconv.events.events import Events, joined
from poreconv.events.targets import BASES
from poreconv.labels.bases import base_index
from poreconv.labels.reference import NOWHERE, Placed, ReferenceFiles, placed_rows, places_of
from poreconv.reads.read import Read
from tests.support.labels import BAM_HEADER, read_of, write_bam

DWELL = 10
REVERSE, SECONDARY, SUPPLEMENTARY, UNMAPPED = 16, 256, 2048, 4
CONTIG = "TTACGGATCCAGTACCATTG"
DNA, RNA = {"kit": "SQK-LSK114"}, {"kit": "SQK-RNA004"}


def aligned(
    called: str, cigar: str, *, name: str = "r1", start: int = 2, flag: int = 0, md: str = "", **tags: int | str
) -> pysam.AlignedSegment:
    """Give the record of a called sequence, 5' to 3', at ``start`` of chr1."""
    record = pysam.AlignedSegment(BAM_HEADER)
    record.query_name, record.flag = name, flag
    record.query_sequence = reverse_complement(called) if flag & REVERSE else called
    if not flag & UNMAPPED:
        record.reference_id, record.reference_start, record.cigarstring = 0, start, cigar
    for tag, value in (({"MD": md} if md else {}) | tags).items():
        record.set_tag(tag, value)
    return record


def reverse_complement(letters: str) -> str:
    """The other strand."""
    return letters[::-1].translate(str.maketrans("ACGT", "TGCA"))


def events_of_bases(in_signal_order: str, first: int = 0) -> Events:
    """One event of ten samples per base."""
    start = first + DWELL * np.arange(len(in_signal_order))
    return Events.of(start, start + DWELL, label=base_index(in_signal_order.encode()), classes=BASES)


def placed(
    folder: Path,
    records: Sequence[pysam.AlignedSegment],
    events: Events,
    fields: dict[str, str] = DNA,
    *,
    k: int = 3,
    reference: Path | None = None,
) -> tuple[Read, Placed, Counter[str]]:
    """Place the events of read r1."""
    read = read_of("r1", 1000, experiment="", run_id="run", **fields)
    path = write_bam(folder / "r.bam", *records)
    with closing(ReferenceFiles((path,), reference, k).open()) as places:
        return read, places.place(read, events), places.notes


@st.composite
def records(draw: st.DrawFn) -> pysam.AlignedSegment:
    """An alignment of any operations, with soft clips, to either strand."""
    middle = draw(st.lists(st.tuples(st.sampled_from("M=XIDN"), st.integers(1, 5)), min_size=1, max_size=8))
    body = [("M", 1), *middle, ("M", 2)]
    clips = [("S", draw(st.integers(0, 3))) for _ in range(2)]
    cigar = [each for each in (clips[0], *body, clips[1]) if each[1]]
    n_bases = sum(length for operation, length in cigar if operation in "M=XIS")
    called = draw(st.text("ACGT", min_size=n_bases, max_size=n_bases))
    flag = draw(st.sampled_from([0, REVERSE]))
    return aligned(called, "".join(f"{n}{operation}" for operation, n in cigar), flag=flag)


@settings(deadline=None)  # the first example imports, on cores that others use
@given(records())
def test_places_are_pysams_own_pairs(record: pysam.AlignedSegment) -> None:
    """Counted from the 5' end of the read, on either strand."""
    n = record.query_length
    pairs = record.get_aligned_pairs(matches_only=True)
    expected = {n - 1 - base if record.is_reverse else base: place for base, place in pairs}

    assert [expected.get(base, NOWHERE) for base in range(n)] == places_of(record).tolist()


@settings(deadline=None)  # each example writes a file
@given(records(), st.sampled_from([DNA, RNA]))
def test_every_event_of_a_base_with_a_place_has_it(record: pysam.AlignedSegment, fields: dict[str, str]) -> None:
    """In signal order, which for RNA is 3' to 5'; the other events are counted."""
    called, place = str(record.get_forward_sequence()), places_of(record)
    in_order, step = (place[::-1], -1) if fields is RNA else (place, 1)
    with TemporaryDirectory() as folder:
        _, found, notes = placed(Path(folder), [record], events_of_bases(called[::step]), fields)
    clipped = sum(n for operation, n in record.cigartuples or () if operation == pysam.CSOFT_CLIP)

    assert found.position.tolist() == in_order[in_order != NOWHERE].tolist()
    assert found.events.start.tolist() == (DWELL * np.flatnonzero(in_order != NOWHERE)).tolist()
    assert (notes["clipped_bases"], notes["inserted_bases"]) == (clipped, (place == NOWHERE).sum() - clipped)


def columns(read: Read, found: Placed, *names: str) -> list[tuple[object, ...]]:
    """Rows of some columns of the table."""
    table = placed_rows(read, found)
    return list(zip(*(table[name].to_pylist() for name in names), strict=True))


SHOWN = ("contig", "position", "strand", "reference_base", "reference_kmer", "model_kmer", "start_idx")


def test_a_forward_read_has_the_letters_of_the_reference(tmp_path: Path) -> None:
    """An insertion has no place, a deletion no event, and a mismatch that of the reference base; MD ends with it."""
    record = aligned("GACAGGTT", "1S2M1I1D3M1S", md="0T1^G0C2")
    read, found, notes = placed(tmp_path, [record], events_of_bases("GACAGGTT"))

    assert columns(read, found, *SHOWN) == [
        ("chr1", 2, "+", "T", "NTC", "NTC", 10),
        ("chr1", 3, "+", "C", "TCG", "TCG", 20),
        ("chr1", 5, "+", "C", "GCG", "GCG", 40),
        ("chr1", 6, "+", "G", "CGT", "CGT", 50),
        ("chr1", 7, "+", "T", "GTN", "GTN", 60),
    ]
    assert notes == {"inserted_bases": 1, "clipped_bases": 2}


def test_a_reverse_read_has_the_kmers_of_its_own_strand_too(tmp_path: Path) -> None:
    """The reference k-mer is that of the forward strand, as in eventalign; the base is the read's."""
    read, found, _ = placed(tmp_path, [aligned("CCGT", "4M", flag=REVERSE, md="4")], events_of_bases("CCGT"))

    assert columns(read, found, *SHOWN[1:]) == [
        (5, "-", "C", "GGN", "NCC", 0),
        (4, "-", "C", "CGG", "CCG", 10),
        (3, "-", "G", "ACG", "CGT", 20),
        (2, "-", "T", "NAC", "GTN", 30),
    ]


def test_rna_runs_backwards_along_the_reference(tmp_path: Path) -> None:
    """Its first event is the last base."""
    read, found, _ = placed(tmp_path, [aligned("ACGG", "4M", md="4")], events_of_bases("GGCA"), RNA)

    assert columns(read, found, "position", "reference_base", "start_idx") == [
        (5, "G", 0), (4, "G", 10), (3, "C", 20), (2, "A", 30)
    ]  # fmt: skip


def test_a_fasta_gives_the_letters_around_the_alignment(tmp_path: Path) -> None:
    """N stands beyond the ends of the contig only."""
    (tmp_path / "ref.fa").write_text(f">chr1\n{CONTIG[:6]}\n")
    record = aligned(CONTIG[1:5], "4M", start=1)
    read, found, notes = placed(tmp_path, [record], events_of_bases(CONTIG[1:5]), k=5, reference=tmp_path / "ref.fa")

    assert [kmer for (kmer,) in columns(read, found, "reference_kmer")] == ["NTTAC", "TTACG", "TACGG", "ACGGN"]
    assert not notes


def test_without_md_and_fasta_the_reference_is_n(tmp_path: Path) -> None:
    """Positions are known all the same; the read is counted."""
    read, found, notes = placed(tmp_path, [aligned("ACGG", "4M")], events_of_bases("ACGG"))

    assert columns(read, found, "position", "reference_kmer")[0] == (2, "NNN")
    assert notes == {"without_reference_bases": 1}


def test_the_letters_of_an_intron_are_passed_over(tmp_path: Path) -> None:
    """MD omits them."""
    read, found, _ = placed(tmp_path, [aligned("ACGG", "2M5N2M", md="4")], events_of_bases("ACGG"))

    assert columns(read, found, "position", "reference_kmer") == [(2, "NAC"), (3, "ACN"), (9, "NGG"), (10, "GGN")]


def test_levels_and_lengths_are_those_of_the_samples(tmp_path: Path) -> None:
    """The current as it was measured, seconds, and the run of the read."""
    record = aligned("AC", "2M", md="2")
    read, found, _ = placed(tmp_path, [record], events_of_bases("AC"))
    table = placed_rows(read, found)

    assert table["event_level_mean"].to_pylist() == pytest.approx([float(read.pa[0])] * 2, abs=1e-3)
    assert table["event_length"].to_pylist() == [DWELL / 4000] * 2
    assert table["end_idx"].to_pylist() == [10, 20]
    assert table["run_id"].to_pylist() == ["run"] * 2


def test_events_of_a_part_of_the_sequence_are_placed(tmp_path: Path) -> None:
    """Refined events lack a few bases at the ends."""
    _, found, _ = placed(tmp_path, [aligned("TTACGG", "6M")], events_of_bases("ACG"))

    assert found.position.tolist() == [4, 5, 6]


def test_only_the_primary_alignment_is_used(tmp_path: Path) -> None:
    """The other records are counted."""
    others = [aligned("ACGG", "4M", start=50, flag=flag) for flag in (SECONDARY, SUPPLEMENTARY | REVERSE)]
    _, found, notes = placed(tmp_path, [*others, aligned("ACGG", "4M")], events_of_bases("ACGG"))

    assert found.position.tolist() == [2, 3, 4, 5]
    assert notes["other_records"] == 2


@pytest.mark.parametrize(
    ("record", "called", "fields", "reason"),
    [
        (aligned("ACGG", "4M", name="r2"), "ACGG", DNA, "no_alignment"),
        (aligned("ACGG", "4M", flag=SUPPLEMENTARY), "ACGG", DNA, "unaligned"),
        (aligned("ACGG", "", flag=UNMAPPED), "ACGG", DNA, "unaligned"),
        (aligned("ACGG", "4M"), "ACT", DNA, "label_sequence"),
        (aligned("ACACGG", "6M"), "AC", DNA, "label_sequence"),
        (aligned("", "4M"), "ACGG", DNA, "label_sequence"),
        (aligned("ACGG", "4M"), "ACGG", {}, "orientation_unknown"),
    ],
)
def test_a_read_that_cannot_be_placed_is_dropped(
    record: pysam.AlignedSegment, called: str, fields: dict[str, str], reason: str, tmp_path: Path
) -> None:
    """No alignment, no primary one, another sequence, an ambiguous one, none, or no known direction."""
    with pytest.raises(LabelError) as dropped:
        placed(tmp_path, [record], events_of_bases(called), fields)

    assert dropped.value.reason == reason


@pytest.mark.parametrize(("fields", "first"), [(DNA, "ACGG"), (RNA, "GGCA")])
def test_the_parts_of_a_split_read_have_places_of_their_own(fields: dict[str, str], first: str, tmp_path: Path) -> None:
    """Each on the strand of its record; the one that is not aligned has none."""
    parts = [
        aligned("ACGG", "4M", name="p1", pi="r1", sp=0),
        aligned("TTAG", "", name="p2", pi="r1", sp=100, flag=UNMAPPED),
        aligned("GTCA", "4M", name="p3", pi="r1", sp=200, start=40, flag=REVERSE),
    ]
    pieces = [events_of_bases(bases[::-1] if fields is RNA else bases, at) for bases, at in
              (("ACGG", 0), ("TTAG", 100), ("GTCA", 200))]  # fmt: skip
    events = joined(pieces)
    read, found, notes = placed(tmp_path, parts[::-1], events, fields)
    rows = columns(read, found, "position", "strand", "start_idx")

    assert first == "".join("ACGT"[label] for label in events.label[:4])
    assert rows[:4] == [(2 + (3 - i if fields is RNA else i), "+", 10 * i) for i in range(4)]
    assert rows[4:] == [(43 - (3 - i if fields is RNA else i), "-", 200 + 10 * i) for i in range(4)]
    assert notes["clipped_bases"] == 4


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    """At once."""
    with pytest.raises(ConfigError, match=r"gone\.bam: no such file"):
        ReferenceFiles((tmp_path / "gone.bam",)).open()


def test_a_reference_of_other_contigs_is_a_format_error(tmp_path: Path) -> None:
    """The contig and the file are named."""
    (tmp_path / "ref.fa").write_text(">chr7\nACGT\n")
    with pytest.raises(FormatError, match=r"ref\.fa: no sequence chr1"):
        placed(tmp_path, [aligned("ACGG", "4M")], events_of_bases("ACGG"), reference=tmp_path / "ref.fa")
