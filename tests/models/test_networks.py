from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from poreconv.errors import ConfigError
from poreconv.models.architectures import (
    ARCHITECTURES,
    Alexnet,
    Campolina,
    Crnn,
    Dense,
    Heartbeat,
    Resnet,
    Strided,
    Tcn,
    Unet,
    Vgg,
)
from poreconv.models.networks import build_network
from poreconv.models.networks.campolina import VARIANCE_FLOOR, SignalFeatures
from poreconv.models.networks.network import Network
from poreconv.testing import check_network
from tests.support.models import TINY, random_network, tiny_network

N_CLASSES = 3


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_every_architecture_keeps_the_contract(name: str) -> None:
    """Shapes for any length, and outputs that depend on what its receptive field states."""
    assert check_network(name, settings=TINY[name], n_classes=3, chunk_samples=400) == tiny_network(name, 3).size


def bounded() -> list[str]:
    """Return the architectures that have a receptive field."""
    return [name for name in ARCHITECTURES if tiny_network(name).receptive_field is not None]


def seen_by(network: Network, sample: int, n_samples: int) -> Tensor:
    """Return the input samples that can change one output sample.

    Several inputs are tried, since max pooling depends on the largest sample only.
    """
    x_B1T = torch.randn(50, 1, n_samples, requires_grad=True)
    network(x_B1T)[:, :, sample].sum().backward()
    assert x_B1T.grad is not None
    return x_B1T.grad.sum((0, 1)).nonzero().flatten()


class Multiplications:
    """Counts the multiply-adds of linear, convolutional and recurrent layers as they run."""

    def __init__(self, network: nn.Module) -> None:
        self.total = 0
        for layer in network.modules():
            if isinstance(layer, nn.Conv1d | nn.Linear):
                layer.register_forward_hook(lambda layer, _, output: self._count(output, layer.weight[0]))
            elif isinstance(layer, nn.ConvTranspose1d):
                layer.register_forward_hook(lambda layer, inputs, _: self._count(inputs[0], layer.weight[0]))
            elif isinstance(layer, nn.GRU | nn.LSTM):
                layer.register_forward_hook(self._count_steps)

    def _count(self, each: Tensor, weights: Tensor) -> None:
        self.total += each.numel() * weights.numel()

    def _count_steps(self, layer: nn.GRU | nn.LSTM, inputs: tuple[Tensor], _: Any) -> None:
        n_batch, n_steps, _ = inputs[0].shape
        matrices = [values for values in layer.parameters() if values.ndim == 2]
        self.total += n_batch * n_steps * sum(values.numel() for values in matrices)


