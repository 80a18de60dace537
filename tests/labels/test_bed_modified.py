"""Labels from sites of a reference, mapped to the signal through alignments and move tables."""

import gzip
from collections import Counter
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pysam
import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from poreconv.config import PrepareConfig, SourceConfig, SplitConfig, WorkConfig
from poreconv.dataset.prepare import prepare
from poreconv.errors import ConfigError, FormatError, LabelError
from poreconv.labels.opening import open_labels
from poreconv.reads.read import Read
from poreconv.reads.readers import open_reads
from poreconv.reads.scaling import read_scale
from tests.support.labels import bam_record, read_of, spans, write_bam
from tests.support.sites import RNA, aligned, bed, from_sites

REVERSE, SECONDARY, SUPPLEMENTARY = 16, 256, 2048


def labelled(
    folder: Path, record: pysam.AlignedSegment, *rows: tuple[int, str, str], read: Read | None = None
) -> list[tuple[int, int, int]]:
    """Label read r1 (DNA of 100 samples) from one record."""
    files = [bed(folder / "s.bed", *rows), write_bam(folder / "r.bam", record)]
    (events,), _ = from_sites(files, read or read_of("r1"))
    return spans(events)


def test_a_site_labels_the_samples_of_the_base_aligned_to_it(tmp_path: Path) -> None:
    """Base 2 of a read that begins at place 5 of the reference."""
    assert labelled(tmp_path, aligned("r1", "6M", at=5), (7, "m", "+")) == [(20, 25, 0)]


def test_only_the_sites_are_covered(tmp_path: Path) -> None:
    """Bases without a site stay uncovered."""
    files = [bed(tmp_path / "s.bed", (1, "C", "+"), (3, "m", "+")), write_bam(tmp_path / "r.bam", aligned("r1", "6M"))]
    (events,), _ = from_sites(files, read_of("r1"))

    assert events is not None
    assert events.classes == ("C", "m")
    assert events.coverage.tolist() == [[15, 20], [25, 30]]


def test_a_class_for_what_is_outside_covers_every_base(tmp_path: Path) -> None:
    """Its class comes first; samples without a base stay uncovered."""
    files = [bed(tmp_path / "s.bed", (1, "m", "+")), write_bam(tmp_path / "r.bam", aligned("r1", "3M"))]
    (events,), _ = from_sites(files, read_of("r1"), outside="other")

    assert events is not None
    assert events.classes == ("other", "m")
    assert spans(events) == [(10, 15, 0), (15, 20, 1), (20, 25, 0)]
    assert events.coverage.tolist() == [[10, 25]]


def test_sites_apply_to_their_strand(tmp_path: Path) -> None:
    """A site labels the reads aligned to its strand; a site with a dot labels reads of both."""
    rows = [(1, "p", "+"), (2, "m", "-"), (4, "b", ".")]

    assert labelled(tmp_path, aligned("r1", "6M"), *rows) == [(15, 20, 2), (30, 35, 0)]
    assert labelled(tmp_path, aligned("r1", "6M", flag=REVERSE), *rows) == [(15, 20, 0), (25, 30, 1)]


def test_rna_is_read_from_its_3_prime_end(tmp_path: Path) -> None:
    """The base at the start of the alignment is the last in the signal."""
    read = read_of("r1", **RNA)

    assert labelled(tmp_path, aligned("r1", "2S4M"), (0, "a", "+"), read=read) == [(25, 30, 0)]
    assert labelled(tmp_path, aligned("r1", "2S4M", flag=REVERSE), (0, "a", "-"), read=read) == [(20, 25, 0)]


def test_clipped_inserted_and_skipped_bases_keep_their_places(tmp_path: Path) -> None:
    """Moves count the bases of the whole call, aligned or not."""
    record = aligned("r1", "2S2M1I1M3N2M1S")

    assert labelled(tmp_path, record, (0, "m", "+"), (2, "m", "+"), (4, "m", "+"), (7, "m", "+")) == [
        (20, 25, 0),
        (35, 40, 0),
        (45, 50, 0),
    ]


