"""Mean quality and reference of reads, and their uses."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pysam
import pytest

from poreconv.config import FilterConfig, PrepareConfig, SplitConfig, from_flat
from poreconv.dataset.prepare import prepare
from poreconv.dataset.read_info import ReadInfo, read_info
from poreconv.dataset.splits import split_of
from poreconv.dataset.store import Store
from poreconv.errors import ConfigError, FormatError, ReadDropped
from poreconv.models.recipe import Recipe
from tests.support.signal_files import reads_made, write_multi
from tests.support.stores import steps

REFERENCES = ("chr1", "chr2")


def write_alignments(path: Path, rows: list[tuple[str, int, int, list[int], float | None]]) -> Path:
    """Write rows of read id, flag, reference number, base qualities, tag ``qs``."""
    header = {"HD": {"VN": "1.6"}, "SQ": [{"SN": name, "LN": 1000} for name in REFERENCES]}
    with pysam.AlignmentFile(str(path), "wb", header=header) as file:
        for read_id, flag, reference, qualities, qs in rows:
            record = pysam.AlignedSegment(file.header)
            record.query_name, record.flag = read_id, flag
            record.query_sequence = "A" * len(qualities)
            record.query_qualities = pysam.qualitystring_to_array("".join(chr(q + 33) for q in qualities))
            if not flag & 4:
                record.reference_id, record.reference_start = reference, 10
                record.cigarstring = f"{len(qualities)}M"
            if qs is not None:
                record.set_tag("qs", qs, "f")
            file.write(record)
    return path


def test_a_bam_has_quality_and_reference(tmp_path: Path) -> None:
    """Tag ``qs`` counts before base qualities, the primary alignment before others; an unaligned read has none."""
    rows = [
        ("a", 0, 1, [10, 20], None),
        ("a", 256, 0, [10, 20], None),
        ("b", 0, 0, [10, 20], 17.5),
        ("c", 4, 0, [30, 30], None),
    ]
    found = read_info((write_alignments(tmp_path / "r.bam", rows),))

    assert found["a"] == (pytest.approx(12.596, abs=1e-3), "chr2")
    assert found["b"] == (17.5, "chr1")
    assert found["c"] == (pytest.approx(30), "")


@pytest.mark.parametrize(
    "text",
    [
        "filename\tread_id\tmean_qscore_template\talignment_genome\nx.fast5\ta\t9.5\tchr1\nx.fast5\tb\t8\t*\n",
        "read_id,mean_quality,reference\na,9.5,chr1\nb,8,\n",
    ],
)
def test_a_table_has_them_too(tmp_path: Path, text: str) -> None:
    """A sequencing summary, or a table of one's own."""
    (tmp_path / "summary.txt").write_text(text)

    assert read_info((tmp_path / "summary.txt",)) == {"a": ReadInfo(9.5, "chr1"), "b": ReadInfo(8.0, "")}


def test_two_files_are_joined(tmp_path: Path) -> None:
    """A value that one file lacks is taken from the other."""
    (tmp_path / "quality.csv").write_text("read_id,mean_quality\na,9.5\n")
    (tmp_path / "reference.csv").write_text("read_id,reference\na,chr1\nb,chr2\n")
    found = read_info((tmp_path / "quality.csv", tmp_path / "reference.csv"))

    assert found == {"a": ReadInfo(9.5, "chr1"), "b": ReadInfo(None, "chr2")}


@pytest.mark.parametrize(
    ("name", "text"), [("t.txt", "read_id\tlength\na\t3\n"), ("t.txt", "\x00\x01"), ("t.bam", "no BAM")]
)
def test_files_without_quality_and_reference_are_refused(tmp_path: Path, name: str, text: str) -> None:
    """The message names the file."""
    (tmp_path / name).write_text(text)

    with pytest.raises(FormatError, match=rf"{name}: "):
        read_info((tmp_path / name,))


def prepared_with(folder: Path, rows: str, n_reads: int = 4, **settings: object) -> Store:
    """Prepare reads 0 to n-1 of one sequencing run, with a table of their quality and reference."""
    reads = [replace(read, run_id="run1") for read in reads_made(n_reads)]
    write_multi(folder / "reads.fast5", reads)
    (folder / "labels.tsv").write_text(steps(reads))
    lines = [
        row.replace(str(i), read.read_id, 1) for i, (row, read) in enumerate(zip(rows.split(), reads, strict=True))
    ]
    (folder / "info.csv").write_text("\n".join(["read_id,mean_quality,reference", *lines]))
    return prepare(
        [folder / "reads.fast5"],
        labels="intervals",
        labels_from=[folder / "labels.tsv"],
        read_info=[folder / "info.csv"],
        out=folder / "store",
        config=from_flat(PrepareConfig, {"workers": 1} | settings),
    )


def test_reads_of_low_quality_are_dropped(tmp_path: Path) -> None:
    """So are those of unknown quality."""
    store = prepared_with(tmp_path, "0,12,x 1,7,x 2,,x 3,9,x", filter=FilterConfig(min_quality=9))

    assert store.info.ledger.counts == {"low_quality": 1, "no_quality": 1}


