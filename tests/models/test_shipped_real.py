"""Shipped models on real reads, so that a model whose training failed is not shipped unnoticed."""

from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from poreconv.commands.tails import tail_in
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
        ("rna002_boundary_fast", "rna001_actb_tombo_and_moves", "tombo", [], 0.6),
        ("rna002_boundary", "rna001_actb_tombo_and_moves", "tombo", [], 0.6),
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


def test_the_shipped_regions_model_finds_the_tails_that_it_learnt_from(real_data: Path) -> None:
    """Of the reads that nanopolish calls PASS, half have their tail within 40 samples of nanopolish's, at both ends."""
    labeller, folder = load("rna002_regions"), real_data / "rna002_polya_regions"
    truth = labelled(folder / "basecalled_test.fast5", "polya", [folder / "nanopolish_output.tsv"], most=40)
    tails = [(tail_in(labeller(read), 1.0), tail_in(events, 1.0)) for read, events in truth]
    errors = np.array([[found.start - true.start, found.end - true.end] for found, true in tails])

    assert len(errors) == 17
    assert (np.median(np.abs(errors), axis=0) <= 40).all()
