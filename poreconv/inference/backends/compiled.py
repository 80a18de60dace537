"""`torch.compile`: the network as one program made for it; making that takes half a minute, once per process."""

from typing import cast

import torch
from torch import nn

from poreconv.inference.backends.pytorch import TorchBackend


class CompiledBackend(TorchBackend):
    """As `TorchBackend`, compiled for chunks of any number and length."""

    def _made_over(self) -> nn.Module:
        return cast(nn.Module, torch.compile(super()._made_over(), dynamic=True))
