"""One class per read, from labels to a table."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.csv
import pytest
import torch
from rich.console import Console

from poreconv.commands.evaluate import evaluate, render
from poreconv.commands.label import label
from poreconv.commands.prepare import prepare
from poreconv.commands.tails import speed_of
from poreconv.commands.train import train
from poreconv.config import (
    IGNORE,
    DecodeConfig,
    EvaluateConfig,
    InferenceConfig,
    PrepareConfig,
    TailsConfig,
    TrainConfig,
    WorkConfig,
)
from poreconv.dataset.store import Store
from poreconv.errors import ConfigError, ConfoundedWarning, LabelError
from poreconv.evaluation.baselines import BASELINES
from poreconv.evaluation.judge import Judge
from poreconv.events.events import Events
from poreconv.events.tasks import task_named
from poreconv.inference.backends.pytorch import TorchBackend
from poreconv.inference.labeller import Labeller, load
from poreconv.models.recipe import Recipe
from poreconv.reads.read import Read
from poreconv.runtime.records import from_json, to_json, to_plain
from poreconv.training.data import Reads, WindowBatches
from poreconv.training.module import SampleModule
from poreconv.training.objectives import ReadObjective, TrainingSplit
from tests.support.data import HALVES
from tests.support.models import TINY, bundle_at, labeller_of, random_network, recipe_for, tiny_network
from tests.support.signal_files import reads_made, write_multi

WHOLE = {"task": "read", "classes": ("flat", "steep"), "class_counts": (5, 4), "decoding": DecodeConfig()}


def told_apart(n: int = 24, run_ids: tuple[str, str] = ("a", "a")) -> list[Read]:
    """Reads of 300 samples and more; the odd ones jump between two levels, the even ones drift from one to another."""
    made = []
    for number, read in enumerate(reads_made(n)):
        n_samples = 300 + 10 * number
        t = np.arange(n_samples)
        level = np.where(number % 2, 400 + 200 * (t // 10 % 2), 400 + 200 * t / n_samples)
        adc = (level + np.random.default_rng(number).normal(0, 5, n_samples)).astype(np.int16)
        made.append(replace(read, adc=adc, run_id=run_ids[number % 2]))
    return made


def prepared(folder: Path, reads: list[Read], name: str = "store") -> Store:
    """A store of them, labelled by a table that does not know the last one."""
    folder.mkdir(parents=True, exist_ok=True)
    write_multi(folder / "reads.fast5", reads)
    rows = [f"{read.read_id},{('flat', 'steep')[number % 2]}" for number, read in enumerate(reads[:-1])]
    (folder / "labels.csv").write_text("\n".join(["read_id,label", *rows]) + "\n")
    config = PrepareConfig(task="read", split=HALVES, work=WorkConfig(workers=1))
    return prepare(
        folder / "reads.fast5",
        labels="read_table",
        labels_from=[folder / "labels.csv"],
        out=folder / name,
        config=config,
    )


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """Reads of one run, in two classes."""
    return prepared(tmp_path_factory.mktemp("reads"), told_apart())


@pytest.fixture(scope="module")
def trained(store: Store, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model that learnt from them."""
    config = TrainConfig(max_steps=60, validate_every=30, batch_size=8, chunk_samples=200, accelerator="cpu")
    return train(
        store.path, out=tmp_path_factory.mktemp("run"), network="strided", settings=TINY["strided"], config=config
    ).bundle


def whole_labeller(name: str, **config: Any) -> Labeller:
    """A network with random weights that labels whole reads."""
    return labeller_of(name, InferenceConfig(**{"precision": "32", **config}), **WHOLE)


def test_a_store_has_one_class_per_read(store: Store) -> None:
    """All samples of a read have its class, and classes are counted in reads."""
    targets = [store.read_target(row) for row in range(len(store))]
    counts = store.info.counts

    assert all(len(set(target)) == 1 and target[0] != IGNORE for target in targets)
    assert all(c["flat"] + c["steep"] == c["reads"] == c["events"] for c in counts.values())
    assert store.info.longest_event is None


def test_a_read_that_the_table_does_not_know_is_dropped_by_name(store: Store) -> None:
    """It stands in the ledger."""
    assert store.info.ledger.counts == {"no_label": 1}
    assert [drop.read_id for drop in store.info.ledger.named] == [told_apart()[-1].read_id]


