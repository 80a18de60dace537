import io
import shlex
from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pyarrow as pa
import pyarrow.parquet
import pytest
from rich.console import Console

from poreconv.cli.main import main
from poreconv.commands.inspect import Inspection, inspect, render
from poreconv.config import FilesConfig
from poreconv.dataset.store import Store
from poreconv.errors import FormatError
from poreconv.labels.sources import LABEL_SOURCES
from poreconv.runtime.registry import lookup
from tests.support.labels import (
    EVENTALIGN_HEADER,
    POLYA_HEADER,
    bam_record,
    eventalign_row,
    paf_line,
    polya_row,
    write_bam,
)
from tests.support.signal_files import reads_made, write_multi, write_single
from tests.support.sites import aligned, bed


def drawn(inspection: Inspection) -> str:
    """The tables as plain text."""
    page = io.StringIO()
    Console(width=150, file=page).print(render(inspection))
    return page.getvalue()


def test_reads_are_counted_by_kind(tmp_path: Path) -> None:
    """Reads of two chemistries and sample rates make two rows, with their own counts."""
    dna = reads_made(3)
    rna = reads_made(2, seed=1, sample_rate_hz=3012.0, kit="sqk-rna002", experiment="rna", run_id="other")
    write_multi(tmp_path / "both.fast5", dna + rna)
    write_single(tmp_path / "one.fast5", reads_made(1, seed=2)[0])
    found = inspect([tmp_path])
    rows = {row.kind.chemistry: row for row in found.rows}
    lengths = sorted(len(read.adc) for read in rna)

    assert (found.files, found.ledger.kept) == (2, 6)
    assert (rows["dna_r9.4.1"].files, rows["dna_r9.4.1"].reads, rows["dna_r9.4.1"].kind.sample_rate_hz) == (2, 4, 4000)
    assert (rows["rna002"].files, rows["rna002"].runs, rows["rna002"].samples) == (1, 1, sum(lengths))
    assert (rows["rna002"].shortest, rows["rna002"].longest) == (lengths[0], lengths[-1])
    assert rows["rna002"].median == np.median(lengths)


def test_each_in_file_label_source_answers(tmp_path: Path) -> None:
    """Sources that read the signal files are asked about each read; reads without labels have none."""
    write_multi(tmp_path / "x.fast5", reads_made(3))
    found = inspect([tmp_path])

    assert [one.source for one in found.labels] == [
        name for name in LABEL_SOURCES if lookup(LABEL_SOURCES, name, kind="label source").in_file
    ]
    assert {(one.labelled, one.none, one.misfits.total()) for one in found.labels} == {(0, 3, 0)}


def test_drops_and_bad_files_are_in_the_ledger(tmp_path: Path) -> None:
    """Unusable reads and files passed over are counted, and listed under the tables."""
    write_multi(tmp_path / "x.fast5", reads_made(3))
    with h5py.File(tmp_path / "x.fast5", "r+") as file:
        del file[next(iter(file))]["Raw/Signal"]
    (tmp_path / "bad.fast5").write_text("no signal")
    with pytest.raises(FormatError):
        inspect([tmp_path])
    found = inspect([tmp_path], config=FilesConfig(skip_bad_files=True))

    assert found.ledger.summary() == "reads in 3 = kept 2 + dropped 1 (no_signal 1); files passed over 1"
    assert found.ledger.summary() in drawn(found)
    assert "poreconv explain no_signal: why, and what to do" in drawn(found)


def test_the_table_shows_the_numbers(tmp_path: Path) -> None:
    """A row has format, chemistry, sample rate and counts."""
    write_multi(tmp_path / "x.fast5", [replace(read, adc=np.arange(1234, dtype=np.int16)) for read in reads_made(2)])
    text = drawn(inspect([tmp_path]))
    [line] = [line for line in text.splitlines() if "fast5" in line and "dna_r9.4.1" in line]

    assert line.strip("│ ").replace(" ", "").split("│") == [
        *("fast5", "dna_r9.4.1", "4000", "1", "1", "2", "2,468", "1,234", "1,234", "1,234")
    ]


def labels_beside(folder: Path, ids: list[str]) -> None:
    """Write a file of each kind, as the programs that label reads write them, about some reads."""
    first, second = ids[:2]
    write_bam(folder / "calls.bam", *(bam_record(each, "AC", mv=[5, 1, 0, 1]) for each in ids))
    (folder / "a.paf").write_text("".join(paf_line(each, 100, 0, 10, "5,5,") for each in ids))
    (folder / "other.paf").write_text(paf_line(first, 100, 0, 10, "5,5,"))
    (folder / "events.tsv").write_text(EVENTALIGN_HEADER + eventalign_row(0, 5, "ACGTA", 0, 9))
    (folder / "summary.tsv").write_text(f"read_index\tread_name\n0\t{first}\n")
    (folder / "tails.tsv").write_text(POLYA_HEADER + polya_row(second, 0, 2, 40, 60))
    (folder / "regions.csv").write_text(f"Read ID;Start;End;Label\n{first};0;9;a\n{second};0;;b\n")
    (folder / "classes.csv").write_text(f"read_id,label\n{first},a\n{second},b\n")
    (folder / "beats.bed").write_text(f"{first}\t5\t9\tbeat\n")
    pa.parquet.write_table(pa.table({"read_id": [first], "value": [[1.0, 2.0]]}), folder / "values.parquet")
    (folder / "sequencing_summary.txt").write_text(f"read_id\tmean_qscore_template\n{first}\t9.5\n")
    (folder / "reference.fa").write_text(">chr1\nACGT\n")
    (folder / "notes.txt").write_text("nothing\n")
    (folder / "damaged.bam").write_bytes((folder / "calls.bam").read_bytes()[:90])


