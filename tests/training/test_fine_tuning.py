from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from poreconv.config import TrainConfig
from poreconv.dataset.store import Store
from poreconv.errors import BundleError, ConfigError
from poreconv.models.architectures import ARCHITECTURES
from poreconv.models.bundle import load_bundle
from poreconv.models.networks.choice import choose_network
from poreconv.training.fine_tuning import freeze_below
from poreconv.training.run import TrainingRun
from tests.support.data import heartbeat_store, squiggle_store
from tests.support.models import TINY, bundle_at
from tests.support.networks import Averaging

CONFIG = TrainConfig(
    max_steps=6, batch_size=4, chunk_samples=120, validate_every=3, precision="32", accelerator="cpu", seed=3
)
NEW_HEAD = r"was trained for a, b, c, and this training is for inside, boundary: the head \(head.bias, head.weight\)"


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """A store of simulated squiggles, task `boundary`."""
    return Store(squiggle_store(tmp_path_factory.mktemp("squiggles")))


@pytest.fixture(scope="module")
def other_store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """A store of simulated heartbeats, task `segment`."""
    return Store(heartbeat_store(tmp_path_factory.mktemp("heartbeats")))


def of_three_classes(path: Path, name: str = "tcn") -> Path:
    """Write a bundle of a model with other classes than those of task `boundary`."""
    return bundle_at(path, name, task="segment", classes=("a", "b", "c"), class_counts=(5, 6, 7))


def run_of(store: Store, out: Path, network: Any = None, settings: Any = None, **config: Any) -> TrainingRun:
    """Make a training run."""
    return TrainingRun([store], out, network, settings, replace(CONFIG, **config))


def test_the_architecture_comes_with_the_weights(store: Store, tmp_path: Path) -> None:
    """Neither network nor settings need to be given; without a model to start from it is a unet."""
    before = bundle_at(tmp_path / "before.safetensors", "strided")
    run, usual = run_of(store, tmp_path / "run", start_from=str(before)), run_of(store, tmp_path / "usual")
    theirs, _ = load_bundle(before)

    assert (run.recipe.network, run.recipe.network_settings) == ("strided", vars(TINY["strided"]))
    assert all(torch.equal(a, b) for a, b in zip(run.module.network.parameters(), theirs.parameters(), strict=True))
    assert usual.recipe.network == "unet"


def test_other_classes_have_a_new_head(store: Store, tmp_path: Path) -> None:
    """All below it starts from the model's weights, and the warning names what starts anew."""
    before = of_three_classes(tmp_path / "before.safetensors")
    with pytest.warns(UserWarning, match=NEW_HEAD):
        run = run_of(store, tmp_path / "run", start_from=str(before))
    network, (theirs, recipe) = run.module.network.state_dict(), load_bundle(before)
    kept = {name: weight for name, weight in theirs.state_dict().items() if not name.startswith("head.")}

    assert network["head.weight"].shape[0] == 2
    assert all(torch.equal(network[name], weight) for name, weight in kept.items())
    assert run.recipe.before == recipe.seen


def test_names_of_classes_decide_not_their_number(other_store: Store, tmp_path: Path) -> None:
    """As many classes with other names mean something else."""
    before = bundle_at(tmp_path / "before.safetensors", task="segment", classes=("a", "b"))

    with pytest.warns(UserWarning, match="the head .* starts anew"):
        run = run_of(other_store, tmp_path / "run", start_from=str(before))
    assert not torch.equal(run.module.network.head.weight, load_bundle(before)[0].head.weight)


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_the_head_is_what_depends_on_the_classes(name: str) -> None:
    """Of every architecture that is its last layer."""
    choice = choose_network(name, TINY[name])
    network = choice.build(2, 100)
    *_, last = [layer for layer, module in network.named_modules() if isinstance(module, nn.Conv1d | nn.Linear)]

    assert choice.head(network) == {f"{last}.weight", f"{last}.bias"}


