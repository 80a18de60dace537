"""A number at each sample, from labels to a table and back."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import pyarrow.csv
import pytest
import torch
from hypothesis import given, settings, strategies as st
from scipy.stats import spearmanr

from poreconv.commands.evaluate import evaluate
from poreconv.commands.export import export
from poreconv.commands.label import label
from poreconv.commands.simulate import simulate
from poreconv.commands.train import train
from poreconv.config import (
    DecodeConfig,
    HeartbeatConfig,
    InferenceConfig,
    LabelConfig,
    PrepareConfig,
    SimulateConfig,
    SourceConfig,
    SplitConfig,
    TrainConfig,
    WorkConfig,
)
from poreconv.dataset.prepare import prepare
from poreconv.dataset.store import Store
from poreconv.errors import ConfigError
from poreconv.evaluation.metrics.correlation import ValueMetric
from poreconv.events.events import joined
from poreconv.events.targets import value_events, values_of
from poreconv.inference.decoding.values import ValueDecoder
from poreconv.inference.labeller import load
from poreconv.inference.streaming.labeller import StreamingLabeller
from poreconv.labels.opening import open_labels
from poreconv.reads.readers import open_reads
from poreconv.training.regression import HuberObjective
from tests.support.models import TINY

FP32 = LabelConfig(inference=InferenceConfig(precision="32"), work=WorkConfig(workers=1))


@pytest.fixture(scope="module")
def beats(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Heartbeats with their heights."""
    common, config = SimulateConfig(reads=40), HeartbeatConfig(noise_pa=1.0, drift_pa=0.0, beats_min=2)
    return simulate("heartbeat", out=tmp_path_factory.mktemp("beats"), common=common, config=config)


@pytest.fixture(scope="module")
def store(beats: Path) -> Store:
    """They, prepared."""
    how = PrepareConfig(task="value", split=SplitConfig(test=0.3, validation=0.3), work=WorkConfig(workers=1))
    heights = [beats / "values.tsv"]
    return prepare([beats / "reads.fast5"], labels="intervals", labels_from=heights, out=beats / "store", config=how)


@pytest.fixture(scope="module")
def bundle(store: Store) -> Path:
    """A model that learnt heights."""
    config = TrainConfig(
        max_steps=120, validate_every=60, batch_size=8, chunk_samples=200, accelerator="cpu", learning_rate=0.02
    )
    out = store.path.parent / "run"
    return train(store.path, out=out, network="strided", settings=TINY["strided"], config=config).bundle


def test_heights_are_learnt_better_than_the_current_shows_them(bundle: Path, store: Store) -> None:
    """On reads that training never saw; the page is written too."""
    scores = evaluate(bundle, store.path).scores

    assert scores["model"]["pearson"] > 0.6
    assert scores["model"]["mae"] < min(scores["running_mean"]["mae"], scores["read_mean"]["mae"])
    assert "correlation of its values with the true ones" in (bundle.parent / "report.html").read_text()


def test_values_of_one_model_are_labels_of_another(bundle: Path, beats: Path, tmp_path: Path) -> None:
    """What `label` writes is what `--labels values` reads; text has the means of every few samples."""
    label(bundle, beats / "reads.fast5", out=tmp_path / "x.parquet", config=FP32)
    label(
        bundle, beats / "reads.fast5", out=tmp_path / "x.tsv", config=LabelConfig(100, FP32.inference, work=FP32.work)
    )
    labeller = load(bundle, FP32.inference, "cpu", threads=1)
    with open_reads(beats / "reads.fast5") as reads:
        read = next(iter(reads))

    expected = values_of(labeller(read), len(read.adc))
    with closing(open_labels("values", [tmp_path / "x.parquet"], SourceConfig())) as source:
        events = source.events(read)
    tsv = pyarrow.csv.read_csv(tmp_path / "x.tsv", parse_options=pyarrow.csv.ParseOptions(delimiter="\t")).to_pylist()

    assert events is not None
    assert np.array_equal(values_of(events, len(read.adc)), expected)
    mine = [row for row in tsv if row["read_id"] == read.read_id]
    assert [(row["start"], row["end"]) for row in mine] == [(0, 100), (100, 200), (200, 300), (300, 400)]
    assert mine[1]["value"] == pytest.approx(expected[100:200].mean(), abs=1e-3)


def test_events_have_no_means_and_parquet_needs_none(bundle: Path, beats: Path, tmp_path: Path) -> None:
    """The message says what to do."""
    several = LabelConfig(10)
    with pytest.raises(ConfigError, match=r"write \.tsv for means"):
        label(bundle, beats / "reads.fast5", out=tmp_path / "x.parquet", config=several)
    with pytest.raises(ConfigError, match=r"end the name in \.parquet or \.tsv"):
        label(bundle, beats / "reads.fast5", out=tmp_path / "x.bed")
    with pytest.raises(ConfigError, match="every: 10; events have no mean"):
        label("dna_r9.4.1_boundary", beats / "reads.fast5", out=tmp_path / "x.tsv", config=several)


