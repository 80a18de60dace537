import json
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from poreconv.config import TrainConfig
from poreconv.errors import BundleError
from poreconv.models.architectures import ARCHITECTURES
from poreconv.models.bundle import load_bundle, save_bundle
from poreconv.runtime.records import to_json, to_plain
from poreconv.training.fine_tuning import network_asked
from tests.support.models import TINY, bundle_at, random_network, recipe_for, tiny_network


def rewritten(path: Path, weights: dict[str, torch.Tensor] | None = None, **fields: Any) -> Path:
    """Return a bundle whose recipe, and perhaps weights, differ from the saved ones."""
    bundle_at(path)
    plain = to_plain(recipe_for("tcn")) | fields
    save_file(weights or load_file(path), path, metadata={"recipe": json.dumps(plain)})
    return path


class Trap:
    """Leaves a trace where it is unpickled."""

    def __init__(self, trace: Path) -> None:
        self.trace = trace

    def __reduce__(self) -> tuple[Any, ...]:
        """What unpickling does."""
        return Path.touch, (self.trace,)


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_a_loaded_bundle_equals_what_was_saved(name: str, tmp_path: Path) -> None:
    """Weights, batch statistics and recipe of every architecture survive saving and loading."""
    saved, recipe = random_network(name), recipe_for(name)
    save_bundle(tmp_path / "model.safetensors", saved, recipe)
    loaded, recipe_loaded = load_bundle(tmp_path / "model.safetensors")
    x_B1T = torch.randn(2, 1, 100)

    assert recipe_loaded == recipe
    assert not loaded.training
    assert torch.equal(loaded(x_B1T), saved(x_B1T))


def test_the_same_model_makes_the_same_file(tmp_path: Path) -> None:
    """A bundle's bytes follow from the model alone."""
    one, other = bundle_at(tmp_path / "one.safetensors"), bundle_at(tmp_path / "other.safetensors")

    assert one.read_bytes() == other.read_bytes()
    assert sorted(tmp_path.iterdir()) == [one, other]


def test_loading_leaves_the_random_state_alone(tmp_path: Path) -> None:
    """Loading a bundle does not change the state of torch's random numbers."""
    path, before = bundle_at(tmp_path / "model.safetensors"), torch.random.get_rng_state()
    load_bundle(path)

    assert torch.equal(torch.random.get_rng_state(), before)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"just text, and quite some of it", "not a safetensors file"),
        (b"", "not a safetensors file"),
        (b"\x80\x04\x95", "not a safetensors file"),
        ((2**62).to_bytes(8, "little") + b"{}", "not a safetensors file"),
        (
            len(b'{"w":{"dtype":"F32","shape":[1099511627776],"data_offsets":[0,4398046511104]}}').to_bytes(8, "little")
            + b'{"w":{"dtype":"F32","shape":[1099511627776],"data_offsets":[0,4398046511104]}}',
            "not a safetensors file",
        ),
    ],
    ids=["text", "empty", "pickle", "huge_header", "huge_tensor"],
)
def test_a_file_that_is_not_a_bundle(content: bytes, message: str, tmp_path: Path) -> None:
    """A file of another kind, or one that claims more than it holds, is named in one line."""
    path = tmp_path / "model.safetensors"
    path.write_bytes(content)

    with pytest.raises(BundleError, match=message) as caught:
        load_bundle(path)
    assert str(caught.value).startswith(str(path))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("way", ["pickle", "torch"])
def test_loading_runs_no_code(way: str, tmp_path: Path) -> None:
    """A pickle, plain or as torch saves one, is refused and never unpickled."""
    path, trace = tmp_path / "model.safetensors", tmp_path / "trace"
    if way == "pickle":
        path.write_bytes(pickle.dumps(Trap(trace)))
    else:
        torch.save({"state_dict": Trap(trace)}, path)

    with pytest.raises(BundleError, match="not a safetensors file"):
        load_bundle(path)
    assert not trace.exists()


def test_no_such_file_and_a_folder(tmp_path: Path) -> None:
    """The message for a path without a file names the file to give."""
    with pytest.raises(BundleError, match="no such file; give the model"):
        load_bundle(tmp_path / "model.safetensors")
    with pytest.raises(BundleError, match="give"):
        load_bundle(tmp_path)


