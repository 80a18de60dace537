from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from poreconv.dataset.store import Store
from poreconv.errors import FormatError
from poreconv.evaluation.baselines.uniform import detect
from poreconv.evaluation.judge import judge, spread
from poreconv.evaluation.result import Evaluation, read_evaluation, write_evaluation
from poreconv.evaluation.truths import Truths
from poreconv.inference.labeller import Labeller, load
from poreconv.runtime.ledger import Ledger
from poreconv.runtime.records import to_plain
from tests.support.data import HALVES, heartbeat_store, squiggle_store
from tests.support.models import bundle_at

SEGMENTS = {"task": "segment", "classes": ("background", "beat"), "sample_rate_hz": 250.0, "chemistries": ("unknown",)}


@pytest.fixture(scope="module")
def squiggles(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """A store of simulated squiggles."""
    return Store(squiggle_store(tmp_path_factory.mktemp("squiggles")))


def labeller_for(store: Store, folder: Path, **fields: Any) -> Labeller:
    """Return a model with random weights whose recipe names the runs of a store."""
    runs = tuple(set(store.text("run_id")))
    return load(bundle_at(folder / "model.safetensors", **({"split": HALVES, "runs": runs} | fields)), device="cpu")


def judged(stores: Sequence[Store], folder: Path, split: str = "test", **options: Any) -> Evaluation:
    """Judge a random model and regular cuts."""
    labeller = labeller_for(stores[0], folder)
    return judge(labeller, Truths(stores, labeller.recipe, split, **options), {"uniform": detect}, lambda *_: None)


@pytest.fixture(scope="module")
def evaluation(squiggles: Store, tmp_path_factory: pytest.TempPathFactory) -> Evaluation:
    """A random model on the test reads."""
    return judged([squiggles], tmp_path_factory.mktemp("model"))


def test_every_read_has_its_scores(squiggles: Store, evaluation: Evaluation) -> None:
    """From the best to the worst, beside the baseline's."""
    ids, f1 = squiggles.text("read_id"), [read.model["f1_1"] for read in evaluation.reads]

    assert sorted(read.read_id for read in evaluation.reads) == sorted(ids[row] for row in squiggles.rows("test"))
    assert f1 == sorted(f1, reverse=True)
    assert min(f1) <= evaluation.scores["model"]["f1_1"] <= max(f1)
    assert all(read.baselines.keys() == {"uniform"} for read in evaluation.reads)


def test_three_reads_are_kept_to_be_drawn(evaluation: Evaluation) -> None:
    """The best, the one in the middle, the worst."""
    ranked = [read.read_id for read in evaluation.reads]

    assert [excerpt.read_id for excerpt in evaluation.drawn] == [
        ranked[0],
        ranked[round((len(ranked) - 1) / 2)],
        ranked[-1],
    ]


def test_of_many_reads_some_are_listed(squiggles: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The best and the worst are among them, and those that are drawn."""
    monkeypatch.setattr("poreconv.evaluation.judge.MOST_READS", 3)
    few, every = judged([squiggles], tmp_path, "all"), judged([squiggles], tmp_path, "all", guarded=False)
    ids = [read.read_id for read in few.reads]

    assert len(few.reads) == 3 < few.ledger.kept < every.ledger.kept
    assert [excerpt.read_id for excerpt in few.drawn] == ids
    assert few.reads[0].model["f1_1"] > few.reads[1].model["f1_1"] > few.reads[2].model["f1_1"]


def test_offsets_count_every_true_boundary(evaluation: Evaluation) -> None:
    """Those that are far away too."""
    assert sum(evaluation.offsets.values()) == evaluation.scores["model"]["n_true"]


def test_segments_have_a_confusion(tmp_path: Path) -> None:
    """Its rows hold all judged samples."""
    store = Store(heartbeat_store(tmp_path, 12))
    labeller = labeller_for(store, tmp_path, **SEGMENTS)
    result = judge(labeller, Truths([store], labeller.recipe, "test"), {}, lambda *_: None)

    assert np.sum(result.confusion) == result.scores["model"]["n_samples"]
    assert {*result.reads[0].model} == {"macro_f1", "accuracy", "mean_segment_iou"}


def test_several_stores_are_judged_together(squiggles: Store, evaluation: Evaluation, tmp_path: Path) -> None:
    """A read that stands in two of them counts twice."""
    twice = judged([squiggles, Store(squiggle_store(tmp_path, seed=1))], tmp_path)

    assert twice.ledger.kept > evaluation.ledger.kept
    assert len(twice.data["stores"]) == 2


def test_a_split_that_chose_the_model_is_judged_only_without_the_guard(squiggles: Store, tmp_path: Path) -> None:
    """Without the guard, validation reads are judged; with it, none is left."""
    labeller = labeller_for(squiggles, tmp_path)
    seen = [Truths([squiggles], labeller.recipe, "validation", guarded=guarded) for guarded in (True, False)]
    kept = [len(list(truths.reads(Ledger()))) for truths in seen]

    assert kept == [0, len(squiggles.rows("validation"))]


def test_judging_can_be_bounded(squiggles: Store, tmp_path: Path) -> None:
    """Of many samples some reads are taken, and the result states how many."""
    result = judged([squiggles], tmp_path, most_samples=3000)

    assert 0 < result.data["reads_taken"] == result.ledger.kept < result.data["reads_in_split"]


def test_an_evaluation_survives_json(evaluation: Evaluation, tmp_path: Path) -> None:
    """What was written is read back the same."""
    path = tmp_path / "evaluation.json"
    write_evaluation(path, evaluation)

    assert to_plain(read_evaluation(path)) == to_plain(evaluation)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"scores": 3}', "<html>"])
def test_other_files_are_refused(text: str, tmp_path: Path) -> None:
    """The message names the file, and what to do."""
    (tmp_path / "other.json").write_text(text)

    with pytest.raises(FormatError, match=r"other\.json: not what .* evaluate --out writes"):
        read_evaluation(tmp_path / "other.json")
    with pytest.raises(FormatError, match=r"nowhere\.json: No such file"):
        read_evaluation(tmp_path / "nowhere.json")


def test_spread_keeps_the_ends() -> None:
    """Of many some are taken evenly; of few all."""
    assert spread(range(100), 3) == [0, 50, 99]
    assert spread("ab", 3) == ["a", "b"]
    assert spread([], 3) == []