def test_sites_that_the_read_lacks_are_counted(tmp_path: Path) -> None:
    """Sites that are deleted, or whose base shares a block with another; sites beyond the alignment don't count."""
    rows = [(0, "m", "+"), (1, "m", "+"), (3, "m", "+"), (50, "m", "+")]
    record = aligned("r1", "3M2D1M", mv=[5, 1, 2, 1])
    files = [bed(tmp_path / "s.bed", *rows), write_bam(tmp_path / "r.bam", record)]
    (events,), notes = from_sites(files, read_of("r1"))

    assert spans(events) == [(10, 15, 0)]
    assert notes == {"sites_deleted": 1, "sites_without_place": 1, "bases_without_place": 1}


@pytest.mark.parametrize("record", [aligned("r1", "6M"), bam_record("r1", "ACT", mv=[5, 1, 1, 1], ts=0)])
def test_a_read_without_a_site_has_no_label(tmp_path: Path, record: pysam.AlignedSegment) -> None:
    """Neither has a read that is not aligned."""
    files = [bed(tmp_path / "s.bed", (80, "m", "+")), write_bam(tmp_path / "r.bam", record)]

    assert from_sites(files, read_of("r1"))[0] == [None]


def test_a_hard_clipped_record_is_a_named_drop(tmp_path: Path) -> None:
    """Its moves count the bases of the whole call."""
    with pytest.raises(LabelError) as caught:
        labelled(tmp_path, aligned("r1", "2H4M", mv=[5, *[1] * 6]), (1, "m", "+"))

    assert caught.value.reason == "label_moves"


def test_the_primary_record_wins(tmp_path: Path) -> None:
    """The other records are only counted."""
    records = [aligned("r1", "8M", at=40, flag=SUPPLEMENTARY), aligned("r1", "6M"), aligned("r1", "6M", flag=SECONDARY)]
    files = [bed(tmp_path / "s.bed", (1, "m", "+"), (41, "C", "+")), write_bam(tmp_path / "r.bam", *records)]
    (events,), notes = from_sites(files, read_of("r1"))

    assert spans(events) == [(15, 20, 1)]
    assert notes == {"other_records": 2}


def test_parts_of_a_split_read_are_all_labelled(tmp_path: Path) -> None:
    """Each part has its own alignment and its own start in the signal."""
    parts = [aligned(name, "4M", at=at, ts=0, sp=sp, pi="r1") for name, at, sp in (("b", 30, 60), ("a", 0, 10))]
    files = [bed(tmp_path / "s.bed", (1, "C", "+"), (32, "m", "+")), write_bam(tmp_path / "r.bam", *parts)]
    (events,), _ = from_sites(files, read_of("r1"))

    assert spans(events) == [(15, 20, 0), (70, 75, 1)]


def test_each_bed_applies_to_the_alignments_after_it(tmp_path: Path) -> None:
    """Two groups of files are labelled together, with the classes of both."""
    can, mod = bed(tmp_path / "can.bed", (1, "C", "+")), bed(tmp_path / "mod.bed", (1, "m", "+"))
    bams = [write_bam(tmp_path / f"{name}.bam", aligned(name, "3M")) for name in ("a", "b")]
    (one, other), _ = from_sites([can, bams[0], mod, bams[1]], read_of("a"), read_of("b"))
    (alone,), _ = from_sites([mod, bams[1]], read_of("b"))

    assert one is not None
    assert one.classes == ("C", "m")
    assert (spans(one), spans(other), spans(alone)) == ([(15, 20, 0)], [(15, 20, 1)], [(15, 20, 0)])


def test_beds_in_a_row_apply_to_the_same_alignments(tmp_path: Path) -> None:
    """They must not contradict each other; the same row twice is one site."""
    one = bed(tmp_path / "a.bed", (1, "C", "+"), (2, "m", "+"))
    two = bed(tmp_path / "b.bed", (0, "m", "+"), (1, "C", "+"), (1, "m", "-"))
    (events,), _ = from_sites([one, two, write_bam(tmp_path / "r.bam", aligned("r1", "3M"))], read_of("r1"))

    assert spans(events) == [(10, 15, 1), (15, 20, 0), (20, 25, 1)]