@pytest.fixture(autouse=True)
def same_weights() -> Iterator[None]:
    """Every test starts from the same random numbers."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        yield


def test_every_architecture_has_a_tiny_example() -> None:
    """An architecture without one is tested nowhere else."""
    assert set(TINY) == set(ARCHITECTURES)


@pytest.mark.parametrize("n_samples", [1, 2, 63, 64, 65, 1001])
@pytest.mark.parametrize("name", ARCHITECTURES)
def test_every_sample_is_labelled(name: str, n_samples: int) -> None:
    """(B, 1, T) becomes (B, C, T) for any T."""
    logits_BCT = tiny_network(name, N_CLASSES)(torch.randn(2, 1, n_samples))

    assert logits_BCT.shape == (2, N_CLASSES, n_samples)
    assert logits_BCT.isfinite().all()


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_shipped_settings_build_a_network(name: str) -> None:
    """The default settings, as a dataclass or as a dict of its fields, make a network that runs."""
    settings = ARCHITECTURES[name].settings()
    network = build_network(name, asdict(settings), N_CLASSES).eval()

    assert network.n_parameters == build_network(name, settings, N_CLASSES).n_parameters
    assert network(torch.randn(1, 1, 300)).shape == (1, N_CLASSES, 300)


@pytest.mark.parametrize("name", bounded())
def test_receptive_field_is_what_an_output_sees(name: str) -> None:
    """Over all phases of the stride, outputs see just as far as half the receptive field, and no further."""
    network = random_network(name, N_CLASSES)
    reach = (network.receptive_field or 0) // 2
    n_samples = 4 * reach + 8 * network.alignment
    middle = n_samples // 2 // network.alignment * network.alignment
    outputs = range(middle, middle + network.alignment)
    offsets = torch.cat([seen_by(network, sample, n_samples) - sample for sample in outputs])

    assert network.receptive_field == 2 * reach + 1
    assert max(-int(offsets.min()), int(offsets.max())) == reach


@pytest.mark.parametrize("name", [name for name in ARCHITECTURES if name not in bounded()])
def test_unbounded_models_have_no_receptive_field(name: str) -> None:
    """Without a receptive field there is no margin; windows and frames follow one another from the first sample."""
    network, settings = tiny_network(name, N_CLASSES), TINY[name]

    assert (network.receptive_field, network.size.margin) == (None, 0)
    assert network.alignment == (settings.window if name == "dense" else settings.stride)


@pytest.mark.parametrize(
    "name", [name for name in ARCHITECTURES if name != "crnn"]
)  # its memory begins with the signal
def test_shifts_by_the_alignment_shift_the_output(name: str) -> None:
    """Input that is moved by the alignment gives the same output, moved as far."""
    network = tiny_network(name, N_CLASSES).eval()
    step, margin = network.alignment, network.size.margin
    x_B1T = torch.randn(1, 1, 2 * margin + 6 * step)
    one, moved = network(x_B1T), network(x_B1T[:, :, step:])

    torch.testing.assert_close(
        one[:, :, margin + step : margin + 5 * step], moved[:, :, margin : margin + 4 * step], atol=1e-5, rtol=1e-5
    )


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_margin_is_aligned_and_holds_the_context(name: str) -> None:
    """The margin is the least multiple of the alignment that holds half the receptive field."""
    network = tiny_network(name)
    reach = (network.receptive_field or 1) // 2

    assert network.size.margin % network.alignment == 0
    assert reach <= network.size.margin < reach + network.alignment


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_costs_are_those_of_the_layers(name: str) -> None:
    """Multiply-adds and parameters agree with what the layers do and hold."""
    network = tiny_network(name, N_CLASSES).eval()
    counted = Multiplications(network)
    n_samples = 20 * network.alignment
    network(torch.randn(1, 1, n_samples))

    assert counted.total == pytest.approx(network.macs_per_sample * n_samples)
    assert network.n_parameters == sum(tensor.numel() for tensor in network.parameters())


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_windows_of_a_batch_are_independent(name: str) -> None:
    """In evaluation, a window's output does not depend on its neighbours in the batch."""
    network = tiny_network(name, N_CLASSES).eval()
    x_B1T = torch.randn(3, 1, 200)

    torch.testing.assert_close(network(x_B1T)[1:2], network(x_B1T[1:2]), atol=1e-6, rtol=1e-5)


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_every_model_can_learn(name: str) -> None:
    """A gradient reaches every weight, and some steps along it bring down the loss on one batch."""
    network, x_B1T = tiny_network(name), torch.randn(8, 1, 60).cumsum(-1) / 5
    y_BT = (x_B1T[:, 0] > 0).long()
    optimiser = torch.optim.Adam(network.parameters(), lr=0.02)
    losses = []
    for _ in range(40):
        optimiser.zero_grad()
        loss = nn.functional.cross_entropy(network(x_B1T), y_BT)
        loss.backward()
        optimiser.step()
        losses.append(loss.item())

    assert all(parameter.grad is not None for parameter in network.parameters())
    assert np.mean(losses[-5:]) < 0.75 * losses[0]


