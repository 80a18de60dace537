import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import nn

from poreconv.errors import BundleError, ConfigError
from poreconv.inference.labeller import load
from poreconv.models.bundle import load_bundle, save_bundle
from poreconv.models.header import read_header
from poreconv.models.networks.choice import choose_network
from poreconv.models.onnx_export import write_onnx
from poreconv.runtime.records import to_plain
from tests.support.models import bundle_at, recipe_for
from tests.support.networks import FILE, UNBOUNDED, Averaging, file_at
from tests.support.signal_files import reads_made

READS = reads_made(2)


def saved(path: Path, own: Any = Averaging, **settings: Any) -> Path:
    """Write a bundle of a network of the user's own, untrained."""
    choice = choose_network(own, settings)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = choice.build(2, 300)
    recipe = recipe_for("tcn", network=choice.name, network_settings=choice.settings, own_network=network.measured)
    save_bundle(path, network, recipe)
    return path


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle of `Averaging` with a setting."""
    return saved(tmp_path_factory.mktemp("bundle") / "model.safetensors", width=6)


NAME = f"{Averaging.__module__}:Averaging"


@pytest.mark.parametrize("networks", [{NAME: Averaging}, {NAME: NAME}, Averaging, NAME, Averaging(2, 6)], ids=str)
def test_a_bundle_is_loaded_with_the_network_that_is_given(networks: Any, bundle: Path) -> None:
    """A class, its name, or a module, alone or by the name in the bundle; the settings come from the bundle."""
    network, recipe = load_bundle(bundle, networks)
    labeller = load(bundle, device="cpu", networks=networks)
    [(_, p_CT), _] = labeller.with_probabilities(READS)

    assert (recipe.network, recipe.network_settings) == (NAME, {"width": 6})
    assert network.n_parameters == Averaging(2, 6).stem.weight.numel() + 6 * 3 + 6 * 2 + 2
    assert p_CT.shape == (2, len(READS[0].adc))


def test_a_bundle_needs_its_network(bundle: Path) -> None:
    """The message names the flag, and the argument in Python."""
    for networks in (None, {}, {"my.py:Net": Averaging}):
        with pytest.raises(
            BundleError, match=r"as --network tests.support.networks:Averaging, in Python networks=\{'tests.*'"
        ) as caught:
            load_bundle(bundle, networks)
        assert "\n" not in str(caught.value)


def test_a_network_that_is_not_needed(tmp_path: Path) -> None:
    """A model of ours is not loaded with a network of the user's; a mapping may hold others' networks."""
    bundle = bundle_at(tmp_path / "model.safetensors")

    with pytest.raises(ConfigError, match="its network is tcn, which poreconv builds; leave out --network"):
        load_bundle(bundle, Averaging)
    assert load_bundle(bundle, {NAME: Averaging})[1].network == "tcn"


def test_another_network_than_the_trained_one(bundle: Path) -> None:
    """Other weights are refused; so is other code around the same weights, which would label otherwise."""

    class Pooled(Averaging):
        def forward(self, x_B1T: torch.Tensor) -> torch.Tensor:
            return super().forward(x_B1T - x_B1T.mean(-1, keepdim=True))

    class Finer(Averaging):
        def __init__(self, n_classes: int, width: int) -> None:
            super().__init__(n_classes, width)
            self.pool = nn.Identity()

    with pytest.raises(BundleError, match=r"size mismatch .*; give the network that was trained"):
        load_bundle(bundle, Averaging(2, 7))
    for other in (Pooled, Finer):
        with pytest.raises(BundleError, match="differs from the network that was measured before training"):
            load_bundle(bundle, other)


PLANTED = (
    """
open(__file__ + ".imported", "w").close()
"""
    + FILE
)

LOAD = """
import sys
import poreconv
from poreconv.commands.models import shipped_models
from poreconv.models.shipped import load_card
try:
    poreconv.load(sys.argv[1])
except Exception as exc:
    print(type(exc).__name__, exc)