def test_labels_beside_the_reads_are_recognised_by_content(tmp_path: Path) -> None:
    """Each with its source and task; what is of other reads, or of use only to others, is listed and not offered."""
    reads = reads_made(3)
    write_multi(tmp_path / "x.fast5", reads)
    labels_beside(tmp_path, [read.read_id for read in reads])
    found = inspect(tmp_path)
    offered = [(each.source, each.task, tuple(path.name for path in each.files)) for each in found.offers]
    listed = {each.file.path.name: each for each in found.beside}

    assert offered == [
        ("bam_moves", "boundary", ("calls.bam",)),
        ("resquiggle_paf", "boundary", ("a.paf",)),
        ("resquiggle_paf", "boundary", ("other.paf",)),
        ("eventalign", "boundary", ("events.tsv", "summary.tsv")),
        ("polya", "segment", ("tails.tsv",)),
        ("intervals", "segment", ("beats.bed",)),
        ("intervals", "segment", ("regions.csv",)),
        ("values", "value", ("values.parquet",)),
        ("read_table", "read", ("classes.csv",)),
    ]
    assert listed["sequencing_summary.txt"].file.with_others == "--read_info"
    assert (listed["reference.fa"].matching, listed["calls.bam"].matching) == (0, 3)
    assert not {"notes.txt", "damaged.bam"} & listed.keys()
    assert "about other reads" in drawn(found)


def test_a_printed_command_prepares_a_store(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Copied as it is, also where a name has a space; one class alone is set against a background."""
    reads = reads_made(3)
    folder = tmp_path / "my reads"
    folder.mkdir()
    write_multi(folder / "x.fast5", reads)
    (folder / "beats.csv").write_text("read_id,start,end,label\n" + "".join(f"{r.read_id},5,9,beat\n" for r in reads))
    monkeypatch.chdir(tmp_path)
    main(["inspect", "my reads"])
    [command] = [line for line in capsys.readouterr().out.splitlines() if line.startswith("poreconv prepare")]
    main(shlex.split(command)[1:])

    assert Store(tmp_path / "intervals_store").info.classes == ("background", "beat")


def test_files_that_label_different_reads_are_given_together(tmp_path: Path) -> None:
    """As a BAM for each of two signal files."""
    reads = reads_made(2)
    write_multi(tmp_path / "x.fast5", reads)
    for read in reads:
        write_bam(tmp_path / f"{read.read_id}.bam", bam_record(read.read_id, "AC", mv=[5, 1, 0, 1]))
    [offer] = inspect([tmp_path / "x.fast5"]).offers

    assert len(offer.files) == 2


def test_sites_are_paired_with_alignments(tmp_path: Path) -> None:
    """Each BED before the BAM whose name begins as its own."""
    reads = reads_made(2)
    write_multi(tmp_path / "x.fast5", reads)
    for name, read in zip(("can", "mod"), reads, strict=True):
        bed(tmp_path / f"{name}_sites.bed", (7, "m", "+"))
        write_bam(tmp_path / f"{name}.bam", aligned(read.read_id, "6M", at=5, mv=[5, 1, 0, 1]))
    offers = {each.source: [path.name for path in each.files] for each in inspect(tmp_path).offers}

    assert offers["bed_modified"] == ["can_sites.bed", "can.bam", "mod_sites.bed", "mod.bam"]


def test_shipped_models_that_fit_are_named(tmp_path: Path) -> None:
    """By chemistry and sample rate; those of a lower rate with what they need."""
    write_multi(tmp_path / "x.fast5", reads_made(1))
    write_multi(tmp_path / "y.fast5", reads_made(1, seed=1, sample_rate_hz=5000.0))
    rows = {row.kind.sample_rate_hz: row for row in inspect(tmp_path).rows}

    assert "dna_r9.4.1_boundary" in rows[4000].models
    assert rows[4000].models_if_resampled == rows[5000].models == ()
    assert rows[5000].models_if_resampled == rows[4000].models


@pytest.mark.real
@pytest.mark.parametrize(
    ("folder", "sources"),
    [
        ("dna_r1041_4khz_remora", ["bam_moves", "resquiggle_paf", "bed_modified"]),
        ("rna002_same_reads_formats_eventalign", ["eventalign"]),
        ("rna004_polya_regions", ["resquiggle_paf", "polya", "polya"]),
        ("rna004_trna_ecoli", ["bam_moves", "resquiggle_paf", "resquiggle_paf"]),
        ("protein_nanopore_captures", ["captures"]),
        ("rna002_sequin_f5c_ss", ["sam_resquiggle"]),
    ],
)
def test_real_folders_offer_their_labels(real_data: Path, folder: str, sources: list[str]) -> None:
    """What lies beside real reads."""
    assert [offer.source for offer in inspect(real_data / folder).offers] == sources


@pytest.mark.real
def test_real_labels_are_found(real_data: Path) -> None:
    """Tombo's resquiggles are found in all 38 lambda reads."""
    found = inspect([real_data / "dna_r941_lambda_tombo"])

    assert {one.source: one.labelled for one in found.labels}["tombo"] == 38
