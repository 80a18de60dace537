"""`evaluate --judge levels`: without true labels, from the command line to the page."""

import json
from pathlib import Path
from typing import Any

import pytest

from poreconv.cli.main import main
from poreconv.commands.evaluate import evaluate, render
from poreconv.commands.report import report
from poreconv.config import EvaluateConfig, FilesConfig, FitConfig, SplitConfig
from poreconv.errors import ConfigError, StoreError
from poreconv.evaluation.baselines.graded import GRADED
from poreconv.evaluation.result import read_evaluation
from poreconv.pore_models.model import random_pore_model
from poreconv.pore_models.tables import write_pore_model
from poreconv.reads.readers import open_reads
from poreconv.runtime.records import to_plain
from tests.support.data import HALVES, simulated, squiggle_store
from tests.support.models import bundle_at

LEVELS = EvaluateConfig(judge="levels")
N_READS = 6


@pytest.fixture(scope="module")
def reads(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Simulated reads, their events with bases, and the table of levels."""
    folder = simulated(tmp_path_factory.mktemp("reads"), n_reads=N_READS)
    write_pore_model(folder / "pore.npz", random_pore_model(5, 0, 90, 14))
    return folder


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle with random weights that knows no run."""
    return bundle_at(tmp_path_factory.mktemp("model") / "model.safetensors", split=HALVES, runs=("another",))


def with_sequence(reads: Path) -> dict[str, Any]:
    """Labels with bases, and the table."""
    return {"labels": "intervals", "labels_from": [reads / "events.tsv"], "pore_model": reads / "pore.npz"}


def test_files_are_judged_without_labels(reads: Path, model: Path, tmp_path: Path) -> None:
    """The model beside baselines of the same number; table, JSON and page show it."""
    out = tmp_path / "result.json"
    result = evaluate(model, reads / "reads.fast5", out=out, config=LEVELS)
    page = out.with_suffix(".html").read_text()

    assert list(result.scores) == ["model", *GRADED]
    assert all(scores["number"] == pytest.approx(1, abs=0.02) for scores in result.scores.values())
    assert result.scores["changepoint"]["within_between"] < result.scores["uniform"]["within_between"]
    assert result.scores["uniform"]["jump_ratio_low"] < 1 < result.scores["changepoint"]["jump_ratio_low"]
    assert "judged by levels" in str(render(result).title)
    assert to_plain(read_evaluation(out).scores) == to_plain(result.scores)
    assert "lies between its events" in page
    assert "judged samples" in page
    assert not any(words in page for words in ("true boundaries", "true labels"))
    assert report(out, out=tmp_path / "again.html").read_text() == page


def test_events_are_compared_with_known_levels(reads: Path, model: Path, tmp_path: Path) -> None:
    """The labels' own events stand beside; they fit best, and the page counts them as no baseline."""
    out = tmp_path / "result.json"
    result = evaluate(model, reads / "reads.fast5", out=out, config=LEVELS, **with_sequence(reads))
    page = out.with_suffix(".html").read_text()

    assert list(result.scores) == ["model", *GRADED, "labels"]
    assert result.scores["labels"]["correlation"] == max(scores["correlation"] for scores in result.scores.values())
    assert result.scores["labels"]["correlation"] > 0.95
    assert result.data["pore_model"] == str(reads / "pore.npz")
    assert "the best of 3 baselines" in page
    assert "skipped" in page


def test_reads_without_a_label_are_dropped_by_name(reads: Path, model: Path, tmp_path: Path) -> None:
    """So is a read of the run that trained the model; the ledger counts them, and those that were not asked for."""
    head, *rows = (reads / "events.tsv").read_text().splitlines()
    first = rows[0].split("\t")[0]
    (tmp_path / "events.tsv").write_text("\n".join([head, *[row for row in rows if not row.startswith(first)]]) + "\n")
    config = EvaluateConfig(judge="levels", files=FilesConfig(limit=N_READS - 1))
    labels = with_sequence(reads) | {"labels_from": [tmp_path / "events.tsv"]}
    result = evaluate(model, reads / "reads.fast5", baselines=["uniform"], config=config, **labels)

    assert result.ledger.counts == {"not_asked": 1, "no_label": 1}
    assert result.ledger.kept == N_READS - 2


def test_reads_that_trained_the_model_are_dropped(reads: Path, tmp_path: Path) -> None:
    """By the model's own split rule, or judged and counted."""
    with open_reads(reads / "reads.fast5") as stream:
        runs = tuple({read.run_id for read in stream})
    seen = bundle_at(tmp_path / "seen.safetensors", split=SplitConfig(test=0.0, validation=0.0), runs=runs)
    config = EvaluateConfig(judge="levels", include_training=True)
    result = evaluate(seen, reads / "reads.fast5", baselines=[], config=config)

    assert result.ledger.notes == {"in_train": N_READS}
    with pytest.raises(StoreError, match=rf"no read is left to judge on; .*in_train {N_READS}"):
        evaluate(seen, reads / "reads.fast5", config=LEVELS)


def test_a_stores_split_is_judged(model: Path, tmp_path: Path) -> None:
    """A store has no bases, so the sequence is not known."""
    store = squiggle_store(tmp_path, n_reads=8)
    result = evaluate(model, store, config=LEVELS)

    assert result.data["split"] == "test"
    assert result.scores["model"]["n_reads"] == result.ledger.kept > 0
    with pytest.raises(ConfigError, match="a store contains no bases"):
        evaluate(model, store, pore_model="dna_r9.4.1", config=LEVELS)


def test_what_cannot_be_judged_is_refused(reads: Path, model: Path, tmp_path: Path) -> None:
    """Each with a way out."""
    signal, labels = reads / "reads.fast5", with_sequence(reads)
    segments = bundle_at(tmp_path / "segments.safetensors", task="segment", classes=("background", "beat"))
    labels_alone = {name: value for name, value in labels.items() if name != "pore_model"}

    with pytest.raises(ConfigError, match=r"the model is of task segment, and .* leave out --judge"):
        evaluate(segments, signal, config=LEVELS)
    with pytest.raises(ConfigError, match="give the table of k-mer levels with --pore_model"):
        evaluate(model, signal, config=LEVELS, **labels_alone)
    with pytest.raises(ConfigError, match="the sequence is not known; give --labels that contain bases"):
        evaluate(model, signal, pore_model="dna_r9.4.1", config=LEVELS)
    with pytest.raises(ConfigError, match="only the judge levels uses one; give --judge levels"):
        evaluate(model, signal, **labels)
    with pytest.raises(ConfigError, match="metrics: they need true labels"):
        evaluate(model, signal, metrics=[lambda found, true: 0.0], config=LEVELS)


def test_the_command_line(reads: Path, model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Flags as the docs show them."""
    words = ["evaluate", model, reads / "reads.fast5", "--judge", "levels", "--labels", "intervals", "--labels_from"]
    words += [reads / "events.tsv", "--pore_model", reads / "pore.npz", "--baselines", "uniform", "--limit", 2]

    main([str(word) for word in [*words, "--out", tmp_path / "result.json"]])

    assert "judged by levels, 2 reads" in capsys.readouterr().out
    assert json.loads((tmp_path / "result.json").read_text())["judge"] == "sequence_levels"


@pytest.mark.real
def test_a_shipped_model_on_real_reads(real_data: Path) -> None:
    """R10.4.1: better than even cuts in every score, and than the basecaller's moves, which are coarse."""
    folder = real_data / "dna_r1041_4khz_remora"
    config = EvaluateConfig(judge="levels", files=FilesConfig(limit=2))
    scores = evaluate(
        "dna_r10.4.1_boundary",
        folder / "can_reads.pod5",
        labels="bam_moves",
        labels_from=[folder / "can_mappings.bam"],
        pore_model="dna_r10.4.1",
        config=config,
    ).scores

    for other in ("uniform", "labels"):
        assert scores["model"]["correlation_low"] > scores[other]["correlation_high"] + 0.02
        assert scores["model"]["within_between"] < 0.2 * scores[other]["within_between"]
        assert scores["model"]["jump_ratio"] > 2 * scores[other]["jump_ratio"]
    assert all(scores[name]["number"] == pytest.approx(1, abs=0.01) for name in GRADED)


@pytest.mark.real
def test_reads_at_another_rate_are_judged_at_their_own(real_data: Path) -> None:
    """5 kHz reads by a 4 kHz model: about as many boundaries per second as bases."""
    config = EvaluateConfig(judge="levels", fit=FitConfig(resample=True), files=FilesConfig(limit=1))
    reads = real_data / "dna_r1041_5khz_unlabelled/problem_read.pod5"
    scores = evaluate("dna_r10.4.1_boundary", reads, baselines=["uniform"], config=config).scores

    assert 250 < scores["model"]["events_per_s"] < 450
    assert scores["model"]["within_between"] < 0.5 * scores["uniform"]["within_between"]
    assert scores["model"]["jump_ratio"] > 2.5 * scores["uniform"]["jump_ratio"]