load_card(sys.argv[1])
"""


@pytest.mark.parametrize("own", [True, False])
@pytest.mark.parametrize("name", ["planted.py:Net", "planted:Net", "os:system"])
def test_what_a_bundle_names_is_not_imported(name: str, own: bool, bundle: Path, tmp_path: Path) -> None:
    """In a fresh process, in the folder of a planted file, with a recipe that was written by hand."""
    (tmp_path / "planted.py").write_text(PLANTED)
    recipe = to_plain(read_header(bundle).recipe) | {"network": name}
    recipe |= {} if own else {"own_network": None}
    save_file(load_file(bundle), tmp_path / "model.safetensors", metadata={"recipe": json.dumps(recipe)})
    command = [sys.executable, "-c", LOAD, "model.safetensors"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)

    assert done.stdout.startswith("BundleError model.safetensors: ")
    assert ("what a file names is not imported" in done.stdout) == own
    assert not list(tmp_path.glob("*.imported"))


@pytest.mark.parametrize(
    "measured", [{"stride": 3}, {"size": {"receptive_field": 8, "alignment": 2}}, {"stride": 0}, {"size": None}]
)
def test_a_file_that_claims_the_impossible(measured: Mapping[str, Any], bundle: Path, tmp_path: Path) -> None:
    """Numbers that do not fit each other are one line."""
    recipe = to_plain(read_header(bundle).recipe)
    recipe["own_network"] = {"size": recipe["own_network"]["size"], "stride": 2} | measured
    save_file(load_file(bundle), tmp_path / "model.safetensors", metadata={"recipe": json.dumps(recipe)})

    with pytest.raises(BundleError, match=r"size|stride|receptive field|own_network"):
        load_bundle(tmp_path / "model.safetensors", Averaging)


def test_a_reach_that_a_file_claims_is_checked(bundle: Path, tmp_path: Path) -> None:
    """Too short a reach would leave seams."""
    recipe = to_plain(read_header(bundle).recipe)
    recipe["own_network"]["size"]["receptive_field"] = 3
    save_file(load_file(bundle), tmp_path / "model.safetensors", metadata={"recipe": json.dumps(recipe)})

    with pytest.raises(BundleError, match="differs from the network that was measured"):
        load_bundle(tmp_path / "model.safetensors", Averaging)


def test_a_network_of_ones_own_as_onnx(bundle: Path, tmp_path: Path) -> None:
    """The exported model contains it, and labels alike without it; what cannot be exported is one line."""
    exported = tmp_path / "model.onnx"
    write_onnx(exported, bundle, networks=Averaging)
    [(_, p_CT), _] = load(bundle, device="cpu", networks=Averaging).with_probabilities(READS)
    [(_, q_CT), _] = load(exported, device="cpu").with_probabilities(READS)

    torch.testing.assert_close(torch.from_numpy(q_CT), torch.from_numpy(p_CT), atol=1e-4, rtol=0)
    own = UNBOUNDED["attention"]
    with pytest.raises(ConfigError, match="export: not possible for a network of unbounded context"):
        write_onnx(tmp_path / "other.onnx", saved(tmp_path / "whole.safetensors", own), networks=own)


def test_code_that_has_no_form_in_onnx(tmp_path: Path) -> None:
    """A network that looks at the numbers of the signal runs, and cannot be exported."""

    class Looking(Averaging):
        def forward(self, x_B1T: torch.Tensor) -> torch.Tensor:
            return x_B1T if float(x_B1T.detach().abs().max()) < 0 else super().forward(x_B1T)

    path = saved(tmp_path / "model.safetensors", Looking)
    with pytest.raises(ConfigError, match=r"export: .*Looking cannot be written as ONNX: ") as caught:
        write_onnx(tmp_path / "model.onnx", path, networks=Looking)
    assert "\n" not in str(caught.value)


def test_a_file_can_move(tmp_path: Path) -> None:
    """The user gives the file where it is now, whatever the bundle calls it."""
    own = file_at(tmp_path / "my.py")
    bundle = saved(tmp_path / "model.safetensors", own)
    (tmp_path / "my.py").rename(tmp_path / "ours.py")

    assert read_header(bundle).recipe.network == own
    assert load_bundle(bundle, f"{tmp_path / 'ours.py'}:Net")[0].receptive_field == 9