@pytest.mark.parametrize(
    ("settings", "fields"),
    [
        (Heartbeat, {"pool": 2}),
        (Heartbeat, {"layers": 0}),
        (Dense, {"window": 0}),
        (Tcn, {"kernel": 4}),
        (Tcn, {"kernel": -1}),
        (Tcn, {"dilations": ()}),
        (Tcn, {"dilations": (0,)}),
        (Tcn, {"dropout": 1.0}),
        (Strided, {"stride": 0}),
        (Strided, {"stem_kernel": 3}),
        (Strided, {"kernel": -3}),
        (Strided, {"dilations": ()}),
        (Campolina, {"channels": ()}),
        (Campolina, {"channels": (4, 0)}),
        (Campolina, {"kernel": 4}),
        (Campolina, {"window": 8}),
        (Campolina, {"window": -3}),
        (Campolina, {"step_window": 0}),
        (Campolina, {"dropout": 1.0}),
        (Alexnet, {"channels": (4, 4)}),
        (Alexnet, {"channels": (4, 4, 4, 4, 0)}),
        (Alexnet, {"dropout": -0.1}),
        (Vgg, {"channels": (), "convolutions": ()}),
        (Vgg, {"convolutions": (2, 2)}),
        (Vgg, {"convolutions": (2, 2, 0)}),
        (Vgg, {"dropout": 1.0}),
        (Resnet, {"channels": (8, 4)}),
        (Resnet, {"blocks": 0}),
        (Resnet, {"kernel": 1}),
        (Resnet, {"stem_kernel": 4}),
        (Resnet, {"stem_kernel": 3, "stem_stride": 4}),
        (Resnet, {"dropout": 1.0}),
        (Unet, {"channels": (4,)}),
        (Unet, {"channels": (0, 4)}),
        (Unet, {"dropout": 1.0}),
        (Crnn, {"cell": "elman"}),
        (Crnn, {"kernel": 3}),
        (Crnn, {"stem_kernel": 2}),
        (Crnn, {"layers": 0}),
        (Crnn, {"dropout": 1.0}),
    ],
)
def test_impossible_settings_are_refused(settings: type[Any], fields: dict[str, Any]) -> None:
    """Settings are checked when they are made."""
    with pytest.raises(ConfigError, match=next(iter(fields)).removesuffix("s")):
        settings(**fields)


def test_unknown_model() -> None:
    """An unknown name is answered with the known ones."""
    with pytest.raises(ConfigError, match="network 'lstm' is not known; choose one of heartbeat, dense"):
        build_network("lstm", {}, 2)


@pytest.mark.parametrize(("n_classes", "weights"), [(1, 954_177), (2, 954_306)])
def test_campolina_has_the_published_number_of_weights(n_classes: int, weights: int) -> None:
    """By default it is as large as the published network, which has one output per sample."""
    assert build_network("campolina", Campolina(), n_classes).n_parameters == weights


def test_features_of_campolina_are_what_they_are_called() -> None:
    """Signal, difference, rolling mean and SD, and a t-statistic, each as numpy computes it from its samples."""
    x_n = np.random.default_rng(0).normal(size=40).astype(np.float32)
    features = SignalFeatures(window=5, step_window=3)(torch.from_numpy(x_n)[None, None])[0].numpy()
    around, before, after = x_n[8:13], x_n[7:10], x_n[10:13]
    spread = np.sqrt((before.var() + after.var() + 2 * VARIANCE_FLOOR) / 3)
    expected = [x_n[10], x_n[10] - x_n[9], around.mean(), np.sqrt(around.var() + VARIANCE_FLOOR)]

    assert features.shape == (5, 40)
    np.testing.assert_allclose(features[:, 10], [*expected, (after.mean() - before.mean()) / spread], rtol=1e-5)


def test_campolina_accepts_a_constant_signal() -> None:
    """Where the signal is constant, as in padding, features and gradients are finite."""
    x_B1T = torch.zeros(2, 1, 50, requires_grad=True)
    logits_BCT = tiny_network("campolina")(x_B1T)
    logits_BCT.square().sum().backward()
    assert x_B1T.grad is not None

    assert logits_BCT.isfinite().all()
    assert x_B1T.grad.isfinite().all()


@pytest.mark.parametrize(
    ("name", "switched"),
    [
        ("alexnet", {"batch_norm": False}),
        ("vgg", {"batch_norm": False}),
        ("resnet", {"batch_norm": False}),
        ("resnet", {"residual": False}),
        ("unet", {"batch_norm": False}),
        ("crnn", {"batch_norm": False}),
        ("crnn", {"cell": "lstm"}),
    ],
)
def test_switches_leave_the_reach_alone(name: str, switched: dict[str, Any]) -> None:
    """A network without batch norm or shortcuts, or with the other cell, sees as far, and labels every sample."""
    network = build_network(name, asdict(TINY[name]) | switched, N_CLASSES)

    assert network.frames.receptive_field == tiny_network(name).frames.receptive_field
    assert network(torch.randn(2, 1, 65)).shape == (2, N_CLASSES, 65)
    assert switched != {"batch_norm": False} or not any(isinstance(m, nn.BatchNorm1d) for m in network.modules())
