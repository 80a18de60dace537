import json
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from poreconv.commands.label import label
from poreconv.commands.simulate import simulate
from poreconv.commands.tails import LEAD, NONE, TAILLESS, Tail, speed_of, tail_in, tails
from poreconv.config import (
    DecodeConfig,
    MoleculeConfig,
    SimulateConfig,
    SourceConfig,
    SquiggleConfig,
    TailsConfig,
    WorkConfig,
)
from poreconv.errors import ConfigError
from poreconv.events.events import Events
from poreconv.labels.opening import open_labels
from poreconv.models.header import read_header
from poreconv.reads.readers import open_reads
from tests.support.models import bundle_at
from tests.support.signal_files import reads_made, write_multi

REGIONS = ("adapter", "polya", "transcript")
ORDERED = DecodeConfig(method="ordered", order=REGIONS)
HEADER = "read_id\ttail_start\ttail_end\tnucleotides\tscore"


def regions(*edges: int, label: list[int], score: float = 0.5) -> Events:
    """Events from edge to edge."""
    return Events.of(edges[:-1], edges[1:], label=label, classes=REGIONS, score=[score] * len(label))


def model_at(path: Path, **fields: Any) -> Path:
    """Write a bundle of a random network for regions of RNA002."""
    usual = {"task": "segment", "classes": REGIONS, "class_counts": (1, 1, 1), "sample_rate_hz": 3012.0}
    return bundle_at(path, "strided", **(usual | {"chemistries": ("rna002",), "decoding": ORDERED} | fields))


