import json
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from poreconv.commands.health import UNTIMED, health, render
from poreconv.config import HealthConfig, SourceConfig, WorkConfig
from poreconv.errors import ConfigError, FormatError
from poreconv.evaluation.health.table import READS, read_table
from poreconv.labels.opening import events_of, open_labels
from poreconv.reads.readers import open_reads
from tests.support.signal_files import reads_made, write_multi

ONE = HealthConfig(work=WorkConfig(workers=1))


@pytest.fixture(scope="module")
def signal(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file of six reads of R9.4.1."""
    path = tmp_path_factory.mktemp("signal") / "reads.fast5"
    write_multi(path, [replace(read, start_sample=4000 * 60 * i) for i, read in enumerate(reads_made(6))])
    return path


def test_the_table_has_a_row_per_read(signal: Path, tmp_path: Path) -> None:
    """With what the file contains, and what was measured; page and ledger stand beside it."""
    run = health(signal, out=tmp_path / "run.parquet", config=ONE)
    rows = pq.read_table(tmp_path / "run.parquet")
    with open_reads(signal) as reads:
        stored = list(reads)

    assert rows.schema.equals(READS)
    assert rows["read_id"].to_pylist() == [read.read_id for read in stored]
    assert rows["start_s"].to_pylist() == [60.0 * i for i in range(6)]
    assert rows["open_pore_pa"].to_pylist() == [210.5] * 6
    assert rows["duration_s"].to_pylist() == pytest.approx([len(read.adc) / 4000 for read in stored], abs=1e-3)
    speeds = np.array(rows["bases"]) / np.array(rows["duration_s"])
    assert np.allclose(np.array(rows["bases_per_s"]), speeds, rtol=0.01)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["run.html", "run.parquet", "run.parquet.ledger.json"]
    assert json.loads((tmp_path / "run.parquet.ledger.json").read_text())["kept"] == run.ledger.kept == 6
    assert f"{run.spreads['bases_per_s'].middle:,.1f} bases/s" in (tmp_path / "run.html").read_text()


def test_the_summary_needs_no_table(signal: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both formats, and none, give the same."""
    monkeypatch.chdir(tmp_path)
    alone = health(signal, config=ONE)
    assert list(tmp_path.iterdir()) == []
    for suffix in (".tsv", ".parquet"):
        run = health(signal, out=Path(f"run{suffix}"), config=ONE, overwrite=True)
        assert repr(run.spreads) == repr(alone.spreads)  # of NaN too
        assert (run.runs, run.flow_cells, run.models) == (alone.runs, alone.flow_cells, alone.models)


def test_both_formats_contain_the_same(tmp_path: Path) -> None:
    """What is not known is empty in TSV; a text that is empty stays one."""
    [read] = reads_made(1, median_before=None, pore="", kit="", experiment="")
    write_multi(tmp_path / "reads.fast5", [replace(read, median_before=np.nan)])
    for suffix in (".tsv", ".parquet"):
        health(tmp_path / "reads.fast5", out=tmp_path / f"run{suffix}", config=ONE, overwrite=True)
    [row] = read_table(tmp_path / "run.parquet").to_pylist()

    assert read_table(tmp_path / "run.tsv").to_pylist() == [row]
    assert (row["bases_per_s"], row["open_pore_pa"], row["model"]) == (None, None, "")


def test_reads_that_have_no_speed_are_counted(tmp_path: Path) -> None:
    """They are kept, as their current is known; a stated chemistry gives them one."""
    write_multi(tmp_path / "reads.fast5", reads_made(3, pore="", kit="", experiment=""))
    unknown = health(tmp_path / "reads.fast5", config=ONE)
    stated = health(tmp_path / "reads.fast5", config=replace(ONE, chemistry="dna_r9.4.1"))

    assert (unknown.ledger.kept, unknown.ledger.notes[UNTIMED], unknown.n_timed) == (3, 3, 0)
    assert (stated.ledger.notes[UNTIMED], stated.n_timed) == (0, 3)


def test_a_read_without_current_is_in_the_ledger(tmp_path: Path) -> None:
    """A flat one has no row."""
    good, other = reads_made(2)
    write_multi(tmp_path / "reads.fast5", [replace(other, adc=np.full(500, 400, np.int16)), good])
    run = health(tmp_path / "reads.fast5", out=tmp_path / "run.tsv", config=ONE)

    assert (run.ledger.kept, dict(run.ledger.counts)) == (1, {"flat": 1})
    assert read_table(tmp_path / "run.tsv")["read_id"].to_pylist() == [good.read_id]


def test_a_killed_command_goes_on(signal: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the same result."""
    health(signal, out=tmp_path / "whole.tsv", config=ONE)
    monkeypatch.setattr("poreconv.events.tabulation.write_ledger", killed)  # when all is joined
    with pytest.raises(KeyboardInterrupt):
        health(signal, out=tmp_path / "run.tsv", config=ONE)
    monkeypatch.undo()
    monkeypatch.setattr("poreconv.events.tabulation._write_job", killed)  # all parts are there

    assert health(signal, out=tmp_path / "run.tsv", config=ONE).ledger.kept == 6
    assert (tmp_path / "run.tsv").read_text() == (tmp_path / "whole.tsv").read_text()
    assert (tmp_path / "run.html").is_file()


def killed(*_: object) -> None:
    """Ctrl-C."""
    raise KeyboardInterrupt


@pytest.mark.parametrize(
    ("there", "out", "error", "message"),
    [
        ("", "run.bed", ConfigError, "a table of reads is .tsv or .parquet"),
        ("run.tsv", "run.tsv", ConfigError, "run.tsv: exists already"),
        ("run.html", "run.tsv", ConfigError, "run.html: exists already"),
        ("", "run.tsv", FormatError, "no_reads"),
    ],
)
def test_what_cannot_be_done_is_refused(
    there: str, out: str, error: type[Exception], message: str, tmp_path: Path
) -> None:
    """Before a read is touched, and nothing is left behind."""
    if there:
        (tmp_path / there).write_text("")

    with pytest.raises(error, match=message):
        health(tmp_path / "no_reads", out=tmp_path / out)
    assert [path.name for path in tmp_path.iterdir()] == [there] * bool(there)


def test_the_terminal_shows_each_quantity(signal: Path) -> None:
    """One row each, and what counted the bases."""
    table = render(health(signal, config=ONE))

    assert table.row_count == 6
    assert table.caption == "bases counted by dna_r9.4.1_boundary_fast (6)"


REAL = [
    ("rna004_trna_ecoli", ["ecoli_trna_tb_mappings.bam", "ecoli_trna_wt_mappings.bam"]),
    ("dna_r1041_4khz_remora", ["can_mappings.bam", "mod_mappings.bam"]),
]
"""Sets with moves, on which nothing was calibrated."""


@pytest.mark.real
@pytest.mark.parametrize(("name", "bams"), REAL)
def test_speeds_are_those_of_moves(name: str, bams: list[str], real_data: Path, tmp_path: Path) -> None:
    """Half of the reads have theirs within 5 %."""
    health(real_data / name, out=tmp_path / "run.parquet", config=ONE)
    rows = pq.read_table(tmp_path / "run.parquet").to_pylist()
    found, errors = {row["read_id"]: row["bases_per_s"] for row in rows}, []
    paths = [real_data / name / bam for bam in bams]
    with closing(open_labels("bam_moves", paths, SourceConfig())) as labels, open_reads(real_data / name) as reads:
        for read in reads:
            moves = events_of(labels, read)
            speed = len(moves) / (moves.end[-1] - moves.start[0]) * read.sample_rate_hz
            errors.append(abs(found[read.read_id] / speed - 1))

    assert np.median(errors) <= 0.05