@pytest.mark.filterwarnings("ignore:start_from:UserWarning")
@pytest.mark.parametrize("name", ["tcn", "alexnet", "crnn"])
def test_all_below_the_head_is_kept(name: str, store: Store, tmp_path: Path) -> None:
    """Weights and statistics of the batch norms are those of the model, to the bit, after a training."""
    before = of_three_classes(tmp_path / "before.safetensors", name)
    run = run_of(store, tmp_path / "run", start_from=str(before), freeze=True, learning_rate=0.1)
    first = {key: weight.clone() for key, weight in run.module.network.state_dict().items()}
    run.fit(lambda *_: None)
    (trained, _), (theirs, _) = load_bundle(run.bundle), load_bundle(before)
    changed = {key for key, weight in trained.state_dict().items() if not torch.equal(weight, first[key])}

    assert changed == {key for key in first if first[key].shape != theirs.state_dict()[key].shape} != set()


def test_without_freezing_all_is_trained(store: Store, tmp_path: Path) -> None:
    """A training that starts from a model changes all its weights."""
    before = bundle_at(tmp_path / "before.safetensors")
    run = run_of(store, tmp_path / "run", start_from=str(before), learning_rate=0.1)
    run.fit(lambda *_: None)
    (trained, _), (theirs, _) = load_bundle(run.bundle), load_bundle(before)

    assert not any(torch.equal(a, b) for a, b in zip(trained.parameters(), theirs.parameters(), strict=True))


def test_dropout_below_the_head_is_off() -> None:
    """What is frozen labels as in evaluation."""
    choice = choose_network("alexnet", TINY["alexnet"])
    network = choice.build(2, 100).train()
    freeze_below(network, choice.head(network))

    assert not any(layer.training for layer in network.modules() if isinstance(layer, nn.Dropout | nn.BatchNorm1d))
    assert network.head[-1].training


def test_a_network_of_ones_own_goes_on(store: Store, tmp_path: Path) -> None:
    """Given again, it takes its settings from the model; with other classes it has a new head, and can be frozen."""
    first = run_of(store, tmp_path / "first", Averaging, {"width": 5})
    first.write_bundle()
    start = str(first.bundle)
    again = run_of(store, tmp_path / "again", Averaging, start_from=start)

    assert again.recipe.network_settings == {"width": 5}
    assert torch.equal(again.module.network.module.stem.weight, first.module.network.module.stem.weight)
    with pytest.raises(BundleError, match="give it, as --network"):
        run_of(store, tmp_path / "none", start_from=start)


def test_the_head_of_a_network_of_ones_own(store: Store, other_store: Store, tmp_path: Path) -> None:
    """Known if its class is called with the number of classes, and only then."""
    first = run_of(other_store, tmp_path / "first", Averaging)
    first.write_bundle()
    renamed = replace(first.recipe, classes=("up", "down"))
    first.recipe = renamed
    first.write_bundle()
    with pytest.warns(UserWarning, match=r"the head \(module.head.bias, module.head.weight\) starts anew"):
        run = run_of(store, tmp_path / "run", Averaging, start_from=str(first.bundle), freeze=True)
    trained = [name for name, weight in run.module.network.named_parameters() if weight.requires_grad]

    assert trained == ["module.head.weight", "module.head.bias"]
    with pytest.raises(ConfigError, match="it has other classes, and which weights are the head is known only"):
        run_of(store, tmp_path / "other", Averaging(2), start_from=str(first.bundle))


@pytest.mark.parametrize(
    ("network", "settings", "message"),
    [
        ("heartbeat", None, "does not fit a heartbeat .*: it is a tcn; leave out network and settings"),
        ("tcn", replace(TINY["tcn"], channels=9), "does not fit a tcn .*size mismatch"),
        (Averaging, None, "it is a tcn"),
    ],
)
def test_another_architecture_is_refused(
    network: Any, settings: Any, message: str, store: Store, tmp_path: Path
) -> None:
    """It cannot start from the model's weights."""
    before = bundle_at(tmp_path / "before.safetensors")

    with pytest.raises(ConfigError, match=message):
        run_of(store, tmp_path / "run", network, settings, start_from=str(before))
    assert not (tmp_path / "run").exists()


def test_what_is_to_be_frozen() -> None:
    """Without a model to start from there is nothing to keep."""
    with pytest.raises(ConfigError, match="freeze: needs start_from"):
        TrainConfig(freeze=True)


def test_an_exported_model_cannot_go_on(store: Store, tmp_path: Path) -> None:
    """It has no weights to train."""
    (tmp_path / "model.onnx").write_bytes(b"")

    with pytest.raises(ConfigError, match="is an exported model; give the bundle"):
        run_of(store, tmp_path / "run", start_from=str(tmp_path / "model.onnx"))
