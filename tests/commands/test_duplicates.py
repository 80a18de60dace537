"""Reads that turn up several times, in every command, format and number of processes."""

from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pysam
import pytest

from poreconv.commands.convert import convert
from poreconv.commands.evaluate import evaluate
from poreconv.commands.inspect import inspect
from poreconv.commands.kmers import kmers
from poreconv.commands.label import label
from poreconv.commands.refine import refine
from poreconv.commands.tails import tails
from poreconv.config import (
    ConvertConfig,
    EvaluateConfig,
    KmersConfig,
    LabelConfig,
    PrepareConfig,
    RefineConfig,
    SquiggleConfig,
    TailsConfig,
    WorkConfig,
)
from poreconv.dataset.prepare import prepare
from poreconv.pore_models.model import random_pore_model
from poreconv.pore_models.tables import write_pore_model
from poreconv.reads import pieces
from poreconv.reads.readers import open_file, open_reads
from poreconv.runtime.ledger import Ledger
from tests.support.cluster import cluster
from tests.support.data import simulated
from tests.support.models import bundle_at
from tests.support.signal_files import WRITERS

PORE = SquiggleConfig().pore
"""Of the simulated reads."""

N_READS = 9
"""Different reads, of which the first has no label."""

REPEATED = {"duplicate": 8}
"""Drops of a command that needs no labels; see `Repeated`."""

LABELLED = N_READS - 1, REPEATED | {"no_label": 1}
"""Reads kept, and drops, of a command that needs labels."""


class Repeated:
    """Labelled reads, and one without a label, that stand twice in a file and again in another; in jobs of a few."""

    def __init__(self, folder: Path, form: str = ".pod5") -> None:
        made = simulated(folder / "made", n_reads=N_READS)
        with open_reads(made / "reads.fast5") as stream:
            self.reads = [replace(read, source=None, median_before=200.0) for read in stream]
        self.labels, self.pore, self.signal = made / "events.tsv", folder / "pore.txt", folder / "signal"
        unlabelled = self.reads[0].read_id
        rows = [row for row in self.labels.read_text().splitlines() if not row.startswith(unlabelled)]
        self.labels.write_text("\n".join(rows) + "\n")
        write_pore_model(self.pore, random_pore_model(PORE.k, PORE.pore_seed, 90.0, 14.0))
        self.signal.mkdir()
        one, two = self.reads[:6], self.reads[2:]
        if form == ".fast5":  # its writer puts an id into a file once
            WRITERS[form](self.signal / "a.fast5", one)
            WRITERS[form](self.signal / "b.fast5", two)
            WRITERS[form](self.signal / "c.fast5", [*self.reads[:4]])
        else:
            WRITERS[form](self.signal / f"a{form}", [*one, one[0], one[1]])
            WRITERS[form](self.signal / f"b{form}", [two[0], *two, two[0]])
        self.job_bytes = (self.signal / f"a{form}").stat().st_size // 3


@pytest.fixture
def repeated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Repeated:
    """Give reads that turn up several times, in files that are cut into jobs."""
    made = Repeated(tmp_path)
    monkeypatch.setattr(pieces, "JOB_BYTES", made.job_bytes)
    return made


def ids_in(out: Path) -> list[str]:
    """Ids of the reads in an output, in their order: one for each stretch of rows."""
    if out.suffix == ".bam":
        with pysam.AlignmentFile(str(out), check_sq=False) as file:
            return [str(record.query_name) for record in file.fetch(until_eof=True)]
    if out.suffix == ".fast5":
        with open_file(out, Ledger()) as reader:
            return list(reader.read_ids)
    rows = [row.split("\t")[0] for row in out.read_text().splitlines()[out.suffix == ".tsv" :]]
    return [read_id for i, read_id in enumerate(rows) if i == 0 or rows[i - 1] != read_id]


def convert_to(made: Repeated, out: Path, work: WorkConfig) -> Ledger:
    """Convert with given processes."""
    config = ConvertConfig(work=work)
    return convert(made.signal, labels="intervals", labels_from=[made.labels], out=out, config=config)


@pytest.mark.parametrize(
    ("suffix", "workers"), [(".tsv", 1), (".bed", 1), (".paf", 1), (".bam", 1), (".fast5", 1), (".tsv", 2), (".bam", 2)]
)
def test_convert_writes_each_id_once(repeated: Repeated, workers: int, suffix: str, tmp_path: Path) -> None:
    """In every format and number of processes, in the order of the input; the ledger counts every record."""
    out = tmp_path / f"out{suffix}"
    ledger = convert_to(repeated, out, WorkConfig(workers=workers))

    assert (ledger.kept, dict(ledger.counts)) == LABELLED
    assert Counter(ids_in(out)) == Counter(read.read_id for read in repeated.reads[1:])
    assert suffix == ".fast5" or ids_in(out) == [read.read_id for read in repeated.reads[1:]]