@pytest.fixture(scope="module")
def reads(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with simulated reads of RNA002."""
    config = SquiggleConfig(
        molecule=MoleculeConfig(chemistry="rna002", bases_mean=40, bases_min=20, adapter_samples=500, polya_mean=30)
    )
    folder = tmp_path_factory.mktemp("reads") / "rna"
    return simulate("squiggle", out=folder, common=SimulateConfig(reads=6), config=config)


def rows_of(path: Path) -> list[list[str]]:
    """Cells of a TSV, the header left out."""
    header, *rows = path.read_text().splitlines()

    assert header == HEADER
    return [row.split("\t") for row in rows]


def test_a_tail_is_as_long_as_its_time_in_the_pore() -> None:
    """Less what nanopolish subtracts too; its score is that of its samples."""
    found = tail_in(regions(0, 500, 1580, 4000, label=[0, 1, 2], score=0.75), samples_per_nucleotide=27)

    assert found == Tail(500, 1580, 40 - LEAD, 0.75)


def test_no_length_is_negative() -> None:
    """A tail of two nucleotides is shorter than what is subtracted."""
    assert tail_in(regions(0, 54, 100, label=[1, 2]), 27).nucleotides == 0


def test_a_read_without_a_tail_says_so() -> None:
    """As nanopolish does."""
    assert tail_in(regions(0, 50, 100, label=[0, 2]), 27) == NONE == (-1, -1, -1, -1)


def test_of_several_tails_the_longest_counts() -> None:
    """A model that was not trained to decode in order may find some."""
    assert tail_in(regions(0, 5, 10, 40, 50, label=[1, 0, 1, 2]), 1).start == 10


def test_the_table_has_a_row_per_read_where_label_finds_the_tail(reads: Path, tmp_path: Path) -> None:
    """Places and scores are those of the events; the length is by the stated speed."""
    model = model_at(tmp_path / "model.safetensors")
    ledger = tails(model, reads, out=tmp_path / "tails.tsv", config=TailsConfig(nucleotides_per_s=301.2))
    label(model, reads, out=tmp_path / "events.parquet")
    events = pq.read_table(tmp_path / "events.parquet").to_pylist()
    polya = {row["read_id"]: row for row in events if row["label"] == "polya"}

    assert (ledger.kept, ledger.notes[TAILLESS]) == (6, 6 - len(polya))
    assert json.loads((tmp_path / "tails.tsv.ledger.json").read_text())["kept"] == 6
    assert polya
    for read_id, *numbers in rows_of(tmp_path / "tails.tsv"):
        row = polya.get(read_id)
        length = -1 if row is None else max((row["end"] - row["start"]) / 10 - LEAD, 0)
        expected = [-1, -1, -1, -1] if row is None else [row["start"], row["end"], length, row["score"]]
        assert [float(number) for number in numbers] == pytest.approx(expected, abs=0.01)


@pytest.mark.parametrize(("chemistry", "rate_hz"), [("rna002", 3012), ("rna004", 4000)])
def test_each_chemistry_has_its_speed(chemistry: str, rate_hz: float, tmp_path: Path) -> None:
    """27 samples per nucleotide at its usual rate, in both; the user's own takes its place."""
    model = model_at(tmp_path / "model.safetensors", chemistries=(chemistry,), sample_rate_hz=rate_hz)
    recipe = read_header(model).recipe

    assert rate_hz / speed_of(recipe, TailsConfig()) == pytest.approx(27)
    assert speed_of(recipe, TailsConfig(nucleotides_per_s=90)) == 90


def test_both_formats_say_the_same(reads: Path, tmp_path: Path) -> None:
    """TSV and Parquet."""
    model = model_at(tmp_path / "model.safetensors")
    for suffix in (".tsv", ".parquet"):
        tails(model, reads, out=tmp_path / f"tails{suffix}")
    table = pq.read_table(tmp_path / "tails.parquet")

    assert "\t".join(table.column_names) == HEADER
    assert [[str(cell) for cell in row.values()] for row in table.to_pylist()] == [
        [one, start, end, str(float(length)), str(float(score))]
        for one, start, end, length, score in rows_of(tmp_path / "tails.tsv")
    ]


def test_the_table_is_a_label_source(reads: Path, tmp_path: Path) -> None:
    """Of source `polya`; a read without a tail has no label there."""
    tails(model_at(tmp_path / "model.safetensors"), reads, out=tmp_path / "tails.tsv")
    places = {one: (int(start), int(end)) for one, start, end, *_ in rows_of(tmp_path / "tails.tsv")}
    with closing(open_labels("polya", [tmp_path / "tails.tsv"], SourceConfig())) as labels, open_reads(reads) as stream:
        for read in stream:
            events = labels.events(read)
            if places[read.read_id] == (-1, -1):
                assert events is None
                continue
            tail = np.flatnonzero(events.label == REGIONS.index("polya"))[0]
            assert (events.start[tail], events.end[tail]) == places[read.read_id]


def test_a_run_that_was_killed_goes_on(reads: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the same result; the parts go."""
    model, out, config = (
        model_at(tmp_path / "model.safetensors"),
        tmp_path / "tails.tsv",
        TailsConfig(work=WorkConfig(workers=1)),
    )
    tails(model, [reads], out=tmp_path / "whole.tsv", config=config)
    monkeypatch.setattr("poreconv.reads.pieces.JOB_BYTES", 1 << 10)
    monkeypatch.setattr("poreconv.events.tabulation.write_ledger", killed)  # when all is joined
    with pytest.raises(KeyboardInterrupt):
        tails(model, [reads], out=out, config=config)
    monkeypatch.undo()
    monkeypatch.setattr("poreconv.reads.pieces.JOB_BYTES", 1 << 10)
    monkeypatch.setattr("poreconv.events.tabulation._write_job", killed)  # all parts are there

    assert tails(model, [reads], out=out, config=config).kept == 6
    assert out.read_text() == (tmp_path / "whole.tsv").read_text()
    assert not list(tmp_path.glob(".tails*"))


def killed(*_: object) -> None:
    """Ctrl-C."""
    raise KeyboardInterrupt


def test_a_read_that_cannot_be_labelled_is_in_the_ledger(tmp_path: Path) -> None:
    """A flat one has no row."""
    good, other = reads_made(2)
    flat = replace(other, adc=np.full(500, 400, np.int16))
    write_multi(tmp_path / "reads.fast5", [flat, good])
    known = {"chemistries": (good.chemistry.code,), "sample_rate_hz": good.sample_rate_hz}
    model = model_at(tmp_path / "model.safetensors", **known)
    config = TailsConfig(nucleotides_per_s=100)
    ledger = tails(model, tmp_path / "reads.fast5", out=tmp_path / "tails.tsv", config=config)

    assert (ledger.kept, dict(ledger.counts)) == (1, {"flat": 1})
    assert [row[0] for row in rows_of(tmp_path / "tails.tsv")] == [good.read_id]


@pytest.mark.parametrize(
    ("fields", "out", "message"),
    [
        (
            {"classes": ("adapter", "tail", "rna"), "decoding": DecodeConfig()},
            "tails.tsv",
            "use a model of task segment with a class polya",
        ),
        ({"chemistries": ("rna001",)}, "tails.tsv", "nucleotides_per_s: not known for the model's chemistries"),
        ({"chemistries": ("rna002", "rna004")}, "tails.tsv", "nucleotides_per_s: not known"),
        ({}, "tails.bed", "a table of tails is .tsv or .parquet"),
        ({}, "there.tsv", "exists already"),
    ],
)
def test_what_cannot_be_done_is_refused(fields: dict[str, Any], out: str, message: str, tmp_path: Path) -> None:
    """Before a read is touched, and nothing is left behind."""
    model = model_at(tmp_path / "model.safetensors", **fields)
    (tmp_path / "there.tsv").write_text("")

    with pytest.raises(ConfigError, match=message):
        tails(model, tmp_path / "no_reads", out=tmp_path / out)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["model.safetensors", "there.tsv"]
