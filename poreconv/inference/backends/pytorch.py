"""Torch, as it is: starts at once, and runs on a CPU or CUDA."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import ClassVar, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from poreconv.config import InferenceConfig, Precision
from poreconv.models.bundle import load_bundle
from poreconv.models.networks.fused import Images
from poreconv.models.networks.network import Network

# N chunks, C classes, T samples


FEWEST_ROWS, MOST_ROWS = 2, 8
"""Chunks that go through the network at once on a CPU. For a single small one in fp32, torch chooses other
implementations of a convolution, which round differently. In between, on one thread, such networks as are shipped give
the same to the bit, whatever the chunks' length and number; others, and on several threads, to the fifth digit."""


def default_device(asked: str | None) -> torch.device:
    """The device that was asked for; else CUDA if there is one, else the CPU."""
    return torch.device(asked or ("cuda" if torch.cuda.is_available() else "cpu"))


def has_bf16(device: torch.device) -> bool:
    """Whether a device computes in bf16, and doesn't only imitate it."""
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    return bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())


@contextmanager
def in_threads(n_threads: int | None) -> Iterator[None]:
    """Let torch compute in so many threads for a while; None: as it is set."""
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(n_threads or before)
        yield
    finally:
        torch.set_num_threads(before)


class TorchBackend:
    """A network in evaluation mode.

    Args:
        network: As trained; it is left as it is.
        precision: ``auto``: bf16 where the device computes in it, else 32; which is always that of a network that takes
            whole reads.
        device: Where to run; default: CUDA if there is one, else the CPU.
        threads: That compute on a CPU; default: as torch is set.
    """

    most_rows: ClassVar[int | None] = MOST_ROWS

    def __init__(
        self,
        network: Network,
        precision: Precision = "auto",
        device: str | None = None,
        threads: int | None = None,
    ) -> None:
        self._threads = threads
        self.network, self.size = network.eval(), network.size
        self._device = default_device(device)
        if self.size.receptive_field is None:
            precision = "32"
        self.precision = ("bf16" if has_bf16(self._device) else "32") if precision == "auto" else precision
        self._run = self._made_over().to(self._device)

    @classmethod
    def open(cls, path: Path, config: InferenceConfig, device: str | None, threads: int | None) -> Self:
        """Load a bundle."""
        network, _ = load_bundle(path)
        return cls(network, config.precision, device, threads)

    def _made_over(self) -> nn.Module:
        if self.size.receptive_field is None:
            return self.network
        return Images(self.network, torch.bfloat16 if self.precision == "bf16" else torch.float32)

    def __call__(self, x_NT: NDArray[np.float32]) -> NDArray[np.float32]:
        """Logits, shape ``(N, C, T)``."""
        x_N1T = torch.from_numpy(x_NT)[:, None]
        n_rows = len(x_N1T)
        if self._device.type == "cuda":
            x_N1T = x_N1T.pin_memory().to(self._device, non_blocking=True)
        elif n_rows < FEWEST_ROWS and self.precision == "32" and self.size.receptive_field is not None:
            x_N1T = x_N1T.expand(FEWEST_ROWS, -1, -1)
        with in_threads(self._threads), torch.inference_mode():
            logits_NCT: Tensor = self._run(x_N1T)[:n_rows]
            return np.asarray(logits_NCT.cpu().numpy(), np.float32)