def test_one_site_of_two_classes_is_a_format_error(tmp_path: Path) -> None:
    """In one file, or in two that apply to the same reads."""
    one, two = bed(tmp_path / "a.bed", (1, "C", "+")), bed(tmp_path / "b.bed", (1, "m", "."))
    bam = write_bam(tmp_path / "r.bam", aligned("r1", "3M"))

    with pytest.raises(FormatError, match=r"b\.bed: chr1: site 1 is 'C' and 'm' for the same reads"):
        from_sites([one, two, bam])


def test_a_read_in_two_groups_of_files_is_a_named_drop(tmp_path: Path) -> None:
    """It is not known which sites apply to it."""
    one, two = bed(tmp_path / "a.bed", (1, "C", "+")), bed(tmp_path / "b.bed", (1, "m", "+"))
    bam = write_bam(tmp_path / "r.bam", aligned("r1", "3M"))
    with pytest.raises(LabelError, match="in the BAMs of 2 sets of sites") as caught:
        from_sites([one, bam, two, bam], read_of("r1"))

    assert caught.value.reason == "label_ambiguous"


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["r.bam", "s.bed"], "no BED before it"),
        (["s.bed"], "a BED without a BAM after it"),
        (["s.bed", "r.bam", "t.bed"], "a BED without a BAM after it"),
        (["r.paf"], "a BED without a BAM after it"),
        (["s.bed", "r.bam", "r.fastq"], "unknown suffix; give sites"),
        (["s.bed", "r.bam", "x.paf", "x.tsv"], "give one of them"),
    ],
)
def test_files_out_of_order_or_of_another_kind_are_refused(tmp_path: Path, names: list[str], message: str) -> None:
    """The message names the file."""
    for name in names:
        (tmp_path / name).touch()

    with pytest.raises(ConfigError, match=message):
        from_sites([tmp_path / name for name in names])


@pytest.mark.parametrize(
    "row",
    ["chr1\t1\t2\tm\t0\n", "chr1\tx\t2\tm\t0\t+\n", "chr1\t1\t2\tm\t0\t*\n", "chr1\t2\t2\tm\t0\t+\n",
     "chr1\t1\t2\t.\t0\t+\n", "chr1\t0\t90000\tm\t0\t+\n", "chr1 1 2 m 0 +\n"],
)  # fmt: skip
def test_a_row_that_is_not_a_site_is_a_format_error(tmp_path: Path, row: str) -> None:
    """The message names the line."""
    path = tmp_path / "s.bed"
    path.write_text(f"track name=sites\nchr1\t5\t6\tm\t0\t+\n{row}")

    with pytest.raises(FormatError, match=r"s\.bed: line 3: .*; |s\.bed: line 3: no BED row"):
        from_sites([path, write_bam(tmp_path / "r.bam", aligned("r1", "3M"))])


def test_sites_with_names_of_their_own_are_a_format_error(tmp_path: Path) -> None:
    """A name is a class, and there are at most 127."""
    path = bed(tmp_path / "s.bed", *((at, f"site{at}", "+") for at in range(200)))

    with pytest.raises(FormatError, match=r"s\.bed: line 128: over 127 names"):
        from_sites([path, write_bam(tmp_path / "r.bam", aligned("r1", "3M"))])


def test_packed_beds_with_long_rows_are_read(tmp_path: Path) -> None:
    """Each base of an interval is a site; bedMethyl has more columns."""
    path = tmp_path / "s.bed.gz"
    path.write_bytes(gzip.compress(b"# sites\r\nchr1\t1\t3\tm\t0\t+\t1\t2\t255,0,0\t7 100.00\r\n"))
    (events,), _ = from_sites([path, write_bam(tmp_path / "r.sam", aligned("r1", "6M"))], read_of("r1"))

    assert spans(events) == [(15, 20, 0), (20, 25, 0)]


