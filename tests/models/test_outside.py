from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from poreconv.config import InferenceConfig
from poreconv.errors import ConfigError
from poreconv.inference.backends.pytorch import TorchBackend
from poreconv.inference.labeller import Labeller
from poreconv.models.architectures import ARCHITECTURES
from poreconv.models.networks.choice import choose_network
from poreconv.models.networks.fused import FusedNetwork, fastest
from poreconv.models.networks.measuring import measure
from poreconv.models.networks.outside import OutsideNetwork
from tests.support.models import random_network, recipe_for
from tests.support.networks import BOUNDED, UNBOUNDED, Averaging
from tests.support.signal_files import reads_made

N_CLASSES, WINDOW = 2, 60
CPU = torch.device("cpu")


@pytest.fixture(autouse=True)
def same_weights() -> Iterator[None]:
    """Every test starts from the same random numbers."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        yield


def outside(own: Any, window: int = WINDOW, **settings: Any) -> OutsideNetwork:
    """Build a network of the user's own, and try it."""
    choice = choose_network(own, settings)
    network = choice.build(N_CLASSES, window)
    choice.try_out(network, window, CPU, torch.float32)
    assert isinstance(network, OutsideNetwork)
    return network.eval()


def furthest(network: OutsideNetwork, n_samples: int, margin: int) -> int:
    """Give how far any output, at least a margin from the ends, sees: by its gradient, for many inputs."""
    reach = 0
    for sample in range(margin, n_samples - margin):
        x_B1T = torch.randn(20, 1, n_samples, requires_grad=True)
        network(x_B1T)[:, :, sample].square().sum().backward()
        assert x_B1T.grad is not None
        seen = x_B1T.grad.abs().sum((0, 1)).nonzero().flatten()
        reach = max(reach, int((seen - sample).abs().max()))
    return reach


@pytest.mark.parametrize("name", BOUNDED)
def test_the_measured_reach_is_that_of_the_gradients_at_all_places(name: str) -> None:
    """No output sees further, and some see as far; windows that are moved by the alignment give moved outputs."""
    own, field, alignment = BOUNDED[name]
    network = outside(own)
    n_samples = (3 * field // alignment + 2) * alignment

    assert (network.receptive_field, network.alignment) == (field, alignment)
    assert furthest(network, n_samples, field) == field // 2


@pytest.mark.parametrize("name", [name for name in ARCHITECTURES if random_network(name).receptive_field is not None])
def test_what_is_measured_is_what_is_calculated(name: str) -> None:
    """For every architecture of ours, as if a user had brought it."""
    network = random_network(name, N_CLASSES)
    measured = measure(name, network, N_CLASSES, 300).size

    assert (measured.receptive_field, measured.alignment) == (network.receptive_field, network.alignment)
    assert measured.macs_per_sample == pytest.approx(network.macs_per_sample, rel=0.1)


@pytest.mark.parametrize("name", UNBOUNDED)
def test_a_network_of_whole_windows_labels_one_after_the_other(name: str) -> None:
    """Windows of its training length follow each other from the first sample; the last one is filled up with zeros."""
    network = outside(UNBOUNDED[name])
    x_B1T = torch.randn(2, 1, 150)
    windows = functional.pad(x_B1T, (0, 3 * WINDOW - 150)).split(network.alignment, -1)
    with torch.no_grad():
        expected = torch.cat([network(window) for window in windows], -1)[..., :150]
        found = network(x_B1T)

    assert (network.receptive_field, network.size.margin) == (None, 0)
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-4)


def test_weights_that_are_0_before_training_are_seen() -> None:
    """What they multiply will count once they are trained."""

    class Quiet(nn.Module):
        def __init__(self, n_classes: int) -> None:
            super().__init__()
            self.near, self.far = nn.Conv1d(1, n_classes, 1), nn.Conv1d(1, n_classes, 31, padding=15)
            nn.init.zeros_(self.far.weight)

        def forward(self, x_B1T: Tensor) -> Tensor:
            return self.near(x_B1T) + self.far(x_B1T)

    assert outside(Quiet).receptive_field == 31


