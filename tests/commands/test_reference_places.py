"""`convert` in reference coordinates, on files: tables, formats, processes, and what is refused."""

from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pysam
import pytest

from poreconv.commands.convert import convert
from poreconv.commands.refine import refine
from poreconv.config import ConvertConfig, RefineConfig, SourceConfig, WorkConfig, from_flat
from poreconv.errors import ConfigError
from poreconv.events.writers.reference import REFERENCE_EVENTS
from poreconv.labels.opening import open_labels
from poreconv.reads.read import Read
from poreconv.runtime.ledger import Ledger
from tests.support.labels import bam_record, write_bam
from tests.support.signal_files import reads_made, write_multi

CALLED = "GATTACAGGC"
STRIDE = 5
REVERSE = 16


def run_folder(folder: Path, n: int = 3) -> list[Read]:
    """Reads with move tables in an aligned BAM: the first forward, the others reverse, with one base clipped."""
    reads = reads_made(n, kit="sqk-lsk114")
    write_multi(folder / "reads.fast5", reads)
    records = []
    for number, read in enumerate(reads):
        moves = [STRIDE, *[1, 0] * len(CALLED)]
        record = bam_record(read.read_id, CALLED, flag=REVERSE * bool(number), mv=moves, ts=2, MD=str(len(CALLED) - 1))
        if number:
            record.query_sequence = CALLED[::-1].translate(str.maketrans("ACGT", "TGCA"))
        record.reference_start, record.cigarstring = 20 - number, f"1S{len(CALLED) - 1}M"
        records.append(record)
    write_bam(folder / "calls.bam", *records)
    return reads


def placed(folder: Path, out: str, **settings: Any) -> tuple[Path, Ledger]:
    """Convert the moves of `run_folder`."""
    path, bam = folder / out, folder / "calls.bam"
    config = from_flat(ConvertConfig, {"coordinates": "reference", "workers": 1} | settings)
    asked = {"labels": "bam_moves", "labels_from": [bam], "alignments": [bam], "out": path, "config": config}
    return path, convert(folder / "reads.fast5", **asked)


def as_table(path: Path) -> pa.Table:
    """Read a table as other programs do."""
    if path.suffix == ".parquet":
        return pq.read_table(path)
    types = {field.name: field.type for field in REFERENCE_EVENTS}
    return pyarrow.csv.read_csv(
        path,
        parse_options=pyarrow.csv.ParseOptions(delimiter="\t"),
        convert_options=pyarrow.csv.ConvertOptions(column_types=types),
    )


@pytest.mark.parametrize("suffix", [".tsv", ".parquet"])
def test_each_aligned_base_is_a_row(suffix: str, tmp_path: Path) -> None:
    """In the columns of eventalign, both strands; the clipped base is counted."""
    reads = run_folder(tmp_path)
    path, ledger = placed(tmp_path, f"out{suffix}")
    table = as_table(path)
    first, second = (table.filter(pa.compute.equal(table["read_name"], read.read_id)) for read in reads[:2])

    assert table.schema.equals(REFERENCE_EVENTS)
    assert (ledger.kept, dict(ledger.notes)) == (3, {"clipped_bases": 3})
    assert first["position"].to_pylist() == list(range(20, 29))
    assert first["start_idx"].to_pylist() == [2 + 2 * STRIDE * base for base in range(1, 10)]
    assert second["position"].to_pylist() == list(range(27, 18, -1))
    assert "".join(second["reference_base"].to_pylist()) == CALLED[:-1]
    assert set(second["strand"].to_pylist()) == {"-"}


def test_eventalign_reads_the_table(tmp_path: Path) -> None:
    """The label source gives the same events, with the base of the reference."""
    reads = run_folder(tmp_path)
    path, _ = placed(tmp_path, "out.tsv")
    with closing(open_labels("eventalign", [path], SourceConfig())) as source:
        found = source.events(reads[0])

    assert found is not None
    assert found.start.tolist() == [2 + 2 * STRIDE * base for base in range(1, 10)]
    assert "".join("ACGT"[label] for label in found.label[2:-2]) == CALLED[3:-2]  # around the others MD states nothing


def test_rows_are_sorted_by_position_on_demand(tmp_path: Path) -> None:
    """Contig, position, strand, read."""
    run_folder(tmp_path)
    table = as_table(placed(tmp_path, "sorted.parquet", sort="position")[0])
    plain = as_table(placed(tmp_path, "plain.parquet")[0])
    keys = ("position", "strand", "read_name")
    rows = list(zip(*(table[name].to_pylist() for name in keys), strict=True))

    assert rows == sorted(rows)
    assert sorted(rows) == sorted(zip(*(plain[name].to_pylist() for name in keys), strict=True))


def test_two_processes_write_the_same(tmp_path: Path) -> None:
    """The files are opened in each."""
    run_folder(tmp_path)
    one, two = (placed(tmp_path, f"{n}.tsv", workers=n)[0] for n in (1, 2))

    assert one.read_bytes() == two.read_bytes()