def test_streamed_and_exported_values_are_the_same(bundle: Path, beats: Path, tmp_path: Path) -> None:
    """Piece by piece with the read's own scale, and by ONNX Runtime."""
    export(bundle, out=tmp_path / "model.onnx")
    labeller, exported = (load(path, FP32.inference, "cpu", threads=1) for path in (bundle, tmp_path / "model.onnx"))
    streaming = StreamingLabeller(labeller)
    with open_reads(beats / "reads.fast5") as reads:
        read = next(iter(reads))
    streaming.start(read)
    parts = [streaming.push(piece) for piece in np.split(read.adc, [7, 150])]
    streamed = joined([*parts, streaming.finish()])

    expected = values_of(labeller(read), len(read.adc))
    assert np.allclose(values_of(streamed, len(read.adc)), expected, rtol=1e-4, atol=1e-3)
    assert np.allclose(values_of(exported(read), len(read.adc)), expected, rtol=1e-4, atol=1e-3)


@settings(deadline=None, max_examples=50)
@given(st.lists(st.lists(st.sampled_from([0.0, 1.5, -2.0]), max_size=8), min_size=1, max_size=5))
def test_pieces_decode_as_the_whole(pieces: list[list[float]]) -> None:
    """Every sample has its value, whatever the pieces."""
    decoder = ValueDecoder(("value",), DecodeConfig(bias=(3.0,), temperature=2.0))
    logits = np.array([x for piece in pieces for x in piece], np.float32)[None]
    online, places = decoder.online(), np.cumsum([len(piece) for piece in pieces])[:-1]
    parts = np.split(decoder.outputs(logits), places, axis=1)
    events = joined([online.push(part, last=i == len(parts) - 1) for i, part in enumerate(parts)])

    whole = decoder(decoder.outputs(logits))
    assert np.array_equal(values_of(events, logits.shape[1]), values_of(whole, logits.shape[1]))
    assert np.array_equal(values_of(whole, logits.shape[1]), (logits[0] + 3) / 2)
    assert online.certain == logits.shape[1]


def test_the_loss_counts_in_spreads_of_the_training_values() -> None:
    """Small errors count squared, large ones by their size; unknown samples do not count."""
    objective = HuberObjective(10.0, 2.0)
    logits = torch.tensor([[[0.5, 0.0, 7.0]]])
    target = torch.tensor([[10.0, 16.0, np.nan]])

    assert float(objective.loss(logits, target)) == pytest.approx((0.5 * 0.5**2 + (3 - 0.5)) / 2)
    assert float(objective.weight(target)) == 2


def test_a_network_of_values_has_no_teacher() -> None:
    """The message names the way by labels."""
    with pytest.raises(ConfigError, match="give them as --labels values"):
        HuberObjective(0.0, 1.0).taught_loss(torch.zeros(1, 1, 1), torch.zeros(1, 1, 1))


def scores_of(pairs: Iterator[tuple[np.ndarray, np.ndarray]] | list[tuple[np.ndarray, np.ndarray]]) -> dict[str, float]:
    """Scores of true and predicted values, read by read."""
    metric = ValueMetric()
    for true, predicted in pairs:
        metric.update(true.astype(np.float32), predicted.astype(np.float32))
    return metric.compute()


def test_scores_are_those_of_scipy() -> None:
    """Pooled over reads; unknown samples are left out."""
    rng = np.random.default_rng(0)
    true = [rng.normal(size=n) for n in (50, 80, 30)]
    predicted = [2 * x + rng.normal(size=len(x)) + 1 for x in true]
    true[0][:5] = np.nan
    x, y = np.concatenate([predicted[0][5:], *predicted[1:]]), np.concatenate([true[0][5:], *true[1:]])

    scores = scores_of(list(zip(true, predicted, strict=True)))

    assert scores["n_samples"] == 155
    assert scores["pearson"] == pytest.approx(np.corrcoef(x, y)[0, 1], abs=1e-5)
    assert scores["spearman"] == pytest.approx(spearmanr(x, y).statistic, abs=1e-5)
    assert scores["mae"] == pytest.approx(np.abs(x - y).mean(), abs=1e-5)
    assert scores["rmse"] == pytest.approx(np.sqrt(np.square(x - y).mean()), abs=1e-5)
    assert scores["mean_error"] == pytest.approx((x - y).mean(), abs=1e-5)
    assert scores["pearson_low"] < scores["pearson"] < scores["pearson_high"]


def test_a_constant_has_no_correlation() -> None:
    """Nor has a read without a judged sample."""
    scores = scores_of([(np.array([1.0, 2.0, 3.0]), np.full(3, 0.1)), (np.full(2, np.nan), np.zeros(2))])

    assert np.isnan(scores["pearson"])
    assert np.isnan(scores["spearman"])
    assert scores["n_reads"] == 2


def test_a_store_of_values_is_one_number_per_sample(store: Store) -> None:
    """NaN where no beat is."""
    target = store.read_target(0)

    assert (store.path / "target.f4").stat().st_size == 4 * sum(store.length)
    assert np.isnan(target).any()
    typed = [float(line.split("\t")[3]) for line in (store.path.parent / "values.tsv").read_text().splitlines()[1:]]
    assert {float(value) for value in value_events(target).value} <= {float(np.float32(value)) for value in typed}
