"""Shipped models on real reads, so that a model whose training failed is not shipped unnoticed."""

import csv
from contextlib import closing
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from poreconv.commands.tails import tail_in, tails
from poreconv.config import SourceConfig
from poreconv.errors import LabelError, ReadDropped
from poreconv.evaluation.metrics import BoundaryMetric
from poreconv.events.events import Events
from poreconv.events.targets import boundaries, known_starts
from poreconv.events.tasks import task_named
from poreconv.inference.labeller import Labeller, load
from poreconv.labels.opening import open_labels
from poreconv.reads.read import Read
from poreconv.reads.readers import open_reads

pytestmark = pytest.mark.real


def labelled(reads: Path, source: str, files: list[Path], most: int) -> list[tuple[Read, Events]]:
    """Return the first reads that have a label, with their labels."""
    found: list[tuple[Read, Events]] = []
    with closing(open_labels(source, files, SourceConfig())) as labels, open_reads(reads) as stream:
        for read in stream:
            try:
                events = labels.events(read)
            except LabelError:
                continue
            if events is not None and len(found) < most:
                found.append((read, events))
    return found


def unseen(labeller: Labeller, read: Read) -> bool:
    """Return whether the read was in neither training nor validation."""
    try:
        labeller.recipe.check_unseen(read)
    except ReadDropped:
        return False
    return True


@pytest.mark.parametrize(
    ("model", "reads", "source", "files", "at_least"),
    [
        ("dna_r9.4.1_boundary", "dna_r941_lambda_tombo", "tombo", [], 0.8),
        ("dna_r10.4.1_boundary", "dna_r1041_4khz_remora", "resquiggle_paf", ["resquiggle.paf"], 0.8),
        ("dna_r9.4.1_boundary_fast", "dna_r941_lambda_tombo", "tombo", [], 0.8),
        ("dna_r10.4.1_boundary_fast", "dna_r1041_4khz_remora", "resquiggle_paf", ["resquiggle.paf"], 0.8),
        ("rna002_boundary_fast", "rna002_sequin_f5c_ss", "sam_resquiggle", ["eventalign.bam"], 0.65),
        ("rna002_boundary", "rna002_sequin_f5c_ss", "sam_resquiggle", ["eventalign.bam"], 0.65),
    ],
)
def test_shipped_models_find_boundaries_in_reads_that_they_never_saw(
    real_data: Path, model: str, reads: str, source: str, files: list[str], at_least: float
) -> None:
    """F1 within one sample is not far below the cards' scores."""
    labeller, metric, folder = load(model), BoundaryMetric(), real_data / reads
    for read, events in labelled(folder, source, [folder / name for name in files], most=40):
        if unseen(labeller, read) and len(read.adc) < 60_000:
            longest = task_named("boundary").longest_event(float(np.median(events.duration)))
            target = task_named("boundary").target(events, len(read.adc), longest)
            metric.update(boundaries(target), known_starts(labeller(read), target))

    assert metric.compute()["f1_1"] > at_least


@pytest.mark.parametrize(
    ("model", "reads", "table", "n_reads"),
    [
        ("rna002_regions", "rna002_polya_regions/basecalled_test.fast5", "nanopolish_output.tsv", 17),
        ("rna004_regions", "rna004_polya_regions/reads.pod5", "aligned_dorado_1.0.0.bam", 23),
    ],
)
def test_shipped_regions_models_find_the_tails_that_they_learnt_from(
    real_data: Path, model: str, reads: str, table: str, n_reads: int
) -> None:
    """Of the reads whose tail another program does not doubt, half have theirs within 40 samples, at both ends."""
    labeller, file = load(model), real_data / reads
    truth = labelled(file, "polya", [file.with_name(table)], most=40)
    places = [(tail_in(labeller(read), 1.0), tail_in(events, 1.0)) for read, events in truth]
    errors = np.array([[found.start - true.start, found.end - true.end] for found, true in places])

    assert len(errors) == n_reads
    assert (np.median(np.abs(errors), axis=0) <= 40).all()


def test_tails_of_rna004_are_as_long_as_dorado_has_them(real_data: Path, tmp_path: Path) -> None:
    """By the one speed of their chemistry: half of them within 10 %; each read is labelled by the model of its kind."""
    folder = real_data / "rna004_polya_regions"
    tails("auto", folder / "reads.pod5", out=tmp_path / "tails.parquet")
    found = {row["read_id"]: row for row in pq.read_table(tmp_path / "tails.parquet").to_pylist()}
    with (folder / "aligned_summary.txt").open(newline="") as rows:
        dorado = {row["read_id"]: int(row["poly_tail_length"]) for row in csv.DictReader(rows, delimiter="\t")}
    difference = [found[one]["nucleotides"] / length - 1 for one, length in dorado.items() if length]

    assert {row["model"] for row in found.values()} == {"rna004_regions"}
    assert np.median(np.abs(difference)) < 0.1
