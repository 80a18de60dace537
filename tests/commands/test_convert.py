import json
from contextlib import closing
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from ont_fast5_api.fast5_interface import get_fast5_file

from poreconv.commands.convert import convert
from poreconv.config import ConvertConfig, PrepareConfig, SourceConfig, WorkConfig, from_flat
from poreconv.dataset.prepare import prepare
from poreconv.dataset.store import Store
from poreconv.errors import ConfigError
from poreconv.labels.opening import open_labels
from poreconv.reads.read import Read
from poreconv.reads.readers import open_reads
from poreconv.reads.scaling import SD_PER_MAD, med_mad
from poreconv.runtime.ledger import Ledger
from tests.support.labels import bam_record, write_bam
from tests.support.signal_files import reads_made, write_multi, write_with_pod5
from tests.support.stores import STEP, steps


def converted(folder: Path, suffix: str) -> tuple[list[Read], Path]:
    """Convert a table of steps of three reads, of which the last has no label."""
    reads = reads_made(3)
    write_multi(folder / "reads.fast5", reads)
    (folder / "in.tsv").write_text(steps(reads[:2]))
    out = folder / f"out{suffix}"
    ledger = convert(
        folder / "reads.fast5",
        labels="intervals",
        labels_from=[folder / "in.tsv"],
        out=out,
        config=ConvertConfig(work=WorkConfig(workers=1)),
    )

    assert (ledger.kept, dict(ledger.counts)) == (2, {"no_label": 1})
    return reads, out


@pytest.mark.parametrize(
    ("suffix", "source"),
    [
        (".tsv", "intervals"),
        (".parquet", "intervals"),
        (".bed", "intervals"),
        (".paf", "resquiggle_paf"),
        (".bam", "bam_moves"),
    ],
)
def test_what_is_written_is_read_back(tmp_path: Path, suffix: str, source: str) -> None:
    """Labels come out of the table as they went in; a PAF keeps their places."""
    reads, out = converted(tmp_path, suffix)
    with closing(open_labels(source, [out], SourceConfig())) as labels:
        found = [labels.events(read) for read in reads]
        classes = labels.classes

    assert found[2] is None
    assert classes == (() if suffix == ".paf" else ("A", "C", "G", "T"))
    for read, events in zip(reads[:2], found[:2], strict=True):
        assert events is not None
        np.testing.assert_array_equal(events.start, np.arange(0, len(read.adc) - STEP + 1, STEP))
        assert (events.duration == STEP).all()


def test_a_table_is_not_written_over(tmp_path: Path) -> None:
    """An output that exists is refused."""
    _, out = converted(tmp_path, ".tsv")
    with pytest.raises(ConfigError, match="exists already"):
        convert(tmp_path / "reads.fast5", labels="intervals", labels_from=[tmp_path / "in.tsv"], out=out)


def test_a_bam_tells_what_it_could_not_say(tmp_path: Path) -> None:
    """In the ledger, which is printed and written beside."""
    reads = reads_made(2)
    write_multi(tmp_path / "reads.fast5", reads)
    rows = [f"{read.read_id}\t{start}\t{start + 9}\ttail" for read in reads for start in (0, 9, 27)]
    (tmp_path / "in.tsv").write_text("\n".join(["read_id\tstart\tend\tlabel", *rows]) + "\n")
    ledger = to_file(tmp_path, "out.bam", "intervals", tmp_path / "in.tsv")

    assert ledger.notes == {"gaps_closed": 2, "labels_written_as_n": 6}
    assert json.loads((tmp_path / "out.bam.ledger.json").read_text())["notes"] == dict(ledger.notes)


def to_file(
    folder: Path, out: str, labels: str, *labels_from: Path, signal: str = "reads.fast5", **config: Any
) -> Ledger:
    """Convert the labels of a folder's signal file."""
    settings = from_flat(ConvertConfig, {"workers": 1} | config)
    return convert(folder / signal, labels=labels, labels_from=labels_from, out=folder / out, config=settings)


