"""The same commands on a GPU as on the CPU; `scripts/studies/check_gpu.py` compares more, and the speed."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
import torch

from poreconv.commands.evaluate import evaluate
from poreconv.commands.export import export
from poreconv.commands.label import label
from poreconv.commands.train import train
from poreconv.config import EvaluateConfig, InferenceConfig, LabelConfig, Precision, TrainConfig, WorkConfig
from poreconv.dataset.store import Store
from poreconv.inference.backends import CPU, hardware_for, rows_for
from poreconv.inference.backends.pytorch import TorchBackend
from poreconv.inference.worker_model import TrainedModel, for_model
from poreconv.models.architectures import Tcn
from poreconv.training.run import TrainingRun
from tests.support.data import squiggle_store
from tests.support.models import random_network

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU that torch can use: needs CUDA"),
]

NETWORK = Tcn(channels=12, kernel=3, dilations=(1, 2, 4), cycles=1, stem_kernel=5)
TRAINING = TrainConfig(
    max_steps=40, batch_size=8, chunk_samples=300, learning_rate=0.02, validate_every=10, accelerator="cuda"
)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store of simulated squiggles, its reads beside it."""
    return squiggle_store(tmp_path_factory.mktemp("squiggles"))


@pytest.fixture(scope="module")
def trained(store: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle that was trained on the GPU."""
    out = tmp_path_factory.mktemp("trained") / "run"
    config = replace(TRAINING, precision="32")
    return train(store, out=out, network="tcn", settings=NETWORK, config=config, with_report=False).bundle


def on(accelerator: str, precision: Precision = "32") -> InferenceConfig:
    """Settings of labelling on some hardware."""
    return InferenceConfig(accelerator=accelerator, precision=precision)


def labelled(model: Path, store: Path, out: Path, inference: InferenceConfig, workers: int = 1) -> Path:
    """Label the reads of a store."""
    reads = store.parent / "reads" / "reads.fast5"
    label(model, reads, out=out, config=LabelConfig(inference=inference, work=WorkConfig(workers)))
    return out


def test_the_gpu_is_the_hardware() -> None:
    """It is found without being asked for, batches are large, and its memory limits the processes."""
    found, backend = hardware_for("torch", "auto"), TorchBackend(random_network("tcn"))

    assert found != CPU
    assert (found.most_processes or 0) >= 1
    assert (rows_for(backend, 0), rows_for(backend, 500)) == (64, 500)
    assert hardware_for("torch", "cpu") == CPU


def test_float32_is_the_same_as_on_the_cpu() -> None:
    """To the fifth digit: without TensorFloat-32, which torch would use."""
    x_NT = np.random.default_rng(0).normal(size=(16, 2000)).astype(np.float32)
    here, there = (TorchBackend(random_network("unet"), "32", device)(x_NT) for device in ("cuda", "cpu"))

    np.testing.assert_allclose(here, there, atol=1e-4)


def events_of(table: Path) -> dict[tuple[str, int, int], float]:
    """Read, start and end of each event -> its score."""
    columns = pq.read_table(table).to_pydict()
    events = zip(columns["read_id"], columns["start"], columns["end"], strict=True)
    return dict(zip(events, columns["score"], strict=True))


@pytest.mark.parametrize("workers", [1, 2])
def test_labels_are_those_of_the_cpu(workers: int, trained: Path, store: Path, tmp_path: Path) -> None:
    """But for rounding, by which a peak may lie a sample beside; also where processes share the GPU."""
    here = events_of(labelled(trained, store, tmp_path / "here.parquet", on("cuda"), workers))
    there = events_of(labelled(trained, store, tmp_path / "there.parquet", on("cpu")))
    both = here.keys() & there.keys()

    assert len(both) > 0.999 * len(here.keys() | there.keys()) > 100
    assert max(abs(here[event] - there[event]) for event in both) < 1e-3


def test_the_same_command_writes_the_same_table(trained: Path, store: Path, tmp_path: Path) -> None:
    """A resumed run depends on it; in bf16 too."""
    for precision in ("32", "bf16"):
        one, two = (labelled(trained, store, tmp_path / f"{precision}{n}.tsv", on("cuda", precision)) for n in (1, 2))

        assert one.read_bytes() == two.read_bytes()


def test_auto_labels(trained: Path, store: Path, tmp_path: Path) -> None:
    """The precision is measured on the GPU, and processes share it."""
    model = TrainedModel.find(trained, InferenceConfig()).settled()
    labelled(trained, store, tmp_path / "auto.tsv", InferenceConfig(), workers=0)

    assert model.way is not None
    assert model.way.precision in {"32", "bf16"}
    assert for_model(WorkConfig(), model).workers >= 1


def test_scores_are_those_of_the_cpu(trained: Path, store: Path) -> None:
    """A model is as good on both."""
    here, there = (
        evaluate(trained, store, baselines=[], config=EvaluateConfig(inference=on(name))).scores["model"]["f1_1"]
        for name in ("cuda", "cpu")
    )

    assert here == pytest.approx(there, abs=1e-3)


@pytest.mark.parametrize("precision", ["32", "bf16"])
def test_boundaries_are_learnt(precision: Precision, store: Path, tmp_path: Path) -> None:
    """Training there leaves a model that finds boundaries."""
    config = replace(TRAINING, precision=precision, max_steps=200)
    bundle = train(store, out=tmp_path / "run", network="tcn", settings=NETWORK, config=config).bundle
    scores = evaluate(bundle, store, baselines=["uniform"]).scores

    assert scores["model"]["f1_1"] > scores["uniform"]["f1_1"] + 0.2


def test_a_failed_training_goes_on(trained: Path, store: Path, tmp_path: Path) -> None:
    """It ends about like an undisturbed one: sums on a GPU are not in the same order each time."""
    config, steps = replace(TRAINING, precision="32"), [None] * 25
    with pytest.raises(IndexError):
        TrainingRun([Store(store)], tmp_path / "run", "tcn", NETWORK, config).fit(lambda *_: steps.pop())
    resumed = train(
        store, out=tmp_path / "run", network="tcn", settings=NETWORK, config=config, with_report=False
    ).bundle
    again, whole = (evaluate(path, store, baselines=[]).scores["model"]["f1_1"] for path in (resumed, trained))

    assert again == pytest.approx(whole, abs=0.1)


def test_what_was_trained_there_is_exported(trained: Path, store: Path, tmp_path: Path) -> None:
    """The exported model labels as the bundle does on the GPU."""
    difference = export(trained, out=tmp_path / "model.onnx")
    exported = events_of(labelled(tmp_path / "model.onnx", store, tmp_path / "exported.parquet", on("cpu")))
    here = events_of(labelled(trained, store, tmp_path / "here.parquet", on("cuda")))

    assert difference.largest < 1e-4
    assert len(exported.keys() & here.keys()) > 0.999 * len(exported.keys() | here.keys())


def test_a_batch_that_does_not_fit_is_divided() -> None:
    """On a GPU whose memory this process may use but little of."""
    backend = TorchBackend(random_network("unet"), "32", "cuda")
    x_NT = np.random.default_rng(0).normal(size=(64, 200_000)).astype(np.float32)
    expected = backend(x_NT[:1])
    total = torch.cuda.get_device_properties(0).total_memory
    torch.cuda.empty_cache()
    torch.cuda.set_per_process_memory_fraction((torch.cuda.memory_reserved() + (256 << 20)) / total)
    try:
        found = backend(x_NT)
    finally:
        torch.cuda.set_per_process_memory_fraction(1.0)

    np.testing.assert_allclose(found[:1], expected, atol=1e-4)