def test_weights_without_a_recipe(tmp_path: Path) -> None:
    """A safetensors file of another program contains no recipe."""
    path = tmp_path / "model.safetensors"
    save_file({"w": torch.zeros(3)}, path)

    with pytest.raises(BundleError, match="holds weights but no recipe"):
        load_bundle(path)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"schema_version": 99}, "schema version 99, this poreconv reads 2"),
        ({"network": "lstm"}, "network 'lstm' is not known"),
        ({"task": "phase"}, "task 'phase' is not known; .*choose one of boundary, segment"),
        ({"network_settings": vars(TINY["tcn"]) | {"channels": 3}}, "size mismatch"),
        ({"network_settings": {}}, "Missing key"),
        ({"network_settings": vars(TINY["tcn"]) | {"channels": 10**6}}, "size mismatch"),
        ({"network_settings": {"width": 3}}, "settings of tcn: unknown field 'width'"),
        ({"network_settings": [1, 2]}, "network_settings: expected object, got array; train it again"),
        ({"network_settings": vars(TINY["tcn"]) | {"kernel": "3"}}, "kernel: expected int, got str; train it again"),
        ({"task": "segment", "classes": ["a", "b", "c"], "class_counts": [1, 2, 3]}, "size mismatch"),
        ({"classes": ["boundary"], "class_counts": [1]}, "are not those of task boundary"),
        ({"resampled_from_hz": [4e15]}, "cannot be resampled to 4000 Hz"),
        ({"sample_rate_hz": -1.0}, "sample rate -1 Hz"),
        ({"colour": "red"}, "recipe: unknown field 'colour'"),
        ({"sample_rate_hz": "fast"}, "sample_rate_hz: expected float, got str; train it again"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_recipes_that_do_not_fit(fields: dict[str, Any], message: str, tmp_path: Path) -> None:
    """A recipe of another version, or one that does not fit the weights, is named in one line."""
    path = rewritten(tmp_path / "model.safetensors", **fields)

    with pytest.raises(BundleError, match=message) as caught:
        load_bundle(path)
    assert str(caught.value).startswith(str(path))
    assert "\n" not in str(caught.value)


def test_a_recipe_that_is_not_json(tmp_path: Path) -> None:
    """A file whose recipe is not JSON is not a bundle."""
    path = tmp_path / "model.safetensors"
    save_file({"w": torch.zeros(3)}, path, metadata={"recipe": "{"})

    with pytest.raises(BundleError, match="not JSON with a schema_version"):
        load_bundle(path)


def test_weights_of_another_shape(tmp_path: Path) -> None:
    """Weights that lack a layer are not those of the recipe's architecture."""
    weights = load_file(bundle_at(tmp_path / "whole.safetensors"))
    weights.pop("head.weight")

    with pytest.raises(BundleError, match=r"Missing key.*head\.weight"):
        load_bundle(rewritten(tmp_path / "model.safetensors", weights))


def test_weights_of_another_precision(tmp_path: Path) -> None:
    """Weights saved in half precision run in single precision."""
    weights = {name: tensor.half() for name, tensor in load_file(bundle_at(tmp_path / "whole.safetensors")).items()}
    network, _ = load_bundle(rewritten(tmp_path / "model.safetensors", weights))

    assert network(torch.randn(1, 1, 50)).dtype == torch.float32


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_weights_that_are_not_finite_are_neither_written_nor_loaded(tmp_path: Path, value: float) -> None:
    """A model with one such weight labels nothing."""
    path, network = bundle_at(tmp_path / "model.safetensors"), random_network("tcn")
    weights = load_file(path)
    weights["head.bias"][0] = value
    save_file(weights, path, metadata={"recipe": to_json(recipe_for("tcn"))})
    with pytest.raises(BundleError, match=r"not loaded: its weight head\.bias is not finite"):
        load_bundle(path)
    with torch.no_grad():
        network.head.bias[0] = value
    with pytest.raises(BundleError, match="not written"):
        save_bundle(tmp_path / "new.safetensors", network, recipe_for("tcn"))

    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_every_layer_has_a_weight(name: str) -> None:
    """By their number a recipe is checked against the file's tensors before a network is made of it."""
    assert TINY[name].n_layers <= len(tiny_network(name).state_dict())


@pytest.mark.parametrize("many", [10**6, 10**9])
@pytest.mark.parametrize(
    ("name", "repeated"),
    [
        ("heartbeat", lambda n: {"layers": n}),
        ("tcn", lambda n: {"cycles": n}),
        ("resnet", lambda n: {"blocks": n}),
        ("crnn", lambda n: {"layers": n}),
        ("vgg", lambda n: {"convolutions": (1, n)}),
    ],
)
def test_a_recipe_with_more_layers_than_the_file_has_tensors_is_refused(
    tmp_path: Path, name: str, repeated: Callable[[int], dict[str, Any]], many: int
) -> None:
    """The message states both numbers; no network is made."""
    path = bundle_at(tmp_path / "model.safetensors", name)
    settings = vars(TINY[name]) | repeated(many)
    recipe = recipe_for(name, network_settings=settings)
    save_file(load_file(path), path, metadata={"recipe": to_json(recipe)})

    with pytest.raises(BundleError, match=r"its recipe has [0-9,]+ layers, and the file [0-9]+ tensors"):
        load_bundle(path)


def test_training_does_not_start_from_a_recipe_that_its_weights_do_not_fit(tmp_path: Path) -> None:
    """Its settings would make a network of any size."""
    path = bundle_at(tmp_path / "model.safetensors")
    recipe = recipe_for("tcn", network_settings=vars(TINY["tcn"]) | {"channels": 10**7})
    save_file(load_file(path), path, metadata={"recipe": to_json(recipe)})

    with pytest.raises(BundleError, match="size mismatch"):
        network_asked(None, None, TrainConfig(start_from=str(path)))
