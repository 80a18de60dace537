from typing import Any

import pytest
import torch
from torch import nn

from poreconv.models.architectures import ARCHITECTURES
from poreconv.models.networks.fused import FusedNetwork
from tests.support.models import TINY, random_network

USUAL: dict[str, Any] = {name: each.settings() for name, each in ARCHITECTURES.items()}
BOUNDED = [name for name in TINY if random_network(name).receptive_field is not None]


@pytest.mark.parametrize(
    "settings", [TINY, {name: each.settings() for name, each in ARCHITECTURES.items()}], ids=["tiny", "usual"]
)
@pytest.mark.parametrize("name", BOUNDED)
def test_the_fused_network_computes_the_same(name: str, settings: dict[str, Any]) -> None:
    """For every architecture, at any length, within the rounding of fp32."""
    network = random_network(name, settings=settings[name])
    for n_samples in (1, 63, 400):
        x_B1T = torch.randn(2, 1, n_samples, generator=torch.Generator().manual_seed(n_samples))
        with torch.inference_mode():
            expected, found = network(x_B1T), FusedNetwork(network)(x_B1T)

        torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-5)


def test_batch_normalisation_is_folded_where_it_follows_a_convolution() -> None:
    """A U-Net keeps none; a residual network keeps the one after a sum."""
    left = {
        name: sum(isinstance(layer, nn.BatchNorm2d) for layer in FusedNetwork(random_network(name)).modules())
        for name in ("unet", "tcn")
    }

    assert left == {"unet": 0, "tcn": 1}


def test_the_network_stays_as_it_was() -> None:
    """A copy is rewritten: the network still trains."""
    network = random_network("unet")
    before = {name: value.clone() for name, value in network.state_dict().items()}
    FusedNetwork(network, torch.bfloat16)

    assert all(torch.equal(before[name], value) for name, value in network.state_dict().items())
    assert all(parameter.requires_grad for parameter in network.parameters())


def test_logits_are_not_rounded_to_bf16() -> None:
    """The last convolution is fp32, so that neighbouring samples don't tie."""
    images = FusedNetwork(random_network("unet"), torch.bfloat16)
    with torch.inference_mode():
        logits_BCT = images(torch.randn(1, 1, 400, generator=torch.Generator().manual_seed(0)))

    assert logits_BCT.dtype == torch.float32
    assert not torch.equal(logits_BCT, logits_BCT.bfloat16().float())