def test_labels_that_agree_on_a_class_are_one_label() -> None:
    """Of the whole read; several classes, or an unknown one, are a drop."""
    read = reads_made(1)[0]
    one = Events.of([10, 30], [20, 40], label=[1, 1], classes=("a", "b"))
    event = task_named("read").labels(one, read)

    assert (event.start[0], event.end[0], event.label.tolist()) == (0, len(read.adc), [1])
    for labels in ([0, 1], [-1, -1], [1, -1]):
        with pytest.raises(LabelError, match="task read needs one class"):
            task_named("read").labels(replace(one, label=np.array(labels, np.int16)), read)


def test_one_class_is_nothing_to_tell_apart(tmp_path: Path) -> None:
    """The message names a way out."""
    write_multi(tmp_path / "reads.fast5", reads_made(2))
    with pytest.raises(ConfigError, match="give reads of another class too"):
        prepare(
            tmp_path / "reads.fast5",
            labels="path_class",
            labels_from=[f"only={tmp_path}"],
            out=tmp_path / "store",
            config=PrepareConfig(task="read", work=WorkConfig(workers=1)),
        )


def test_every_read_is_drawn_as_often(store: Store) -> None:
    """A long read gives no more windows than a short one."""
    reads = Reads([store], "train", 5.0)
    windows = WindowBatches(reads, TrainConfig())
    number, centre = windows._draw(np.random.default_rng(0), 4000)
    share = np.bincount(number) / 4000

    assert np.allclose(share, 1 / len(reads.row), atol=0.03)
    assert ((centre >= reads.first[number]) & (centre < reads.end[number])).all()


def test_the_loss_asks_for_the_class_of_a_window() -> None:
    """It is the cross-entropy of the mean logits of the known samples, whatever stands beyond the read."""
    labeller = SampleModule(tiny_network("tcn"), ReadObjective(torch.tensor([1.0, 3.0])), TrainConfig())
    logits_BCT = torch.randn(2, 2, 4, generator=torch.Generator().manual_seed(0))
    y_BT = torch.tensor([[0, 0, IGNORE, IGNORE], [1, 1, 1, 1]])
    one, two = -logits_BCT[0, :, :2].mean(1).log_softmax(0)[0], -logits_BCT[1].mean(1).log_softmax(0)[1]

    assert float(labeller.objective.loss(logits_BCT, y_BT)) == pytest.approx(float(one + 3 * two) / 4, rel=1e-5)
    assert float(labeller.objective.loss(logits_BCT, torch.full((2, 4), IGNORE))) == 0


@pytest.mark.parametrize("name", TINY)
def test_a_read_gets_one_label(name: str) -> None:
    """From its first sample to its last, its score the probability of its class by the mean of all logits."""
    labeller, read = whole_labeller(name), reads_made(1, seed=3)[0]
    p_CT, events = labeller.probabilities(read), labeller(read)

    assert (events.start.tolist(), events.end.tolist()) == ([0], [len(read.adc)])
    assert (p_CT == p_CT[:, :1]).all()
    assert events.score[0] == pytest.approx(p_CT[events.label[0], 0])


@pytest.mark.parametrize("name", ["tcn", "strided", "campolina", "heartbeat"])
def test_the_label_does_not_depend_on_the_chunks(name: str) -> None:
    """Nor on what shares a batch."""
    reads = reads_made(3, seed=5)
    in_one, cut = whole_labeller(name, chunk_samples=8000), whole_labeller(name, chunk_samples=640, batch_size=3)
    together = [p_CT[:, 0] for _, p_CT in cut.with_probabilities(reads)]

    for read, p_C in zip(reads, together, strict=True):
        alone_CT = in_one.probabilities(read)
        assert np.allclose(p_C, alone_CT[:, 0], atol=1e-6)


def test_calibration_counts_reads() -> None:
    """A read of a million samples chooses the temperature no more than one of ten."""
    p = [[0.9, 0.1], [0.8, 0.2], [0.3, 0.7], [0.6, 0.4]]
    judged = [
        (np.tile(np.array(p_C, np.float32)[:, None], 10), np.full(10, c, np.int8))
        for p_C, c in zip(p, [0, 1, 1, 0], strict=True)
    ]
    long = [
        (np.tile(p_CT[:, :1], 1000), np.repeat(y[:1], 1000)) if i == 1 else (p_CT, y)
        for i, (p_CT, y) in enumerate(judged)
    ]

    objective = ReadObjective(torch.ones(2))
    unused = TrainingSplit(recipe_for("tcn"), [])

    assert objective.decoding(judged, unused) == objective.decoding(long, unused)


