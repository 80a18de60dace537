import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from rich.console import Console

from poreconv.commands.evaluate import evaluate, render
from poreconv.config import IGNORE, EvaluateConfig, SplitConfig, WorkConfig
from poreconv.dataset.store import Store
from poreconv.errors import ConfigError, StoreError
from poreconv.evaluation.baselines import BASELINES
from poreconv.evaluation.judge import Judge
from poreconv.evaluation.result import Evaluation
from poreconv.events.events import Events
from poreconv.models.bundle import load_bundle, save_bundle
from poreconv.runtime.records import to_plain
from tests.support.data import (
    HALVES,
    heartbeat_store,
    reads_of_lengths,
    simulated,
    squiggle_store,
    store_of,
    typed_store,
)
from tests.support.models import bundle_at, recipe_for

SEGMENTS = {"task": "segment", "classes": ("background", "beat"), "sample_rate_hz": 250.0, "chemistries": ("unknown",)}


@pytest.fixture(scope="module")
def squiggles(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store of simulated squiggles, and their files in the folder beside it."""
    return squiggle_store(tmp_path_factory.mktemp("squiggles"))


@pytest.fixture(scope="module")
def heartbeats(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store of simulated heartbeats."""
    return heartbeat_store(tmp_path_factory.mktemp("heartbeats"), 20)


def model_for(store: Path, folder: Path, **fields: Any) -> Path:
    """A bundle with random weights whose recipe names a store."""
    runs = tuple(set(Store(store).text("run_id")))
    return bundle_at(folder / "model.safetensors", **({"split": HALVES, "runs": runs} | fields))


def drawn(result: Evaluation) -> str:
    """The table as plain text."""
    console = Console(width=250)
    with console.capture() as captured:
        console.print(render(result))
    return captured.get()


def judged(task: str, target: Sequence[int], events: Events) -> dict[str, float]:
    """Scores of one read."""
    fields = {"task": "boundary"} if task == "boundary" else SEGMENTS
    judge = Judge(recipe_for("tcn", **fields))
    judge.update(np.array(target, np.int8), events)
    return judge.compute()


def test_boundaries_outside_the_coverage_do_not_count() -> None:
    """Of boundaries at 1, 4 and 9 and predictions at 1, 5, 8 and 11, those at 8 and 11 fall where nothing is known."""
    target = [0, 1, 0, 0, 1, 0, 0, IGNORE, IGNORE, 1, 0, IGNORE]
    scores = judged("boundary", target, Events.of([1, 5, 8, 11], [5, 8, 11, 12]))

    assert (scores["n_true"], scores["n_pred"]) == (3, 2)
    assert (scores["precision_0"], scores["recall_0"]) == (1 / 2, 1 / 3)
    assert (scores["precision_1"], scores["recall_1"]) == (1, 2 / 3)


def test_a_perfect_prediction_scores_one() -> None:
    """Events that are the truth score 1 at every tolerance."""
    scores = judged("boundary", [1, 0, 0, 1, 0, 1], Events.of([0, 3, 5], [3, 5, 6]))

    assert {scores[f"f1_{tolerance}"] for tolerance in (0, 1, 2, 3, 5)} == {1.0}
    assert (scores["r_value"], scores["over_segmentation"]) == (1, 0)


def test_segments_are_compared_sample_by_sample() -> None:
    """Four of six known samples agree; the one true beat and what was found of it share 2 of 4 samples."""
    target = [0, 0, 1, 1, 1, 0, IGNORE, IGNORE]
    events = Events.of([0, 3, 6], [3, 6, 8], label=[0, 1, 0], classes=("background", "beat"))
    scores = judged("segment", target, events)

    assert scores["n_samples"] == 6
    assert scores["accuracy"] == pytest.approx(4 / 6)
    assert scores["f1_beat"] == pytest.approx(2 * 2 / (3 + 3))
    assert scores["sample_iou_beat"] == pytest.approx(2 / 4)


def test_a_store_and_its_files_give_the_same_scores(squiggles: Path, tmp_path: Path) -> None:
    """Reads of the test split, from a store or from the files it was made of, are judged alike."""
    model, reads = model_for(squiggles, tmp_path), squiggles.parent / "reads"
    from_store = evaluate(model, squiggles)
    from_files = evaluate(
        model,
        reads / "reads.fast5",
        labels="intervals",
        labels_from=[reads / "events.tsv"],
        config=EvaluateConfig(work=WorkConfig(workers=1)),
    )
    counts = Store(squiggles).info.counts

    assert to_plain(from_store.scores) == to_plain(from_files.scores)
    assert from_store.ledger.kept == from_files.ledger.kept == counts["test"]["reads"]
    assert from_files.ledger.counts == {
        "in_train": counts["train"]["reads"],
        "in_validation": counts["validation"]["reads"],
    }
    assert from_files.data == {
        "model": str(model),
        "backend": "torch",
        "precision": from_files.data["precision"],  # the machine's
        "files": [str(reads / "reads.fast5")],
        "labels": ["intervals"],
    }


def test_training_reads_are_dropped_by_name(squiggles: Path, tmp_path: Path) -> None:
    """Asked to judge on all reads, the leak guard leaves out those of training and validation."""
    result = evaluate(model_for(squiggles, tmp_path), squiggles, baselines=[], config=EvaluateConfig(split="all"))
    store = Store(squiggles)
    seen = {
        read_id for read_id, split in zip(store.text("read_id"), store.text("split"), strict=True) if split != "test"
    }

    assert {drop.read_id for drop in result.ledger.named} == seen
    assert result.scores["model"]["n_reads"] == len(store) - len(seen)


def test_training_reads_are_judged_if_asked_for(squiggles: Path, tmp_path: Path) -> None:
    """From a store or from its files alike; none is dropped, and those that trained are counted."""
    model, reads, store = model_for(squiggles, tmp_path), squiggles.parent / "reads", Store(squiggles)
    config = EvaluateConfig(split="all", include_training=True, work=WorkConfig(workers=1))
    from_store = evaluate(model, squiggles, baselines=[], config=config)
    from_files = evaluate(
        model, reads, labels="intervals", labels_from=[reads / "events.tsv"], baselines=[], config=config
    )
    counts = {f"in_{split}": store.info.counts[split]["reads"] for split in ("train", "validation")}

    assert to_plain(from_store.scores) == to_plain(from_files.scores)
    for result in (from_store, from_files):
        assert (result.ledger.kept, result.ledger.dropped, result.ledger.notes) == (len(store), 0, counts)


def test_a_result_with_training_reads_is_marked(squiggles: Path, tmp_path: Path) -> None:
    """In the JSON, under the table, and on the page; without the option nothing is."""
    model, out = model_for(squiggles, tmp_path), tmp_path / "result.json"
    config = EvaluateConfig(split="validation", include_training=True)
    result = evaluate(model, squiggles, baselines=[], out=out, config=config)
    mark = f"Reads that trained the model were judged too (in_validation {result.ledger.kept} of {result.ledger.kept})"

    assert json.loads(out.read_text())["data"]["include_training"] is True
    assert mark in " ".join(drawn(result).split())
    assert mark in out.with_suffix(".html").read_text()
    assert "include_training" not in evaluate(model, squiggles, baselines=[]).data


def test_references_are_not_needed_to_judge_training_reads(squiggles: Path, tmp_path: Path) -> None:
    """A model whose data were split by reference is judged on files without --read_info then."""
    model, reads = model_for(squiggles, tmp_path, split=SplitConfig(by="reference")), squiggles.parent / "reads"
    labels = {"labels": "intervals", "labels_from": [reads / "events.tsv"], "baselines": []}
    work = WorkConfig(workers=1)

    with pytest.raises(ConfigError, match=r"split\.by reference: .* give --read_info"):
        evaluate(model, reads, config=EvaluateConfig(work=work), **labels)
    assert evaluate(model, reads, config=EvaluateConfig(include_training=True, work=work), **labels).ledger.kept == 20


def test_reads_of_another_run_are_kept(squiggles: Path, tmp_path: Path) -> None:
    """The model's split does not apply to reads of a sequencing run that it never saw."""
    model = model_for(squiggles, tmp_path, runs=("another",))
    result = evaluate(model, squiggles, baselines=[], config=EvaluateConfig(split="all"))

    assert (result.ledger.kept, result.ledger.dropped) == (20, 0)


def test_baselines_stand_beside_the_model(squiggles: Path, tmp_path: Path) -> None:
    """Each baseline has a row, judged on the same true boundaries."""
    result = evaluate(model_for(squiggles, tmp_path), squiggles)
    table = drawn(result)

    assert list(result.scores) == ["model", *BASELINES]
    assert len({scores["n_true"] for scores in result.scores.values()}) == 1
    assert all(name in table for name in result.scores)
    assert result.scores["ttest"]["f1_1"] > result.scores["uniform"]["f1_1"]


def test_the_models_probabilities_are_judged(squiggles: Path, tmp_path: Path) -> None:
    """The calibration error stands in the model's row alone; the table in the report counts all known samples."""
    out = tmp_path / "report.json"
    result = evaluate(model_for(squiggles, tmp_path), squiggles, baselines=["uniform"], out=out)
    report, store = json.loads(out.read_text()), Store(squiggles)
    known = sum(int((store.read_target(row) != IGNORE).sum()) for row in store.rows("test"))

    assert 0 < result.scores["model"]["ece"] < 1
    assert "ece" not in report["scores"]["uniform"]
    assert sum(row["n_samples"] for row in report["reliability"]) == known
    assert "ECE" in drawn(result)


def test_segments_have_a_table(heartbeats: Path, tmp_path: Path) -> None:
    """A segment model's table shows F1 by class, and the overlap of segments."""
    result = evaluate(model_for(heartbeats, tmp_path, **SEGMENTS), heartbeats, baselines=["majority"])
    table = drawn(result)

    assert all(name in table for name in ("F1 beat", "F1 background", "segment IoU", "majority"))


def test_class_names_are_not_markup(heartbeats: Path, tmp_path: Path) -> None:
    """A class called [red] is called so in the table."""
    result = evaluate(model_for(heartbeats, tmp_path, **SEGMENTS), heartbeats, baselines=[])
    renamed = replace(result.recipe, classes=("[red]", "beat"))
    scores = {key.replace("background", "[red]"): value for key, value in result.scores["model"].items()}

    assert "F1 [red]" in drawn(replace(result, recipe=renamed, scores={"model": scores}))


def test_the_report_is_json_without_nan(squiggles: Path, tmp_path: Path) -> None:
    """The written report is strict JSON, also where a score is not defined, and names the model and its data."""
    out = tmp_path / "deep" / "result.json"
    result = evaluate(model_for(squiggles, tmp_path), squiggles, baselines=["majority"], out=out)
    report = json.loads(out.read_text(), parse_constant=lambda constant: pytest.fail(f"{constant} is no JSON"))

    assert report["scores"]["majority"]["precision_1"] is None
    assert report["scores"]["model"]["f1_1"] == result.scores["model"]["f1_1"]
    assert report["data"]["split"] == "test"
    assert [(store["path"], store["labels"], store["hash"]) for store in report["data"]["stores"]] == [
        (str(squiggles), ["intervals"], Store(squiggles).info.content_hash)
    ]
    assert report["ledger"]["kept"] == result.ledger.kept


def test_the_page_lies_beside_the_json(squiggles: Path, tmp_path: Path) -> None:
    """Named alike; a name that the page needs is refused before anything is judged."""
    model, out = model_for(squiggles, tmp_path), tmp_path / "made" / "result.json"
    result = evaluate(model, squiggles, baselines=["uniform"], out=out)

    assert sorted(path.name for path in out.parent.iterdir()) == ["result.html", "result.json"]
    assert f"{result.scores['model']['f1_1']:.3f}" in out.with_suffix(".html").read_text()
    with pytest.raises(ConfigError, match=r"result\.html: give the name of the JSON"):
        evaluate(model, squiggles, out=out.with_suffix(".html"))


def test_the_way_a_model_runs_does_not_change_its_scores(squiggles: Path, tmp_path: Path) -> None:
    """Batch size and chunk length make no difference to a score."""
    model = model_for(squiggles, tmp_path)
    ways = [replace(EvaluateConfig().inference, batch_size=b, chunk_samples=c) for b, c in ((1, 256), (16, 4096))]
    one, two = [evaluate(model, squiggles, baselines=[], config=EvaluateConfig(inference=way)).scores for way in ways]

    assert one == two


def test_mistakes_are_named(squiggles: Path, heartbeats: Path, tmp_path: Path) -> None:
    """What cannot be judged is refused before anything is computed, with a way out."""
    model, reads = model_for(squiggles, tmp_path), squiggles.parent / "reads"
    empty = tmp_path / "empty"
    empty.mkdir()

    with pytest.raises(ConfigError, match="baseline 'oracle' is not known; choose one of ttest"):
        evaluate(model, squiggles, baselines=["oracle"])
    with pytest.raises(ConfigError, match=r"task segment, .* and the model was trained on task boundary"):
        evaluate(model, heartbeats)
    with pytest.raises(ConfigError, match=r"empty: not a store \(it has no dataset\.json\); .* give their --labels"):
        evaluate(model, empty)
    with pytest.raises(ConfigError, match="a store contains its labels; leave out --labels"):
        evaluate(model, squiggles, labels="tombo")
    with pytest.raises(ConfigError, match="1 more: a model is evaluated on one store"):
        evaluate(model, [squiggles, heartbeats])
    with pytest.raises(ConfigError, match="label source 'oracle' is not known"):
        evaluate(model, reads, labels="oracle")


def test_a_store_without_test_reads(squiggles: Path, tmp_path: Path) -> None:
    """With nothing left to judge on, the ledger shows where the reads went."""
    store = store_of(squiggles.parent / "reads", tmp_path / "store", split=SplitConfig(validation=0.5, test=0.0))
    model = model_for(store, tmp_path, split=SplitConfig(validation=0.5, test=0.0))

    with pytest.raises(StoreError, match=r"no read of split test is left to judge on; reads in 0"):
        evaluate(model, store)
    with pytest.raises(StoreError, match=r"no read of split all is left to judge on; reads in 20 .*in_train"):
        evaluate(model, store, config=EvaluateConfig(split="all"))


def test_a_store_of_another_chemistry_is_refused(squiggles: Path, tmp_path: Path) -> None:
    """A store keeps the chemistry of its reads, so that those of another are dropped there too."""
    with pytest.raises(StoreError, match=r"wrong_chemistry 4\).* dna_r9\.4\.1, and the model was trained on rna002"):
        evaluate(model_for(squiggles, tmp_path, chemistries=("rna002",)), squiggles)


def test_baselines_know_the_molecule_of_a_stores_reads(tmp_path: Path) -> None:
    """RNA passes slowly: what a detector sets by molecule, it sets for a store's reads too."""
    [read] = reads_of_lengths(200)
    rna = replace(read, kit="SQK-RNA002", experiment="rna", pore="FLO-MIN106")
    store = typed_store(tmp_path, [(0, 0, 200, "a")], [rna], split=SplitConfig(test=1.0, validation=0.0))

    assert store.read(0).chemistry.code == rna.chemistry.code == "rna002"


def test_classes_in_another_order(heartbeats: Path, tmp_path: Path) -> None:
    """A store that names the same classes in another order is judged by their names."""
    swapped = SEGMENTS | {"classes": ("beat", "background")}
    model = model_for(heartbeats, tmp_path, **SEGMENTS)
    network, known = load_bundle(model)
    with torch.no_grad():
        for tensor in network.head.parameters():
            tensor.copy_(tensor.flip(0))
    other = tmp_path / "swapped.safetensors"
    save_bundle(other, network, replace(known, classes=swapped["classes"]))
    one, two = (evaluate(path, heartbeats, baselines=[]).scores["model"] for path in (model, other))

    assert one["f1_beat"] == two["f1_beat"]
    assert one["accuracy"] == two["accuracy"]


def test_simulators_agree_with_their_tables(tmp_path: Path) -> None:
    """Truth that is written as a table and read back as labels is found to be perfect."""
    reads = simulated(tmp_path / "reads", n_reads=3)
    store = Store(store_of(reads, tmp_path / "store"))
    judge = Judge(recipe_for("tcn"))
    for row in range(len(store)):
        start = np.flatnonzero(store.read_target(row) == 1)
        judge.update(store.read_target(row), Events.of(start, np.append(start[1:], store.length[row])))

    assert judge.compute()["f1_0"] == 1