def test_frames_are_repeated_for_each_of_their_samples() -> None:
    """The logits of a frame are those of both its samples, at any length."""
    network = outside(Averaging)
    x_B1T = torch.randn(2, 1, 63)
    with torch.no_grad():
        frames_BCF = network.module(functional.pad(x_B1T, (0, 1)))

        torch.testing.assert_close(network(x_B1T), frames_BCF.repeat_interleave(2, -1)[..., :63])


@pytest.mark.parametrize("name", BOUNDED)
def test_labels_do_not_depend_on_the_length_of_chunks(name: str) -> None:
    """Where a reach was measured, chunks with their margins are labelled like the whole read."""
    [read] = reads_made(1, adc=np.random.default_rng(0).normal(500, 80, 3000).astype(np.int16))
    network = outside(BOUNDED[name][0])
    recipe = recipe_for("tcn", sample_rate_hz=read.sample_rate_hz, chemistries=(read.chemistry.code,))
    found = []
    for chunk, batch in ((256, 1), (1000, 4), (8000, 2)):
        config = InferenceConfig(chunk_samples=chunk, batch_size=batch, precision="32")
        p_CT = Labeller(TorchBackend(network, "32", "cpu"), recipe, config).probabilities(read)
        found.append(torch.from_numpy(p_CT))

    torch.testing.assert_close(found[1], found[0], atol=1e-5, rtol=0)
    torch.testing.assert_close(found[2], found[0], atol=1e-5, rtol=0)


class Plain(nn.Module):
    """Convolutions and batch norm alone."""

    def __init__(self, n_classes: int, padding_mode: str = "zeros") -> None:
        super().__init__()
        first = nn.Conv1d(1, 8, 9, padding=4, padding_mode=padding_mode)
        self.layers = nn.Sequential(first, nn.BatchNorm1d(8), nn.ReLU(), nn.Conv1d(8, n_classes, 1))

    def forward(self, x_B1T: Tensor) -> Tensor:
        """Label samples."""
        return self.layers(x_B1T)


@pytest.mark.parametrize(
    ("own", "settings", "folds"),
    [
        (Plain, {}, True),
        (Plain, {"padding_mode": "reflect"}, False),
        *((own, {}, False) for own in (Averaging, UNBOUNDED["group norm"], BOUNDED["two scales"][0])),
    ],
)
def test_what_cannot_be_folded_runs_as_it_is(
    own: Any, settings: dict[str, Any], folds: bool, capfd: pytest.CaptureFixture[str]
) -> None:
    """A network is rewritten only where the results stay the same; nothing is printed about the others."""
    network = outside(own, **settings)
    for dtype in (torch.float32, torch.bfloat16):
        run = fastest(network, dtype)

        assert isinstance(run, FusedNetwork) == folds
        assert folds or run is network
    assert capfd.readouterr().err == ""
    assert folds or TorchBackend(network, "bf16", "cpu").precision == "32"


FAULTS: dict[str, Callable[["Broken", Tensor], Any]] = {
    "classes": lambda _, y_BCT: torch.cat([y_BCT, y_BCT], 1),
    "unpadded": lambda _, y_BCT: y_BCT[..., 2:],
    "tuple": lambda _, y_BCT: (y_BCT, 1),
    "flat": lambda _, y_BCT: y_BCT[:, 0],
    "classified": lambda _, y_BCT: (y_BCT > 0).long(),
    "raises": lambda _, y_BCT: y_BCT @ torch.zeros(7, 7),
    "random": lambda _, y_BCT: functional.dropout(y_BCT, 0.5),
    "attention": lambda own, y_BCT: own.attention(y_BCT.transpose(1, 2)).transpose(1, 2),
    "statistics": lambda own, y_BCT: own.statistics(y_BCT),
    "lost": lambda own, y_BCT: y_BCT * own.drawn,
    "detached": lambda _, y_BCT: y_BCT.detach(),
    "infinite": lambda _, y_BCT: y_BCT / 0,
}
"""Name -> what a network does to its logits that is wrong."""


