"""`torch.compile`: the network compiled as one program, which takes half a minute, once per process."""

from typing import cast

import torch
from torch import nn

from poreconv.inference.backends.pytorch import TorchBackend


class CompiledBackend(TorchBackend):
    """`TorchBackend`, compiled for chunks of any number and length."""

    def _runnable(self) -> nn.Module:
        return cast(nn.Module, torch.compile(super()._runnable(), dynamic=True))