def test_a_trained_model_tells_the_classes(store: Store, trained: Path, tmp_path: Path) -> None:
    """It is judged read by read, beside the majority alone; the confusion stands in the JSON."""
    result = evaluate(trained, store.path, out=tmp_path / "e.json")
    n_reads = store.info.counts["test"]["reads"]
    written = json.loads((tmp_path / "e.json").read_text())

    assert list(result.scores) == ["model", "majority"]
    assert result.scores["model"]["accuracy"] == result.scores["model"]["auroc"] == 1
    assert result.scores["majority"]["auroc"] == 0.5
    assert np.sum(result.confusion) == np.trace(result.confusion) == n_reads
    assert written["confusion"] == [" ".join(map(str, row)) for row in result.confusion]
    assert "assigns 100% of the reads to their true class" in (tmp_path / "e.html").read_text()
    assert 0 <= written["scores"]["model"]["ece"] < 1


def test_other_baselines_may_be_asked_for(store: Store, trained: Path) -> None:
    """They find no places that count: all of a read is of the majority's class."""
    scores = to_plain(evaluate(trained, store.path, baselines=list(BASELINES)))["scores"]

    assert scores["ttest"] == scores["majority"]


def test_the_table_of_labels_is_read_back(store: Store, trained: Path, tmp_path: Path) -> None:
    """One row per read; it is a table of labels again, and of intervals."""
    folder = store.path.parent
    label(trained, folder / "reads.fast5", out=tmp_path / "labels.tsv")
    rows = pyarrow.csv.read_csv(tmp_path / "labels.tsv", parse_options=pyarrow.csv.ParseOptions(delimiter="\t"))
    config = EvaluateConfig(work=WorkConfig(workers=1))
    scores = [
        evaluate(trained, folder, labels=source, labels_from=[tmp_path / "labels.tsv"], config=config).scores["model"]
        for source in ("read_table", "intervals")
    ]

    assert rows["read_id"].to_pylist() == [read.read_id for read in told_apart()]
    assert scores[0] == scores[1]
    assert scores[0]["accuracy"] == 1


def test_resampled_reads_are_labelled_whole(tmp_path: Path) -> None:
    """At another sample rate the one event still reaches from end to end, and the probabilities count."""
    recipe = recipe_for("tcn", **WHOLE, resampled_from_hz=(4000.0, 5000.0))
    read = replace(reads_made(1)[0], sample_rate_hz=5000.0)
    labeller = Labeller(TorchBackend(random_network("tcn"), device="cpu"), recipe)
    p_CT, judge = labeller.probabilities(read), Judge(recipe)
    events = labeller.decode(read, p_CT)
    judge.update(np.zeros(len(read.adc), np.int8), events, p_CT)

    assert p_CT.shape[1] < len(read.adc)
    assert (events.start[0], events.end[0]) == (0, len(read.adc))
    assert 0 < judge.compute()["ece"] < 1


def test_classes_of_different_runs_are_told_wherever_they_count(tmp_path: Path) -> None:
    """Preparing, training and judging warn; the recipe, its card and the table of scores keep it."""
    reads = told_apart(run_ids=("one run", "another run"))
    config = TrainConfig(max_steps=2, validate_every=1, batch_size=2, chunk_samples=100, accelerator="cpu")
    with pytest.warns(ConfoundedWarning, match="flat, steep: from different sequencing runs"):
        apart = prepared(tmp_path, reads)
    with pytest.warns(ConfoundedWarning):
        model = train(
            apart.path, out=tmp_path / "run", network="strided", settings=TINY["strided"], config=config
        ).bundle
    with pytest.warns(ConfoundedWarning):
        result = evaluate(model, apart.path)
    console = Console(width=200)
    with console.capture() as captured:
        console.print(render(result))

    assert load(model).recipe.confounded == ("flat", "steep")
    assert "from different sequencing runs" in captured.get()


def test_a_common_run_confounds_nothing(store: Store, trained: Path) -> None:
    """Nor does another task, whose classes stand in one read."""
    assert load(trained).recipe.confounded == ()
    assert from_json(to_json(replace(load(trained).recipe, confounded=("a",))), Recipe).confounded == ("a",)


def test_a_model_of_whole_reads_finds_no_tails(tmp_path: Path) -> None:
    """Even if a class is called so."""
    recipe = recipe_for("tcn", **(WHOLE | {"classes": ("polya", "none")}))
    with pytest.raises(ConfigError, match="task read"):
        speed_of(recipe, TailsConfig())


def test_a_bundle_of_task_read_is_loaded(tmp_path: Path) -> None:
    """Its recipe comes back."""
    assert load(bundle_at(tmp_path / "m.safetensors", **WHOLE)).recipe.task == "read"
