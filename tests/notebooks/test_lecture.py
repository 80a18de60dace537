"""What the lecture said of networks: dense ones (1), AlexNet (8), stacks of small kernels (9), what came later (10)."""

from collections.abc import Iterator

import pytest
import torch
from tests.support.models import tiny_network
from torch import nn
from torch.nn import functional

from poreconv.models.architectures import Alexnet, Resnet, Vgg
from poreconv.models.networks import build_network
from poreconv.models.networks.frames import Frames


@pytest.fixture(autouse=True)
def same_weights() -> Iterator[None]:
    """Every test starts from the same random numbers."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        yield


def count(network: nn.Module) -> int:
    """Trained numbers."""
    return sum(parameter.numel() for parameter in network.parameters())


def kinds(network: nn.Module, kind: type[nn.Module]) -> list[nn.Module]:
    """Layers of one kind, in order."""
    return [layer for layer in network.modules() if isinstance(layer, kind)]


def first_gradient(**settings: bool) -> float:
    """Length of the gradient at the first layer of an untrained net of 41 convolutions."""
    torch.manual_seed(0)
    deep = build_network("resnet", Resnet(channels=(8,), blocks=20, stem_stride=1, **settings), 2)
    x_B1T = torch.randn(8, 1, 200)
    functional.cross_entropy(deep(x_B1T), (x_B1T[:, 0] > 0).long()).backward()
    return float(deep.get_parameter("stem.weight").grad.norm())


def test_1_a_dense_layer_does_not_scale() -> None:
    """A picture of 250 x 250 into 20 neurons costs 1,250,020 numbers; 20 kernels of 3 x 3 look everywhere for 200."""
    dense, kernels = nn.Linear(250 * 250, 20), nn.Conv2d(1, 20, 3)

    assert count(dense) == 250 * 250 * 20 + 20 == 1_250_020
    assert count(kernels) == 3 * 3 * 20 + 20 == 200


def test_1_a_longer_trace_costs_a_dense_layer_more_and_a_kernel_nothing() -> None:
    """Twice the samples are twice the weights of a dense layer; a kernel slides on."""
    kernel = nn.Conv1d(1, 20, 3)

    assert nn.Linear(2000, 20).weight.numel() == 2 * nn.Linear(1000, 20).weight.numel()
    assert [kernel(torch.zeros(1, 1, n_samples)).shape[-1] for n_samples in (1000, 2000)] == [998, 1998]


def test_8_alexnet_is_the_network_of_2012() -> None:
    """Convolutions and poolings of the published sizes, strides and channels, and three dense layers with dropout."""
    network = build_network("alexnet", Alexnet(), 2)
    convolutions = kinds(network, nn.Conv1d)

    assert [layer.kernel_size[0] for layer in convolutions] == [11, 5, 3, 3, 3, 1, 1, 1]
    assert [layer.stride[0] for layer in convolutions] == [4, 1, 1, 1, 1, 1, 1, 1]
    assert [layer.out_channels for layer in convolutions][:5] == [96, 256, 384, 384, 256]
    assert [(layer.kernel_size, layer.stride) for layer in kinds(network, nn.MaxPool1d)] == [(3, 2)] * 3
    assert [layer.p for layer in kinds(network, nn.Dropout)] == [0.5, 0.5]


def test_8_alexnet_gives_every_sample_back() -> None:
    """Its strides make one frame of 32 samples, and the last layer has two classes for each of them."""
    network = build_network("alexnet", Alexnet(channels=(4, 4, 4, 4, 4), dense=8), 2)
    x_B1T = torch.randn(1, 1, 320)

    assert network.frame_logits(x_B1T).shape == (1, 2 * 32, 10)
    assert network(x_B1T).shape == (1, 2, 320)


def test_9_the_stack_for_proteins_has_small_kernels_only() -> None:
    """Eight convolutions of 3, pooled by 2 behind the second, fourth and eighth, and three dense layers."""
    layers = [
        layer for layer in build_network("vgg", Vgg(), 2).modules() if isinstance(layer, nn.Conv1d | nn.MaxPool1d)
    ]
    sizes = [layer.kernel_size if isinstance(layer, nn.MaxPool1d) else layer.kernel_size[0] for layer in layers]

    assert sizes == [3, 3, 2, 3, 3, 2, 3, 3, 3, 3, 2, 1, 1, 1]


@pytest.mark.parametrize("depth", [1, 2, 5])
def test_9_a_stack_of_small_kernels_sees_as_far_as_a_large_one(depth: int) -> None:
    """Each kernel of 3 adds two samples to what is seen."""
    stack = nn.Sequential(*[nn.Conv1d(8, 8, 3, padding=1) for _ in range(depth)])
    wide = nn.Conv1d(8, 8, 2 * depth + 1, padding=depth)

    assert Frames().after(stack).receptive_field == Frames().after(wide).receptive_field == 2 * depth + 1


def test_9_small_kernels_save_weights_in_pictures_and_not_in_traces() -> None:
    """Two kernels of 3 see as far as one of 5: 18 weights against 25 in a picture, 6 against 5 along a trace."""
    picture = [nn.Conv2d(1, 1, size).weight.numel() for size in (3, 5)]
    trace = [nn.Conv1d(1, 1, size).weight.numel() for size in (3, 5)]

    assert (2 * picture[0], picture[1]) == (18, 25)
    assert (2 * trace[0], trace[1]) == (6, 5)


def test_10_the_gradient_of_a_deep_plain_net_vanishes() -> None:
    """Behind 41 convolutions, nothing is left at the first; with shortcuts, or batch normalisation, it can learn."""
    plain = first_gradient(batch_norm=False, residual=False)
    mended = [first_gradient(batch_norm=False), first_gradient(residual=False), first_gradient()]

    assert 0 < plain < 1e-15
    assert min(mended) > 0.1


def test_10_a_plain_deep_net_without_shortcuts_explodes_under_batch_norm() -> None:
    """Batch normalisation alone makes the gradient of the first layer grow with depth; with shortcuts it stays."""
    assert first_gradient(residual=False) > 100 * first_gradient()


def test_10_batch_normalisation_centres_every_channel() -> None:
    """In training, each channel leaves with mean 0 and SD 1, whatever it came with; later, by what was learnt."""
    norm = nn.BatchNorm1d(2)
    x_BHT = torch.randn(16, 2, 100) * torch.tensor([[3.0], [0.1]]) + torch.tensor([[50.0], [-2.0]])
    y_BHT = norm(x_BHT)

    torch.testing.assert_close(y_BHT.mean((0, 2)), torch.zeros(2), atol=1e-4, rtol=0)
    torch.testing.assert_close(y_BHT.std((0, 2)), torch.ones(2), atol=1e-3, rtol=0)
    assert not torch.allclose(norm.eval()(x_BHT), y_BHT)


def test_10_dropout_silences_a_share_in_training_alone() -> None:
    """Half of the values become 0, the others twice as large, so that the mean stays; a trained net drops nothing."""
    dropout, x = nn.Dropout(0.5), torch.ones(10_000)
    dropped = dropout(x)

    assert dropped.unique().tolist() == [0.0, 2.0]
    assert float(dropped.mean()) == pytest.approx(1, abs=0.05)
    assert torch.equal(dropout.eval()(x), x)


@pytest.mark.parametrize("name", ["alexnet", "vgg"])
def test_10_a_network_with_dropout_answers_alike_once_trained(name: str) -> None:
    """In training, the same read gets other answers every time; in evaluation, the same."""
    network, x_B1T = tiny_network(name), torch.randn(2, 1, 200)

    assert not torch.equal(network(x_B1T), network(x_B1T))
    assert torch.equal(network.eval()(x_B1T), network(x_B1T))


def test_10_a_recurrent_layer_remembers_from_both_ends() -> None:
    """What lies far outside the reach of its kernels, before or after, changes a recurrent network's answer."""
    network = tiny_network("crnn").eval()
    x_B1T = torch.randn(1, 1, 400, requires_grad=True)
    network(x_B1T)[:, :, 200].sum().backward()
    assert x_B1T.grad is not None

    assert network.frames.receptive_field < 50
    assert x_B1T.grad[0, 0, [0, 399]].abs().min() > 0
