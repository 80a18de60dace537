"""Plain torch: starts at once, and runs on a CPU or CUDA."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from poreconv.config import InferenceConfig, Precision
from poreconv.errors import ConfigError, MachineError
from poreconv.inference.backends import CPU, CPU_ROWS, GPU_ROWS, Hardware
from poreconv.models.bundle import load_bundle
from poreconv.models.networks.fused import fastest
from poreconv.models.networks.network import Network
from poreconv.models.own import Networks

# N chunks, C classes, T samples


FEWEST_ROWS, MOST_ROWS = 2, 8
"""Fewest and most chunks that go through the network at once on a CPU. For a single small chunk in fp32, torch chooses
other implementations of a convolution, which round differently. Between these limits, on one thread, the shipped
networks give the same results to the bit, whatever the chunks' length and number; other networks, and several threads,
to the fifth digit."""

PROCESS_BYTES = 2 << 30
"""Memory of a GPU that a process is given: its context, and `GPU_ROWS` chunks in the largest of the shipped
networks."""


def default_device(asked: str | None) -> torch.device:
    """Return the device that was asked for, else CUDA if there is one, else the CPU.

    Args:
        asked: Name of a torch device, or None.

    Raises:
        ConfigError: This machine has no such device, or torch does not know it.
    """
    name = asked or ("cuda" if torch.cuda.is_available() else "cpu")
    try:
        return torch.empty(0, device=name).device
    except (RuntimeError, AssertionError) as exc:  # the latter: torch was built without CUDA
        reason = str(exc).partition("\n")[0].partition("Expected one of")[0] or "not a device of torch"
        raise ConfigError(f"accelerator {name!r}: cannot be used here ({reason}); use cpu, or auto") from exc


def has_bf16(device: torch.device) -> bool:
    """Return whether a device computes in bf16 natively, not by emulation.

    Args:
        device: CUDA or the CPU.
    """
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    return device.type == "cpu" and bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())


@contextmanager
def in_threads(n_threads: int | None) -> Iterator[None]:
    """Let torch compute in this many threads inside the context.

    Args:
        n_threads: Default: as torch is set.
    """
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(n_threads or before)
        yield
    finally:
        torch.set_num_threads(before)


def in_ieee_fp32(device: torch.device) -> AbstractContextManager[None]:
    """Keep float32 convolutions on a GPU from TensorFloat-32, whose 10 bits differ in the third digit.

    Args:
        device: Where the network runs.
    """
    if device.type != "cuda":
        return nullcontext()
    # All of cuDNN's flags are set at once; the same algorithm each time, so that a resumed run gives the same bytes.
    return torch.backends.cudnn.flags(enabled=True, benchmark=False, deterministic=True, allow_tf32=False)


class TorchBackend:
    """A network in evaluation mode.

    Args:
        network: As trained; it is not changed.
        precision: ``bf16``, else float32. A network without a bounded receptive field always computes in float32, and
            so does the user's own, unless it can be rewritten; see `fastest`.
        device: Where to run; default: CUDA if there is one, else the CPU.
        threads: Threads that compute on a CPU; default: as torch is set.
    """

    def __init__(
        self,
        network: Network,
        precision: Precision = "32",
        device: str | None = None,
        threads: int | None = None,
    ) -> None:
        self._threads = threads
        self.network, self.size = network.eval(), network.size
        self._device = default_device(device)
        on_cpu = self._device.type == "cpu"
        self.usual_rows = CPU_ROWS if on_cpu else GPU_ROWS
        self.most_rows: int | None = MOST_ROWS if on_cpu else None
        self.precision: Precision = "bf16" if precision == "bf16" else "32"
        self._run = self._runnable().to(self._device)

    @classmethod
    def hardware(cls, device: str | None) -> Hardware:
        """Return what a network would run on.

        Of a GPU, as many processes share it as its free memory holds: one reads and decodes too slowly to keep it busy.

        Args:
            device: Where to run; default: CUDA if there is one, else the CPU.

        Raises:
            ConfigError: This machine has no such device.
        """
        chosen = default_device(device)
        if chosen.type == "cpu":
            return CPU
        if chosen.type != "cuda":
            return Hardware(str(chosen), most_processes=1)
        torch.cuda.empty_cache()  # of what was measured
        free_bytes, _ = torch.cuda.mem_get_info(chosen)
        return Hardware(torch.cuda.get_device_name(chosen), max(1, free_bytes // PROCESS_BYTES))

    @classmethod
    def precisions(cls, device: str | None) -> tuple[Precision, ...]:
        """Return the precisions that the device computes in by itself.

        Args:
            device: As for `hardware`.

        Raises:
            ConfigError: This machine has no such device.
        """
        return ("32", "bf16") if has_bf16(default_device(device)) else ("32",)

    @classmethod
    def open(
        cls, path: Path, config: InferenceConfig, device: str | None, threads: int | None, networks: Networks = None
    ) -> Self:
        """Load a bundle.

        Args:
            path: The bundle.
            config: Precision.
            device: Where to run; default: CUDA if there is one, else the CPU.
            threads: Threads that compute on a CPU; default: as torch is set.
            networks: The user's own network, if the model has one; see `own_network`.

        Raises:
            BundleError: The file is not a bundle, or its network is not given.
        """
        network, _ = load_bundle(path, networks)
        return cls(network, config.precision, device, threads)

    def _runnable(self) -> nn.Module:
        run = fastest(self.network, torch.bfloat16 if self.precision == "bf16" else torch.float32)
        if run is self.network:
            self.precision = "32"
        return run

    def __call__(self, x_NT: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return logits, shape ``(N, C, T)``, of normalised signal, shape ``(N, T)``.

        Raises:
            MachineError: A GPU has not enough memory for a single chunk.
        """
        try:
            return self._logits(x_NT)
        except torch.cuda.OutOfMemoryError as exc:
            if len(x_NT) == 1:
                raise MachineError(
                    f"not enough memory on {self._device} for a chunk of {x_NT.shape[1]:,} samples; use smaller"
                    " --chunk_samples, fewer --workers, or --accelerator cpu"
                ) from exc
        torch.cuda.empty_cache()  # here nothing of the failed attempt is alive
        half = len(x_NT) // 2
        return np.concatenate([self(x_NT[:half]), self(x_NT[half:])])

    def _logits(self, x_NT: NDArray[np.float32]) -> NDArray[np.float32]:
        x_N1T = torch.from_numpy(x_NT)[:, None]
        n_rows = len(x_N1T)
        if self._device.type == "cuda":
            x_N1T = x_N1T.pin_memory().to(self._device, non_blocking=True)
        elif self._device.type != "cpu":
            x_N1T = x_N1T.to(self._device)
        elif n_rows < FEWEST_ROWS and self.precision == "32" and self.size.receptive_field is not None:
            x_N1T = x_N1T.expand(FEWEST_ROWS, -1, -1)
        with in_threads(self._threads), in_ieee_fp32(self._device), torch.inference_mode():
            logits_NCT: Tensor = self._run(x_N1T)[:n_rows]
            return np.asarray(logits_NCT.cpu().numpy(), np.float32)