class Broken(nn.Module):
    """A network in which one thing is wrong."""

    def __init__(self, n_classes: int, fault: str) -> None:
        super().__init__()
        self.fault, self.drawn = fault, torch.randn(1)  # no buffer
        self.layer = nn.Conv1d(1, n_classes, 3, padding=1)
        self.attention = nn.TransformerEncoderLayer(2, 1, 4)  # over the batch: batch_first is not set
        self.statistics = nn.BatchNorm1d(n_classes, track_running_stats=False)

    def forward(self, x_B1T: Tensor) -> Any:
        """Label samples."""
        return FAULTS[self.fault](self, self.layer(x_B1T))


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ("classes", r"returned torch.float\d\d of shape \(1, 4, 60\) .*; a tensor \(1, 2, 60\), or with fewer frames"),
        ("unpadded", "returned 58 frames for 60 samples; return one frame per sample, or per so many"),
        ("tuple", "returned a tuple for a window"),
        ("flat", r"of shape \(1, 60\) for a window"),
        ("classified", r"returned torch.int64 of shape"),
        ("raises", r"labelling a window of shape \(1, 1, 60\) failed: RuntimeError: .*test_outside.py, line \d+\)"),
        ("random", r"other outputs for the same window .* functional.dropout"),
        ("attention", "depend on the other windows of its batch.*batch_first=True"),
        ("statistics", "depend on the other windows of its batch.*track_running_stats"),
        ("lost", "made again .* returned other outputs; .* a parameter or a buffer"),
        ("detached", "no gradient reaches its weights; leave out detach"),
        ("infinite", "not finite"),
    ],
)
def test_a_fault_is_found_on_one_window(fault: str, message: str) -> None:
    """Before any training, in one line that names the network, what it returned and what is expected."""
    with pytest.raises(ConfigError, match=message) as caught:
        outside(Broken, fault=fault)
    assert "Broken: " in str(caught.value)
    assert "\n" not in str(caught.value)


def test_weights_that_two_layers_share_are_saved() -> None:
    """Tied weights are no fault."""

    class Tied(nn.Module):
        def __init__(self, n_classes: int) -> None:
            super().__init__()
            self.one, self.two = (nn.Conv1d(4, 4, 3, padding=1) for _ in range(2))
            self.two.weight = self.one.weight
            self.stem, self.head = nn.Conv1d(1, 4, 1), nn.Conv1d(4, n_classes, 1)

        def forward(self, x_B1T: Tensor) -> Tensor:
            return self.head(self.two(self.one(self.stem(x_B1T)).relu()))

    assert outside(Tied).receptive_field == 5


def test_an_instance_is_copied() -> None:
    """A module is used as it is, weights included, and stays as it was."""
    module = Averaging(N_CLASSES).eval()
    network, x_B1T = outside(module), torch.randn(1, 1, 20)
    with torch.no_grad():
        torch.testing.assert_close(network(x_B1T), module(x_B1T).repeat_interleave(2, -1))
        network.module.head.weight.zero_()

        assert module.head.weight.any()


@pytest.mark.parametrize(
    ("own", "settings", "message"),
    [
        (Averaging, {"width": torch.zeros(3)}, "width is a Tensor; give numbers, text"),
        (
            Averaging,
            {"colour": "red"},
            "Averaging: making it failed: TypeError: .*unexpected keyword argument 'colour'",
        ),
        (Averaging(2), {"width": 3}, "is a module already, so settings have no effect"),
        (lambda n_classes: n_classes, {}, "returned a int; a torch.nn.Module is expected"),
        (7, {}, "is no module, and cannot be called"),
        ("my.py", {}, r"network 'my.py' is not known; choose one of heartbeat.* or your own, as my.py:NAME \(a file\)"),
        (Averaging, [("width", 3)], "a list; give a dict of plain values"),
    ],
)
def test_what_is_no_network_or_setting(own: Any, settings: Any, message: str) -> None:
    """The message states what was given, and what can be."""
    with pytest.raises(ConfigError, match=message):
        choose_network(own, settings).build(N_CLASSES, WINDOW)


def test_a_function_makes_a_network_too() -> None:
    """It is called like a class."""

    def made(n_classes: int, width: int = 4) -> nn.Module:
        return Averaging(n_classes, width)

    assert outside(made, width=6).n_parameters == Averaging(N_CLASSES, 6).stem.weight.numel() + 6 * 3 + 6 * 2 + 2