def test_a_margin_leaves_only_samples_that_are_surely_inside(tmp_path: Path) -> None:
    """One stride on each side of each move is uncovered, and so is a site that is all margin."""
    record = aligned("r1", "4M", mv=[5, 1, 0, 0, 1, 1, 0, 0, 1], ts=10)
    files = [bed(tmp_path / "s.bed", (0, "m", "+"), (1, "m", "+")), write_bam(tmp_path / "r.bam", record)]
    (events,), _ = from_sites(files, read_of("r1"), margin=True)

    assert spans(events) == [(10, 25, 0), (25, 30, 0)]
    assert events is not None
    assert events.coverage.tolist() == [[15, 20]]
    with pytest.raises(LabelError, match="leave out move_margin"):
        from_sites([bed(tmp_path / "t.bed", (1, "m", "+")), files[1]], read_of("r1"), margin=True)


def test_a_read_of_unknown_orientation_is_a_named_drop(tmp_path: Path) -> None:
    """DNA and RNA have their bases in opposite order."""
    with pytest.raises(LabelError) as caught:
        labelled(tmp_path, aligned("r1", "3M"), (1, "m", "+"), read=read_of("r1", experiment=""))

    assert caught.value.reason == "orientation_unknown"


operations = st.lists(st.tuples(st.sampled_from("MID=XN"), st.integers(1, 4)), min_size=1, max_size=8)


def label_by_walk(record: pysam.AlignedSegment, sites: dict[int, str], *, rna: bool) -> list[tuple[int, int, str]]:
    """Label base by base, as one would by hand."""
    moves, found = record.get_tag("mv")[1:], []
    edges = [10 + 5 * block for block, move in enumerate(moves) if move] + [10 + 5 * len(moves)]
    for base, place in record.get_aligned_pairs(matches_only=True):
        number = record.query_length - 1 - base if record.is_reverse else base
        in_signal = record.query_length - 1 - number if rna else number
        if place in sites:
            found.append((edges[in_signal], edges[in_signal + 1], sites[place]))
    return sorted(found)


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    body=operations,
    clips=st.tuples(st.integers(0, 3), st.integers(0, 3)),
    places=st.dictionaries(st.integers(0, 40), st.sampled_from("Chm"), min_size=1, max_size=30),
    reverse=st.booleans(),
    rna=st.booleans(),
    seed=st.integers(0, 99),
)
def test_sites_are_where_a_walk_base_by_base_finds_them(
    tmp_path: Path, body: Any, clips: tuple[int, int], places: dict[int, str], reverse: bool, rna: bool, seed: int
) -> None:
    """Holds for any alignment, strand, molecule and move table."""
    whole = [("S", clips[0]), *body, ("S", clips[1])]
    cigar = "".join(f"{length}{letter}" for letter, length in [*whole, ("M", 1)][:-1] if length)
    n_bases = sum(length for letter, length in whole if letter in "MIS=X")
    if not any(letter in "M=X" for letter, _ in body):
        return
    moves = np.concatenate([[1, *[0] * extra] for extra in np.random.default_rng(seed).integers(0, 3, n_bases)])
    record = aligned("r1", cigar, at=3, flag=REVERSE * reverse, mv=[5, *moves.tolist()])
    strand = "-" if reverse else "+"
    rows = [*((at, name, strand) for at, name in places.items()), (999, "C", "+"), (999, "h", "-"), (998, "m", "+")]
    files = [bed(tmp_path / "s.bed", *rows), write_bam(tmp_path / "r.bam", record)]
    (events,), notes = from_sites(files, read_of("r1", 2000, **(RNA if rna else {})))
    deleted = [at for base, at in record.get_aligned_pairs() if base is None and at in places]

    found = [] if events is None else [(start, end, "Chm"[label]) for start, end, label in spans(events)]
    assert found == label_by_walk(record, places, rna=rna)
    assert notes["sites_deleted"] == len([at for at in deleted if at in _deleted(record)])


def _deleted(record: pysam.AlignedSegment) -> set[int]:
    """Return the places of the reference under a D."""
    place, found = record.reference_start, set()
    for operation, length in record.cigartuples or []:
        if operation == pysam.CDEL:
            found |= set(range(place, place + length))
        if operation in (pysam.CMATCH, pysam.CDEL, pysam.CREF_SKIP, pysam.CEQUAL, pysam.CDIFF):
            place += length
    return found


