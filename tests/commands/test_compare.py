"""Two conditions in reference places: what differs, what is written, and what is refused."""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from scipy.stats import ks_2samp

from poreconv.cli.main import main
from poreconv.commands.compare import Comparison, compare, render
from poreconv.commands.convert import convert
from poreconv.commands.refine import refine
from poreconv.config import CompareConfig, ConvertConfig, RefineConfig, from_flat
from poreconv.errors import ConfigError, ConfoundedWarning, FormatError
from poreconv.events.writers.reference import REFERENCE_EVENTS, ReferenceWriter
from tests.support.pages import content_of

N_READS, POSITIONS = 12, range(100, 120)
CHANGED = 105


def events_table(
    path: Path, *, seed: int = 0, shift: float = 0.0, change: float = 0.0, run: str = "run", n_reads: int = N_READS
) -> Path:
    """Write a table of reads over the same positions, each with an offset of its own."""
    rng = np.random.default_rng(seed)
    rows = []
    for number in range(n_reads):
        own = shift + rng.normal(0, 5)
        for position in POSITIONS:
            level = 80 + 10 * np.sin(position) + own + rng.normal(0, 0.5) + change * (position == CHANGED)
            rows.append(
                {
                    "contig": "chr1",
                    "position": position,
                    "reference_kmer": "ACGTA",
                    "read_id": f"r{number}",
                    "strand": "+",
                    "event_level_mean": float(level),
                    "event_stdv": 1.0,
                    "event_length": 0.01 + 0.01 * (change > 0),
                    "model_kmer": "ACGTA",
                    "start_idx": position,
                    "end_idx": position + 1,
                    "reference_base": "G",
                    "run_id": run,
                }
            )
    writer = ReferenceWriter(path)
    names = ["read_id" if name == "read_name" else name for name in REFERENCE_EVENTS.names]
    writer.write(pa.Table.from_pylist(rows).select(names))
    writer.close()
    return path


def compared(folder: Path, *, suffix: str = ".parquet", **kwargs: Any) -> Comparison:
    """Compare two conditions of one run, which differ at one position by 4 pA, and everywhere by 10 pA."""
    a = events_table(folder / f"a{suffix}")
    b = events_table(folder / f"b{suffix}", seed=1, shift=10, change=4)
    return compare(a, b, **kwargs)


@pytest.mark.parametrize("suffix", [".parquet", ".tsv"])
def test_the_position_that_differs_comes_first(suffix: str, tmp_path: Path) -> None:
    """A shift of all levels of a condition, as between two runs, does not count."""
    comparison = compared(tmp_path, suffix=suffix)
    first, *others = comparison.table.to_pylist()

    assert (first["position"], first["ks"], first["n_a"], first["n_b"]) == (CHANGED, 1, N_READS, N_READS)
    assert first["difference"] == pytest.approx(4, abs=1)
    assert (first["dwell_a"], first["dwell_b"]) == pytest.approx((0.01, 0.02))
    assert len(others) == len(POSITIONS) - 1
    assert max(row["ks"] for row in others) < 1
    assert comparison.confounded == ""


def test_measured_levels_differ_everywhere(tmp_path: Path) -> None:
    """Without centring, runs differ by their pores."""
    table = compared(tmp_path, config=CompareConfig(levels="measured")).table

    assert all(difference > 6 for difference in table["difference"].to_pylist())


def test_the_statistic_is_scipys_of_one_level_per_read(tmp_path: Path) -> None:
    """A read with two events at a position has their mean there, and the sum of their lengths."""
    a, b = events_table(tmp_path / "a.parquet"), events_table(tmp_path / "b.parquet", seed=1)
    table = pq.read_table(a)
    at = table.filter(pc.equal(table["position"], CHANGED))
    doubled = at.set_column(5, "event_level_mean", pc.add(at["event_level_mean"], 2.0))
    pq.write_table(pa.concat_tables([table, doubled]), a)
    found = compare(a, b, config=CompareConfig(levels="measured")).table.to_pylist()
    row = next(row for row in found if row["position"] == CHANGED)
    levels = [
        pc.add(at["event_level_mean"], 1.0).to_numpy(),
        pq.read_table(b, filters=[("position", "==", CHANGED)])["event_level_mean"].to_numpy(),
    ]
    expected = ks_2samp(*levels, method="asymp")

    assert row["ks"] == pytest.approx(expected.statistic, abs=1e-4)
    assert row["p_value"] == pytest.approx(expected.pvalue)
    assert (row["n_a"], row["dwell_a"]) == (N_READS, 0.02)


def test_conditions_of_one_run_each_are_confounded(tmp_path: Path) -> None:
    """The warning, every row, and the table for the terminal state it; with a run in common they do not."""
    a, b = events_table(tmp_path / "a.parquet", run="1"), events_table(tmp_path / "b.parquet", run="2")
    with pytest.warns(ConfoundedWarning, match=r"a\.parquet is 1 run, b\.parquet is 1 run, none in common"):
        comparison = compare(a, b)
    pq.write_table(pa.concat_tables([pq.read_table(a), pq.read_table(b)]), b)

    assert set(comparison.table["confounded"].to_pylist()) == {True}
    assert "condition and run are one" in str(render(comparison).caption)
    assert not any(compare(a, b).table["confounded"].to_pylist())