@pytest.mark.parametrize(
    ("out", "settings", "given", "message"),
    [
        ("out.bed", {}, {}, r"written as \.tsv or \.parquet"),
        ("out.fast5", {}, {}, r"written as \.tsv or \.parquet"),
        ("out.tsv", {}, {"alignments": []}, "give --alignments"),
        ("out.tsv", {"coordinates": "signal"}, {}, "give --coordinates reference"),
        ("out.tsv", {}, {"labels": "polya"}, "labels polya: without bases"),
    ],
)
def test_what_cannot_be_placed_is_refused(
    out: str, settings: dict[str, Any], given: dict[str, Any], message: str, tmp_path: Path
) -> None:
    """Before any read is read."""
    run_folder(tmp_path)
    bam, table = tmp_path / "calls.bam", tmp_path / "polya.tsv"
    table.write_text("read_id\ttail_start\ttail_end\nr1\t1\t2\n")
    files = {"labels_from": [table if "labels" in given else bam]}
    config = from_flat(ConvertConfig, {"coordinates": "reference", "workers": 1} | settings)
    asked = {"labels": "bam_moves", "alignments": [bam], "out": tmp_path / out, "config": config} | files | given
    with pytest.raises(ConfigError, match=message):
        convert(tmp_path / "reads.fast5", **asked)

    assert not (tmp_path / out).exists()


@pytest.mark.parametrize("settings", [{"k": 4}, {"k": -1}, {"sort": "name"}, {"coordinates": "genome"}])
def test_settings_are_checked(settings: dict[str, Any]) -> None:
    """A k-mer has a middle, and orders have names."""
    with pytest.raises(ConfigError, match=next(iter(settings))):
        from_flat(ConvertConfig, {"coordinates": "reference"} | settings)


SETS = [
    ("dna_r1041_4khz_remora", ("can_reads.pod5", "mod_reads.pod5"), ("can_mappings.bam", "mod_mappings.bam"), 28),
    ("rna004_trna_ecoli", ("ecoli_trna_wt_reads.pod5",), ("ecoli_trna_wt_mappings.bam",), 180),
]


@pytest.mark.real
@pytest.mark.parametrize(("folder", "signal", "bams", "n_reads"), SETS)
def test_positions_are_pysams_own_pairs(
    folder: str, signal: tuple[str, ...], bams: tuple[str, ...], n_reads: int, real_data: Path, tmp_path: Path
) -> None:
    """For every read: one row per aligned pair, with the base that MD states there."""
    files = [real_data / folder / name for name in bams]
    config = ConvertConfig(coordinates="reference", work=WorkConfig(workers=1))
    out = tmp_path / "out.parquet"
    asked = {"labels": "bam_moves", "labels_from": files, "alignments": files, "out": out, "config": config}
    ledger = convert([real_data / folder / name for name in signal], **asked)
    expected = {}
    for path in files:
        with pysam.AlignmentFile(str(path)) as bam:
            for record in bam:
                pairs = record.get_aligned_pairs(matches_only=True, with_seq=True)
                expected[record.query_name] = [(place, letter.upper()) for _, place, letter in pairs]
    table = pq.read_table(out, columns=["read_name", "position", "reference_kmer", "start_idx"])
    found: dict[str, list[tuple[int, str]]] = {}
    starts: dict[str, list[int]] = {}
    for read, position, kmer, start in zip(*(column.to_pylist() for column in table.columns), strict=True):
        found.setdefault(read, []).append((position, kmer[2]))
        starts.setdefault(read, []).append(start)

    assert ledger.kept == n_reads
    assert {read: sorted(pairs) for read, pairs in found.items()} == expected
    assert all((np.diff(each) > 0).all() for each in starts.values())


@pytest.mark.real
def test_refined_events_have_places(real_data: Path, tmp_path: Path) -> None:
    """A read that is refined has the places of its called bases, but for those at the ends."""
    folder, bam = real_data / "rna004_trna_ecoli", "ecoli_trna_wt_mappings.bam"
    model = real_data / "kmer_models/ont_rna004/rna004_9mer_levels_v1.txt"
    signal, refined = folder / "ecoli_trna_wt_reads.pod5", tmp_path / "refined.parquet"
    few = from_flat(RefineConfig, {"limit": 6, "workers": 1})
    kept = refine(signal, labels="bam_moves", labels_from=[folder / bam], pore_model=model, out=refined, config=few)
    config = from_flat(ConvertConfig, {"coordinates": "reference", "limit": 6, "workers": 1})
    ledger = convert(
        signal,
        labels="intervals",
        labels_from=[refined],
        alignments=[folder / bam],
        reference=folder / "ecoli_trna.fa",
        out=tmp_path / "out.parquet",
        config=config,
    )
    table = pq.read_table(tmp_path / "out.parquet")
    with pysam.FastaFile(str(folder / "ecoli_trna.fa")) as fasta:
        places = zip(table["contig"].to_pylist(), table["position"].to_pylist(), strict=True)
        letters = [fasta.fetch(contig, at - 2, at + 3) for contig, at in places]

    assert ledger.kept == kept.kept > 0
    assert table["reference_kmer"].to_pylist() == letters
    assert (
        len(table) + ledger.notes["clipped_bases"] + ledger.notes["inserted_bases"]
        == pq.read_metadata(refined).num_rows
    )