@pytest.mark.parametrize("form", [".fast5", ".blow5", ".slow5"])
@pytest.mark.parametrize("in_jobs", [False, True])
def test_formats_and_sizes_count_alike(form: str, in_jobs: bool, tmp_path: Path) -> None:
    """Files below the size at which they are cut, and above."""
    made = Repeated(tmp_path, form)
    with pytest.MonkeyPatch.context() as patch:
        if in_jobs:
            patch.setattr(pieces, "JOB_BYTES", made.job_bytes)
        ledger = convert_to(made, tmp_path / "out.tsv", WorkConfig(workers=1))

    assert (ledger.kept, dict(ledger.counts)) == LABELLED
    assert ids_in(tmp_path / "out.tsv") == [read.read_id for read in made.reads[1:]]


def test_a_cluster_counts_alike(repeated: Repeated, tmp_path: Path) -> None:
    """Its workers know nothing of each other's jobs."""
    with cluster(tmp_path / "cluster", n_workers=2) as (address, _):
        ledger = convert_to(repeated, tmp_path / "out.tsv", WorkConfig(scheduler=address))

    assert (ledger.kept, dict(ledger.counts)) == LABELLED
    assert ids_in(tmp_path / "out.tsv") == [read.read_id for read in repeated.reads[1:]]


def test_refine_kmers_and_prepare_count_alike(repeated: Repeated, tmp_path: Path) -> None:
    """Commands that read labels."""
    one: dict[str, Any] = {"labels": "intervals", "labels_from": [repeated.labels]}
    work = WorkConfig(workers=2)
    refined = refine(
        repeated.signal, **one, pore_model=repeated.pore, out=tmp_path / "r.tsv", config=RefineConfig(work=work)
    )
    _, counted = kmers(repeated.signal, **one, k=3, out=tmp_path / "m.txt", config=KmersConfig())
    store = prepare([repeated.signal], **one, out=tmp_path / "store", config=PrepareConfig(work=work))

    for ledger in (refined, counted, store.info.ledger):
        assert (ledger.kept, dict(ledger.counts)) == LABELLED
    assert ids_in(tmp_path / "r.tsv") == [read.read_id for read in repeated.reads[1:]]
    assert store.text("read_id") == [read.read_id for read in repeated.reads[1:]]


def test_a_stores_median_dwell_is_that_of_each_read_once(repeated: Repeated, tmp_path: Path) -> None:
    """What a repeated record adds to no count decides no target either."""
    one: dict[str, Any] = {"labels": "intervals", "labels_from": [repeated.labels], "config": PrepareConfig()}
    WRITERS[".pod5"](tmp_path / "once.pod5", repeated.reads)
    again = prepare([repeated.signal], **one, out=tmp_path / "again")
    once = prepare([tmp_path / "once.pod5"], **one, out=tmp_path / "once")

    assert again.info.median_dwell == once.info.median_dwell
    assert again.info.counts == once.info.counts


def test_label_tails_and_inspect_count_alike(repeated: Repeated, tmp_path: Path) -> None:
    """Commands that need no labels; a read without a label is kept."""
    known = {"chemistries": (repeated.reads[0].chemistry.code,), "sample_rate_hz": repeated.reads[0].sample_rate_hz}
    regions: dict[str, Any] = {"task": "segment", "classes": ("adapter", "polya"), "class_counts": (1, 1)}
    model = bundle_at(tmp_path / "model.safetensors", **known)
    of_tails = bundle_at(tmp_path / "tails.safetensors", "strided", **(known | regions))
    work = WorkConfig(workers=2)
    labelled = label(model, repeated.signal, out=tmp_path / "l.tsv", config=LabelConfig(work=work))
    config = TailsConfig(work=work, nucleotides_per_s=100.0)
    found = tails(of_tails, repeated.signal, out=tmp_path / "t.tsv", config=config)
    looked_at = inspect([repeated.signal]).ledger

    for ledger in (labelled, found, looked_at):
        assert (ledger.kept, dict(ledger.counts)) == (N_READS, REPEATED)
    assert ids_in(tmp_path / "t.tsv") == [read.read_id for read in repeated.reads]
    assert set(ids_in(tmp_path / "l.tsv")) <= {read.read_id for read in repeated.reads}
    assert len(ids_in(tmp_path / "l.tsv")) == len(set(ids_in(tmp_path / "l.tsv")))


def test_evaluate_judges_each_read_once(repeated: Repeated, tmp_path: Path) -> None:
    """Its ledger counts every record."""
    known = {"chemistries": (repeated.reads[0].chemistry.code,), "sample_rate_hz": repeated.reads[0].sample_rate_hz}
    model = bundle_at(tmp_path / "model.safetensors", **known)
    result = evaluate(
        model,
        repeated.signal,
        labels="intervals",
        labels_from=[repeated.labels],
        config=EvaluateConfig(include_training=True),
    )

    assert (result.ledger.kept, dict(result.ledger.counts)) == LABELLED


@pytest.mark.real
def test_the_same_reads_in_two_compressions_are_labelled_once(real_data: Path, tmp_path: Path) -> None:
    """Ten reads stand in two files of over 2 MiB each."""
    ledger = label("dna_r9.4.1_boundary", real_data / "dna_r941_gzip_vs_vbz", out=tmp_path / "out.tsv")

    assert (ledger.kept, dict(ledger.counts)) == (10, {"duplicate": 10})
    assert len(ids_in(tmp_path / "out.tsv")) == 10