REMORA = "dna_r1041_4khz_remora"
SAMPLES = ("can_gt.bed", "can_mappings.bam", "mod_gt.bed", "mod_mappings.bam")


@pytest.mark.real
@pytest.mark.parametrize(
    ("exact", "n_reads", "n_sites", "notes", "levels"),
    [
        ((), (14, 14), (836, 1021), {"sites_deleted": 28}, (0.13, -0.02)),
        (("resquiggle.paf",), (14, 13), (824, 871), {"sites_deleted": 21, "sites_without_place": 112}, (0.29, -0.12)),
    ],
)
def test_real_sites_of_two_samples(
    real_data: Path,
    exact: tuple[str, ...],
    n_reads: tuple[int, int],
    n_sites: tuple[int, int],
    notes: dict[str, int],
    levels: tuple[float, float],
) -> None:
    """14 reads with C and 14 with 5mC; where bases have their exact place, their currents differ."""
    files = [real_data / REMORA / name for name in (*SAMPLES, *exact)]
    reads, sites, means = Counter[int](), Counter[int](), {0: [], 1: []}
    with (
        closing(open_labels("bed_modified", files, SourceConfig())) as source,
        open_reads(real_data / REMORA) as stream,
    ):
        for read in stream:
            events = source.events(read)
            if events is None:
                continue
            (shift, scale), label = read_scale(read), int(events.label[0])
            pa = read.pa
            means[label] += [(pa[start:end].mean() - shift) / scale for start, end, _ in spans(events)]
            reads[label] += 1
            sites.update(events.label.tolist())
        noted = dict(source.notes)

    assert source.classes == ("C", "m")
    assert (reads[0], reads[1], sites[0], sites[1]) == (*n_reads, *n_sites)
    assert noted == notes
    assert [np.mean(means[label]) for label in (0, 1)] == pytest.approx(levels, abs=0.01)


@pytest.mark.real
def test_real_kmers_stand_for_the_base_that_differs(real_data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """C and 5mC differ most in the events of k-mers with the modified base at place 6."""
    apart = {}
    for place in (5, 6, 7):
        monkeypatch.setattr(
            "poreconv.labels.sources.resquiggle_paf.kmer_base", lambda k, chemistry, *, rna, at=place: at
        )
        files = [real_data / REMORA / name for name in (*SAMPLES, "resquiggle.paf")]
        means: dict[int, list[float]] = {0: [], 1: []}
        with (
            closing(open_labels("bed_modified", files, SourceConfig())) as source,
            open_reads(real_data / REMORA) as stream,
        ):
            for read in stream:
                events = source.events(read)
                if events is not None:
                    (shift, scale), pa = read_scale(read), read.pa
                    means[int(events.label[0])] += [(pa[a:b].mean() - shift) / scale for a, b, _ in spans(events)]
        spread = np.sqrt((np.var(means[0]) + np.var(means[1])) / 2)
        apart[place] = (np.mean(means[0]) - np.mean(means[1])) / spread

    assert max(apart, key=apart.__getitem__) == 6
    assert list(apart.values()) == pytest.approx([0.72, 0.90, 0.09], abs=0.02)


@pytest.mark.real
@pytest.mark.parametrize(("outside", "classes"), [("unknown", ("C", "m")), ("other", ("other", "C", "m"))])
def test_a_store_of_real_sites(real_data: Path, tmp_path: Path, outside: str, classes: tuple[str, ...]) -> None:
    """Task segment: a class for each sample of a site and, if asked for, for the samples of the other bases."""
    config = PrepareConfig(
        task="segment",
        split=SplitConfig(validation=0, test=0),
        sources=SourceConfig(outside=outside),
        work=WorkConfig(workers=1),
    )
    files = [real_data / REMORA / name for name in SAMPLES]
    store = prepare([real_data / REMORA], labels="bed_modified", labels_from=files, out=tmp_path / "s", config=config)
    counts = store.info.counts["train"]

    assert store.info.classes == classes
    assert (counts["reads"], counts["events"]) == (28, 1857 if outside == "unknown" else 209_370)
    assert all(counts[name] > 5000 for name in classes)
