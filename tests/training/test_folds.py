from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from poreconv.cli.main import main
from poreconv.commands import train as command
from poreconv.commands.evaluate import evaluate, render
from poreconv.commands.train import REPORT
from poreconv.config import EvaluateConfig, SplitConfig, TrainConfig
from poreconv.dataset.store import Store
from poreconv.errors import ConfigError, ReadDropped
from poreconv.evaluation.result import RUN_EVALUATION, read_evaluation
from poreconv.models.architectures import Heartbeat
from poreconv.models.bundle import load_bundle
from poreconv.models.header import read_header
from poreconv.models.recipe import Recipe
from poreconv.reads.read import Read
from poreconv.runtime.progress import Progress
from poreconv.training.folds import FoldedRun
from poreconv.training.run import BUNDLE
from tests.support.data import simulated, store_of
from tests.support.signal_files import reads_made
from tests.support.stores import prepared

NETWORK = Heartbeat(channels=4, layers=2)
CONFIG = TrainConfig(
    max_steps=6, batch_size=4, chunk_samples=200, validate_every=3, precision="32", accelerator="cpu", folds=5
)
MARK = "Each read was judged by one of 5 models that had not seen it; the bundle is another model, trained on all."


def five_reads(folder: Path) -> Path:
    """A store of five heartbeat traces whose beats are typed into a table, with the default split."""
    reads = simulated(folder / "reads", "heartbeat", 5)
    return store_of(reads, folder / "store", task="segment", outside="background", split=SplitConfig())


def folded(store: Path, out: Path, **settings: Any) -> FoldedRun:
    """A run in folds, which has not begun."""
    return FoldedRun([Store(store)], out, "heartbeat", NETWORK, replace(CONFIG, **settings))


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Five reads."""
    return five_reads(tmp_path_factory.mktemp("five"))


@pytest.fixture(scope="module")
def run(store: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a training run of five reads in five folds, with its report."""
    out = tmp_path_factory.mktemp("folded")
    return command.train(store, out=out, network="heartbeat", settings=NETWORK, config=CONFIG).bundle.parent


def seen_by(recipe: Recipe, reads: list[Read]) -> dict[str, str]:
    """Return what the leak guard of a model knows of each read."""
    found = {}
    for read in reads:
        try:
            recipe.check_unseen(read)
            found[read.read_id] = "unseen"
        except ReadDropped as exc:
            found[read.read_id] = exc.reason
    return found


def reads_of(store: Path) -> list[Read]:
    """All reads of a store."""
    opened = Store(store)
    return [opened.read(row) for row in range(len(opened))]


def test_each_read_is_judged_once_by_a_model_that_has_not_seen_it(store: Path, run: Path) -> None:
    """Of five reads each is unseen by one of the five models, validates another, and trains the other three."""
    recipes = [read_header(run / "folds" / str(fold) / BUNDLE).recipe for fold in range(1, 6)]
    seen = [seen_by(recipe, reads_of(store)) for recipe in recipes]
    judged = read_evaluation(run / RUN_EVALUATION)

    assert sorted(read.read_id for read in judged.reads) == sorted(read.read_id for read in reads_of(store))
    assert (judged.scores["model"]["n_reads"], judged.ledger.kept, judged.ledger.dropped) == (5, 5, 0)
    for read in reads_of(store):
        assert Counter(of_model[read.read_id] for of_model in seen) == {
            "in_train": 3, "in_validation": 1, "unseen": 1,
        }  # fmt: skip


def test_the_scores_are_those_of_the_folds_models(store: Path, run: Path) -> None:
    """Each read scores what the model of its fold scores on it."""
    scores = {read.read_id: read.model["accuracy"] for read in read_evaluation(run / RUN_EVALUATION).reads}
    alone = {}
    for fold in range(1, 6):
        config = EvaluateConfig(split="all")
        result = evaluate(run / "folds" / str(fold) / BUNDLE, store, baselines=[], config=config)
        alone |= {read.read_id: read.model["accuracy"] for read in result.reads}

    assert alone == scores


def test_the_bundle_has_seen_all_reads(store: Path, run: Path) -> None:
    """Its guard drops each of them, and none of another store, even of the same sequencing run."""
    recipe = read_header(run / BUNDLE).recipe
    other = [replace(read, read_id=f"new {read.read_id}") for read in reads_of(store)]

    assert set(seen_by(recipe, reads_of(store)).values()) == {"in_train"}
    assert set(seen_by(recipe, other).values()) == {"unseen"}
    assert sum(recipe.class_counts) == Store(store).length.sum()


def test_scores_of_folds_are_marked(run: Path) -> None:
    """The JSON, the page and the table state that the judged models are not the bundle."""
    result = read_evaluation(run / RUN_EVALUATION)
    page = (run / REPORT).read_text()

    assert (result.data["folds"], result.data["split"], result.data["reads_in_split"]) == (5, "all", 5)
    assert MARK in page
    assert "5 folds of" in page
    assert MARK in str(render(result).caption)