def test_reads_of_one_reference_are_in_one_split(tmp_path: Path) -> None:
    """Whatever their ids; a read without a reference is dropped."""
    split = SplitConfig(by="reference", test=0.4, validation=0.2)
    store = prepared_with(tmp_path, "0,,x 1,,y 2,,x 3,,", split=split)
    sides = dict(zip(store.text("reference"), store.text("split"), strict=True))

    assert store.info.ledger.counts == {"no_reference": 1}
    assert sorted(store.text("reference")) == ["x", "x", "y"]
    assert len({(r, s) for r, s in zip(store.text("reference"), store.text("split"), strict=True)}) == 2
    rule = {name: split_of(split, read_id="", run_id="", channel=0, reference=name) for name in "xy"}
    assert sides == rule | store.info.moved


@pytest.mark.parametrize(
    "settings", [{"filter": FilterConfig(min_quality=9)}, {"split": SplitConfig(by="reference")}], ids=str
)
def test_settings_that_need_read_info_are_refused_without_it(tmp_path: Path, settings: dict[str, object]) -> None:
    """Before any read is labelled."""
    write_multi(tmp_path / "reads.fast5", reads_made(1))
    (tmp_path / "labels.tsv").write_text(steps(reads_made(1)))
    with pytest.raises(ConfigError, match="give --read_info"):
        prepare(
            [tmp_path],
            labels="intervals",
            labels_from=[tmp_path / "labels.tsv"],
            out=tmp_path / "store",
            config=from_flat(PrepareConfig, {"workers": 1} | settings),
        )


def test_the_leak_guard_knows_references_of_every_run() -> None:
    """A sequence that was trained on is refused, whichever run it comes from, and so is an unknown one."""
    split = SplitConfig(by="reference", test=0.5, validation=0.0)
    recipe = Recipe("boundary", ("inside", "boundary"), "tcn", {}, 4000.0, (), (1, 1), 9.0, split=split, runs=("r1",))
    [read] = reads_made(1)
    names = [f"chr{i}" for i in range(8)]
    sides = {name: split_of(split, read_id="", run_id="", channel=0, reference=name) for name in names}
    trained, tested = (next(name for name in names if sides[name] == side) for side in ("train", "test"))

    recipe.check_unseen(replace(read, run_id="another"), tested)
    for reference, reason in ((trained, "in_train"), ("", "no_reference")):
        with pytest.raises(ReadDropped) as dropped:
            recipe.check_unseen(replace(read, run_id="another"), reference)
        assert dropped.value.reason == reason


@pytest.mark.real
def test_real_bams_have_references(real_data: Path) -> None:
    """The remora reads are human, those of the tRNA set are aligned to three tRNAs."""
    human = read_info((real_data / "dna_r1041_4khz_remora" / "can_mappings.bam",))
    trna = read_info((real_data / "rna004_trna_ecoli" / "ecoli_trna_wt_mappings.bam",))

    assert len(human) == 14
    assert all(info.reference.startswith("chr") for info in human.values())
    assert len({info.reference for info in trna.values()}) == 3
    assert np.median([info.quality for info in human.values() if info.quality is not None]) > 8


def test_a_split_read_is_known_by_its_parts(tmp_path: Path) -> None:
    """The lowest quality, and the reference if it is one; what is known of the read itself wins."""
    names = [(record, parent, quality, reference) for record, parent, quality, reference in (
        ("p1", "p", 12.0, "chr1"), ("p2", "p", 9.0, "chr1"), ("q1", "q", 7.0, "chr1"), ("q2", "q", 8.0, "chr2"),
        ("s", "", 20.0, "chr2"), ("s1", "s", 5.0, "chr1"),
    )]  # fmt: skip
    header = {"HD": {"VN": "1.6"}, "SQ": [{"SN": name, "LN": 1000} for name in REFERENCES]}
    with pysam.AlignmentFile(str(tmp_path / "x.bam"), "wb", header=header) as file:
        for name, parent, quality, reference in names:
            record = pysam.AlignedSegment(file.header)
            record.query_name, record.query_sequence, record.cigarstring = name, "AC", "2M"
            record.reference_id, record.reference_start = REFERENCES.index(reference), 10
            record.set_tag("qs", quality, "f")
            if parent:
                record.set_tag("pi", parent)
            file.write(record)
    rows = [f"{name},{parent or name},{quality},{reference}" for name, parent, quality, reference in names]
    (tmp_path / "x.csv").write_text("\n".join(["read_id,parent_read_id,mean_quality,reference", *rows]) + "\n")

    for path in (tmp_path / "x.bam", tmp_path / "x.csv"):
        found = read_info([path])

        assert (found["p"], found["q"], found["s"]) == ((9.0, "chr1"), (7.0, ""), (20.0, "chr2"))


@pytest.mark.real
def test_a_quality_filter_keeps_split_reads(real_data: Path, tmp_path: Path) -> None:
    """All 20 reads of the file have labels, by their parts, and a quality of 8 or more."""
    calls = real_data / "field_reports" / "labels" / "rna_split.bam"
    store = prepare(
        [real_data / "rna004_trna_ecoli" / "ecoli_trna_wt_reads.pod5"],
        labels="bam_moves",
        labels_from=[calls],
        read_info=[calls],
        out=tmp_path / "store",
        config=PrepareConfig(filter=FilterConfig(min_quality=8.0)),
    )

    assert store.info.ledger.kept == 20
    assert dict(store.info.ledger.counts) == {"no_label": 160}


@pytest.mark.real
def test_quality_is_read_from_cram(real_data: Path) -> None:
    """Tags need no reference."""
    [info] = read_info([real_data / "field_reports" / "labels" / "one_read.cram"]).values()

    assert info.quality is not None
    assert 5 < info.quality < 40