def with_moves(folder: Path, reads: list[Read]) -> None:
    """Write reads.pod5, and calls.bam with a move of 5 samples now and then, from sample 7 on."""
    rng = np.random.default_rng(0)
    records = []
    for read in reads:
        move = rng.integers(0, 2, (len(read.adc) - 7) // 5)
        sequence = "".join(rng.choice([*"ACGT"], move.sum()))
        records.append(bam_record(read.read_id, sequence, mv=[5, *move.tolist()], ts=7, ns=len(read.adc)))
    write_with_pod5(folder / "reads.pod5", reads)
    write_bam(folder / "calls.bam", *records)


def arrays(store: Store) -> dict[str, bytes]:
    """Give signal and targets."""
    return {name: (store.path / name).read_bytes() for name in ("signal.i16", "target.i8")}


@pytest.mark.parametrize("task", ["base", "boundary"])
@pytest.mark.parametrize("fields", [{}, {"kit": "SQK-RNA002", "experiment": "rna"}])
def test_a_fast5_with_labels_teaches_the_same(fields: dict[str, str], task: str, tmp_path: Path) -> None:
    """POD5 and moves from elsewhere, or one file with both: the same targets, to the byte."""
    with_moves(tmp_path, reads_made(5, **fields))
    ledger = to_file(tmp_path, "labelled.fast5", "bam_moves", tmp_path / "calls.bam", signal="reads.pod5")
    config = PrepareConfig(task=task, work=WorkConfig(workers=1))
    before = prepare(
        [tmp_path / "reads.pod5"],
        labels="bam_moves",
        labels_from=[tmp_path / "calls.bam"],
        out=tmp_path / "a",
        config=config,
    )
    after = prepare([tmp_path / "labelled.fast5"], labels="tombo", out=tmp_path / "b", config=config)

    assert (ledger.kept, ledger.dropped) == (5, 0)
    assert arrays(before) == arrays(after)
    assert after.info.classes == before.info.classes


def bases(path: Path, read_id: str) -> h5py.Dataset:
    """Give Tombo's table of a read, the file being left open."""
    return h5py.File(path)[f"read_{read_id}/Analyses/RawGenomeCorrected_000/BaseCalled_template/Events"]


def test_the_table_of_bases_is_tombos(tmp_path: Path) -> None:
    """Names, types and attributes; levels are the mean and the SD of the normalised signal in each event."""
    read = reads_made(1)[0]
    write_multi(tmp_path / "reads.fast5", [read])
    start, end = np.array([11, 20, 40]), np.array([20, 30, 50])
    rows = [f"{read.read_id}\t{a}\t{b}\t{base}" for a, b, base in zip(start, end, "GTA", strict=True)]
    (tmp_path / "in.tsv").write_text("\n".join(["read_id\tstart\tend\tlabel", *rows]) + "\n")
    to_file(tmp_path, "out.fast5", "intervals", tmp_path / "in.tsv")
    table = bases(tmp_path / "out.fast5", read.read_id)
    attributes, events, first = dict(table.parent.attrs), table[()], table.attrs["read_start_rel_to_raw"]
    table.file.close()

    pa = read.pa
    shift_pa, sd_pa = med_mad(pa)
    level = np.clip((pa - shift_pa) / sd_pa * SD_PER_MAD, -5, 5)
    expected = [(level[a:b].mean(), level[a:b].std()) for a, b in zip(start, end, strict=True)]
    assert events.dtype == np.dtype(
        [("norm_mean", "<f8"), ("norm_stdev", "<f8"), ("start", "<u4"), ("length", "<u4"), ("base", "S1")]
    )  # fmt: skip
    assert first == 11
    assert events[["start", "length", "base"]].tolist() == [(0, 9, b"G"), (9, 10, b"T"), (29, 10, b"A")]
    np.testing.assert_allclose(np.column_stack([events["norm_mean"], events["norm_stdev"]]), expected, atol=1e-4)
    np.testing.assert_allclose(np.clip((read.adc - attributes["shift"]) / attributes["scale"], -5, 5), level, atol=1e-4)
    assert (attributes["status"], attributes["rna"], attributes["norm_type"]) == ("success", False, "median")


def test_the_fast5_opens_with_ont_fast5_api(tmp_path: Path) -> None:
    """Signal, analysis and its attributes, as of any other."""
    reads, out = converted(tmp_path, ".fast5")
    with get_fast5_file(f"{out}", "r") as file:
        ids = file.get_read_ids()
        read = file.get_read(ids[0])
        signal, analyses = read.get_raw_data(), read.list_analyses("resquiggle")

    assert ids == [read.read_id for read in reads[:2]]
    np.testing.assert_array_equal(signal, reads[0].adc)
    assert analyses == [("resquiggle", "RawGenomeCorrected_000")]
    assert json.loads(out.with_name("out.fast5.ledger.json").read_text())["kept"] == 2


def test_places_are_n_in_a_fast5(tmp_path: Path) -> None:
    """They come back as places."""
    reads, paf = converted(tmp_path, ".paf")
    ledger = to_file(tmp_path, "places.fast5", "resquiggle_paf", paf)
    with open_reads(tmp_path / "places.fast5") as again, closing(open_labels("tombo", [], SourceConfig())) as tombo:
        events = tombo.events(again[reads[0].read_id])

    assert (ledger.kept, dict(ledger.counts)) == (2, {"no_label": 1})
    assert events is not None
    assert events.start.tolist() == list(range(0, len(reads[0].adc) - STEP + 1, STEP))
    assert set(events.label) == {-1}


def test_other_classes_do_not_go_into_a_fast5(tmp_path: Path) -> None:
    """The error names formats that can hold them, and no file is left."""
    reads = reads_made(1)
    write_multi(tmp_path / "reads.fast5", reads)
    (tmp_path / "in.tsv").write_text(steps(reads, ["adapter", "tail"]))
    before = sorted(tmp_path.iterdir())

    with pytest.raises(
        ConfigError, match=r"out\.fast5: .* these labels are adapter, tail; use \.parquet, \.tsv or \.bed"
    ):
        to_file(tmp_path, "out.fast5", "intervals", tmp_path / "in.tsv")
    assert sorted(tmp_path.iterdir()) == before


def test_a_fast5_is_not_written_over(tmp_path: Path) -> None:
    """An output that exists is refused, whatever its format."""
    converted(tmp_path, ".fast5")
    with pytest.raises(ConfigError, match="exists already"):
        to_file(tmp_path, "out.fast5", "intervals", tmp_path / "in.tsv")


def test_reads_that_a_fast5_cannot_tell_are_named(tmp_path: Path) -> None:
    """A flat read has no scale; the second of two with one id, and a file that is none, are passed over."""
    flat = reads_made(1, seed=1, adc=np.full(90, 500, np.int16))
    reads = [*reads_made(2), *flat]
    (tmp_path / "in").mkdir()
    write_multi(tmp_path / "in/a.fast5", reads)
    write_multi(tmp_path / "in/b.fast5", reads[:1])
    (tmp_path / "in/c.fast5").write_text("nothing")
    (tmp_path / "in.tsv").write_text(steps(reads))
    ledger = to_file(tmp_path, "out.fast5", "intervals", tmp_path / "in.tsv", signal="in", skip_bad_files=True)

    assert (ledger.kept, dict(ledger.counts), len(ledger.bad_files)) == (2, {"flat": 1, "duplicate": 1}, 1)


@pytest.mark.real
@pytest.mark.parametrize("folder", ["dna_r941_lambda_tombo", "rna002_18s_tombo/ivt"])
def test_tombos_own_labels_come_back_from_a_fast5(folder: str, real_data: Path, tmp_path: Path) -> None:
    """The same targets; levels as Tombo's, but for the shift and factor that it fits to the sequence."""
    files = sorted((real_data / folder).glob("**/*.fast5"))[:4]
    (tmp_path / "in").mkdir()
    for path in files:
        (tmp_path / "in" / path.name).symlink_to(path.resolve())
    to_file(tmp_path, "out.fast5", "tombo", signal="in")
    config = PrepareConfig(task="base", work=WorkConfig(workers=1))
    stores = [
        prepare([tmp_path / name], labels="tombo", out=tmp_path / f"store_{name}", config=config)
        for name in ("in", "out.fast5")
    ]

    assert arrays(stores[0]) == arrays(stores[1])
    for path in files:
        with h5py.File(path) as file:
            theirs = file["Analyses/RawGenomeCorrected_000/BaseCalled_template/Events"]["norm_mean"]
        table = bases(tmp_path / "out.fast5", path.stem)
        ours = table["norm_mean"]
        table.file.close()
        assert np.corrcoef(ours, theirs)[0, 1] > 0.999
        assert 0.7 < np.polyfit(ours, theirs, 1)[0] < 1.4