def test_the_command_prints_the_scores_of_the_folds(store: Path, run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """On stderr, with what they are of; stdout has the bundle's path alone."""
    flags = [f"--{name}={value}" for name, value in vars(CONFIG).items() if value != getattr(TrainConfig(), name)]
    network = ["--network=heartbeat", "--heartbeat.channels=4", "--heartbeat.layers=2"]
    main(["train", str(store), "--out", str(run), *flags, *network])
    printed = capsys.readouterr()

    assert printed.out == f"{run / BUNDLE}\n"
    assert MARK in " ".join(printed.err.split())
    assert "macro F1" in printed.err


def test_the_decoding_is_chosen_on_reads_that_were_not_seen(run: Path, store: Path) -> None:
    """What is chosen from are the outputs of the folds' models, one for each read; the bundle's own are not used."""
    training = folded(store, run)
    judged = training.judged()

    assert len(judged) == 5
    assert training.decoding() == load_bundle(run / BUNDLE)[1].decoding


class KilledError(Exception):
    """Ends a training."""


def killing(at: str) -> Progress:
    """Return a progress that ends the training at a note."""

    def progress(share: float, note: str = "") -> None:
        assert 0 <= share <= 1
        if note.startswith(at):
            raise KilledError

    return progress


def test_a_killed_training_in_folds_ends_like_an_undisturbed_one(store: Path, run: Path, tmp_path: Path) -> None:
    """Killed in a fold, and in the training on all reads, it goes on where it was; what is finished is left alone."""
    with pytest.raises(KilledError):
        folded(store, tmp_path).fit(killing("fold 2 of 5, step 5"))
    first = (tmp_path / "folds" / "1" / BUNDLE).stat().st_mtime_ns
    begun = sorted(path.parent.name for path in tmp_path.glob("folds/*/checkpoints"))
    with pytest.raises(KilledError):
        folded(store, tmp_path).fit(killing("all reads, step 4"))
    whole = (tmp_path / "checkpoints").exists()
    command.train(store, out=tmp_path, network="heartbeat", settings=NETWORK, config=CONFIG)

    assert (begun, whole) == (["2"], True)
    assert (tmp_path / "folds" / "1" / BUNDLE).stat().st_mtime_ns == first
    for path in (BUNDLE, "folds/2/model.safetensors", "folds/5/model.safetensors"):
        assert (tmp_path / path).read_bytes() == (run / path).read_bytes()
    assert not list(tmp_path.rglob("checkpoints"))


def test_a_finished_training_in_folds_is_left_alone(store: Path, run: Path) -> None:
    """The same command neither trains nor judges again; other folds need another folder."""
    before = {path: path.stat().st_mtime_ns for path in run.rglob("*.safetensors")}
    command.train(store, out=run, network="heartbeat", settings=NETWORK, config=CONFIG)

    assert {path: path.stat().st_mtime_ns for path in run.rglob("*.safetensors")} == before
    with pytest.raises(ConfigError, match="holds a training run with other stores or settings"):
        folded(store, run, folds=2)


def test_two_folds_train_and_validate_on_one(store: Path, tmp_path: Path) -> None:
    """What is not held out serves as both."""
    stores = [one for fold in folded(store, tmp_path, folds=2).judges for one in fold.stores]
    train, validation, test = (
        [one.rows(split).tolist() for one in stores] for split in ("train", "validation", "test")
    )

    assert train == validation == test[::-1]
    assert sorted(row for rows in test for row in rows) == list(range(5))


def test_reads_of_a_run_are_in_one_fold(tmp_path: Path) -> None:
    """Folds are of what the split rule keeps together, in several stores as in one."""
    reads = [read for seed in range(4) for read in reads_made(3, seed, run_id=f"run{seed}")]
    split = SplitConfig(by="run")
    stores = [prepared(tmp_path / name, some, split=split) for name, some in (("a", reads[:7]), ("b", reads[7:]))]
    training = FoldedRun(stores, tmp_path / "run", "heartbeat", NETWORK, replace(CONFIG, folds=2))
    held_out = [
        {run for store in fold.stores for row, run in enumerate(store.text("run_id")) if row in store.rows("test")}
        for fold in training.judges
    ]

    assert sorted(map(len, held_out)) == [2, 2]
    assert held_out[0].isdisjoint(held_out[1])


def test_reads_without_labels_are_not_dealt(tmp_path: Path) -> None:
    """A read of which nothing is known fills no fold, and is not judged."""
    reads = reads_made(4)
    rows = [f"{read.read_id}\t0\t9\tA\n{read.read_id}\t9\t18\tC\n" for read in reads[:3]]
    stuck = f"{reads[3].read_id}\t0\t{len(reads[3].adc)}\tA\n"
    assert len(reads[3].adc) > 25 * 9
    store = prepared(tmp_path, reads, "read_id\tstart\tend\tlabel\n" + "".join(rows) + stuck)
    training = FoldedRun([store], tmp_path / "run", "heartbeat", NETWORK, replace(CONFIG, folds=3))

    assert sorted(row for fold in training.judges for row in fold.stores[0].rows("test")) == [0, 1, 2]
    with pytest.raises(ConfigError, match=r"folds: 4, more than the 3 reads with labels in .*store; choose fewer"):
        FoldedRun([store], tmp_path / "four", "heartbeat", NETWORK, replace(CONFIG, folds=4))
    assert not (tmp_path / "four").exists()


@pytest.mark.parametrize("folds", [1, -2])
def test_one_fold_is_none(folds: int) -> None:
    """With one fold no read would be left to train on."""
    with pytest.raises(ConfigError, match=f"folds: {folds}; must be 2 or more, or 0 for none"):
        TrainConfig(folds=folds)


def test_five_reads_train_without_folds(store: Path, tmp_path: Path) -> None:
    """With the default split there is a read to train, to validate and to test on; the recipe lists those moved."""
    out = tmp_path / "run"
    command.train(store, out=out, network="heartbeat", settings=NETWORK, config=replace(CONFIG, folds=0))
    recipe, counts = read_header(out / BUNDLE).recipe, Store(store).info.counts
    seen = Counter(seen_by(recipe, reads_of(store)).values())

    assert recipe.moved == Store(store).info.moved
    assert read_evaluation(out / RUN_EVALUATION).data["split"] == "test"
    assert seen == {
        "in_train": counts["train"]["reads"],
        "in_validation": counts["validation"]["reads"],
        "unseen": counts["test"]["reads"],
    }