@pytest.mark.parametrize("suffix", [".tsv", ".parquet"])
def test_the_table_is_written(suffix: str, tmp_path: Path) -> None:
    """It is not written over without being asked."""
    out = tmp_path / f"out{suffix}"
    table = compared(tmp_path, out=out).table
    with pytest.raises(ConfigError, match="exists already"):
        compared(tmp_path, out=out)
    compared(tmp_path, out=out, overwrite=True)

    if suffix == ".parquet":
        assert pq.read_table(out).equals(table)
    else:
        assert out.read_text().splitlines()[1].split("\t")[:3] == ["chr1", str(CHANGED), "+"]


@pytest.mark.parametrize("suffix", [".png", ".svg", ".html"])
@pytest.mark.parametrize("region", ["", "chr1:105-115"])
def test_a_region_is_drawn(suffix: str, region: str, tmp_path: Path) -> None:
    """Around the strongest position, or where it is asked for; text in an SVG stays text."""
    picture = tmp_path / f"picture{suffix}"
    compared(tmp_path, picture=picture, config=CompareConfig(region=region))

    assert picture.stat().st_size > 5000
    if suffix != ".png":
        text = picture.read_text() if suffix == ".svg" else content_of(picture.read_text(), "figure-0")
        assert "position on chr1 (from 0)" in text


@pytest.mark.parametrize(
    ("kwargs", "message"),
    [
        ({"config": CompareConfig(min_reads=13)}, "no position with 13 reads of both"),
        ({"out": "x.bed"}, r"end the name in \.tsv or \.parquet"),
        ({"picture": "x.gif"}, r"x\.gif: no picture"),
        ({"picture": "x.png", "config": CompareConfig(region="chr1:5")}, "give it as contig:from-to"),
        ({"picture": "x.png", "config": CompareConfig(region="chr2:5-9")}, "region chr2:5-9: no position"),
    ],
)
def test_what_cannot_be_compared_is_refused(
    kwargs: dict[str, Any], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In one line."""
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError, match=message):
        compared(tmp_path, **kwargs)

    assert not list(tmp_path.glob("x*"))


def test_a_table_of_something_else_is_a_format_error(tmp_path: Path) -> None:
    """The message names what writes the right one."""
    other, good = tmp_path / "other.tsv", events_table(tmp_path / "a.parquet")
    other.write_text("read_id\tstart\tend\nr1\t0\t5\n")
    with pytest.raises(FormatError, match=r"other\.tsv: no column contig, .*--coordinates reference"):
        compare(good, other)
    other.with_suffix(".parquet").write_text("no table")
    with pytest.raises(FormatError, match=r"other\.parquet: not a Parquet table"):
        compare(good, other.with_suffix(".parquet"))


def test_the_command_prints_and_writes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The strongest positions, then the names of the files."""
    a = events_table(tmp_path / "a.parquet")
    b = events_table(tmp_path / "b.parquet", seed=1, change=4)
    out, picture = tmp_path / "out.tsv", tmp_path / "out.png"
    main(["compare", str(a), str(b), "--out", str(out), "--plot", str(picture), "--region", "chr1:100-120"])
    shown = capsys.readouterr().out

    assert "strongest 10 of 20 positions" in shown
    assert shown.splitlines()[-2:] == [str(out), str(picture)]
    assert out.is_file()
    assert picture.is_file()


@pytest.mark.real
def test_the_mutant_lacks_pseudouridine_55(real_data: Path, tmp_path: Path) -> None:
    """Wild type and TruB mutant differ most where TruB acts: position 78 of Ala and Gly, 79 of Arg, counted from 0."""
    folder = real_data / "rna004_trna_ecoli"
    model = real_data / "kmer_models/ont_rna004/rna004_9mer_levels_v1.txt"
    tables = []
    for sample in ("wt", "tb"):
        bam, signal = folder / f"ecoli_trna_{sample}_mappings.bam", folder / f"ecoli_trna_{sample}_reads.pod5"
        refined, out = tmp_path / f"{sample}.tsv", tmp_path / f"{sample}.parquet"
        one = from_flat(RefineConfig, {"workers": 1})
        refine(signal, labels="bam_moves", labels_from=[bam], pore_model=model, out=refined, config=one)
        placed = from_flat(ConvertConfig, {"coordinates": "reference", "workers": 1})
        asked = {"labels": "intervals", "labels_from": [refined], "alignments": [bam], "out": out, "config": placed}
        convert(signal, **asked)
        tables.append(out)
    with pytest.warns(ConfoundedWarning, match="condition and run are one"):
        rows = compare(*tables).table.to_pylist()
    strongest: dict[str, int] = {}
    for row in rows:
        strongest.setdefault(row["contig"].split("-")[2], row["position"])

    assert strongest.keys() == {"Ala", "Gly", "Arg"}
    assert abs(strongest["Ala"] - 78) <= 5
    assert abs(strongest["Gly"] - 78) <= 5
    assert abs(strongest["Arg"] - 79) <= 5
