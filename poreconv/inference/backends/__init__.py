"""Backends: what a trained model runs on. A new one is one file here and one line in ``BACKENDS``."""

from __future__ import annotations

import ctypes
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, Self

from poreconv.config import BackendName, InferenceConfig, Precision
from poreconv.errors import ConfigError
from poreconv.models.header import ONNX
from poreconv.models.own import Networks
from poreconv.models.size import NetworkSize
from poreconv.runtime.registry import lookup

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

BACKENDS = {
    "torch": "poreconv.inference.backends.pytorch:TorchBackend",
    "compile": "poreconv.inference.backends.compiled:CompiledBackend",
    "onnx": "poreconv.inference.backends.onnx_runtime:OnnxBackend",
}
"""Name -> backend."""


CPU_ROWS, GPU_ROWS = 4, 64
"""Chunks that go through a network at once, unless the user chooses: a few, which fit into a processor's cache; and as
many as a GPU needs to be busy, half a million samples."""


@dataclass(frozen=True)
class Hardware:
    """What a network runs on."""

    name: str
    """``cpu``, or that of the GPU."""
    most_processes: int | None = None
    """Processes whose networks its memory holds; None: any number."""


CPU = Hardware("cpu")

DRIVER = "nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1"
"""Library that NVIDIA's driver brings, and nothing else."""


def has_driver() -> bool:
    """Return whether this machine has NVIDIA's driver, and the user does not hide the GPUs; torch is not imported."""
    if os.environ.get("CUDA_VISIBLE_DEVICES") in {"", "-1"}:
        return False
    try:
        ctypes.CDLL(DRIVER)
    except OSError:
        return False
    return True


def hardware_for(backend: str, accelerator: str) -> Hardware:
    """Return what a backend runs on; its library is imported only where that may be something else than the CPU.

    Args:
        backend: Name in ``BACKENDS``.
        accelerator: ``auto``, ``cpu``, ``cuda`` and so on.

    Raises:
        ConfigError: This machine has no such accelerator, or the library cannot use it.
    """
    if accelerator == "cpu" or (accelerator == "auto" and not has_driver()):
        return CPU
    kind: type[Backend] = lookup(BACKENDS, backend, kind="backend")
    return kind.hardware(None if accelerator == "auto" else accelerator)


def rows_for(backend: Backend, asked: int) -> int:
    """Return the number of chunks that go through a network at once.

    Args:
        backend: The network.
        asked: What the user chose; 0: nothing.
    """
    rows = asked or backend.usual_rows
    return rows if backend.most_rows is None else min(rows, backend.most_rows)


def backend_for(path: Path, asked: BackendName) -> BackendName:
    """Return the backend of a model's file; of ``auto`` the one that starts at once, see also `Choosing`.

    Args:
        path: A bundle or an exported model.
        asked: Name in ``BACKENDS``, or ``auto``.

    Raises:
        ConfigError: The file cannot run on the backend that was asked for.
    """
    exported = path.suffix == ONNX
    if exported and asked not in {"auto", "onnx"}:
        raise ConfigError(f"{path}: runs on backend onnx, not {asked}; leave --backend out, or give the bundle")
    if asked != "auto":
        return asked
    return "onnx" if exported else "torch"


class Backend(Protocol):
    """A network, ready to run."""

    usual_rows: int
    """Number of chunks at once, unless the user chooses."""
    most_rows: int | None
    """Largest number of chunks at once; None: no limit."""
    precision: Precision
    """Precision in which it computes."""

    @property
    def size(self) -> NetworkSize:
        """Receptive field and alignment of the network."""
        ...

    @classmethod
    def hardware(cls, device: str | None) -> Hardware:
        """Return what a network would run on.

        Args:
            device: Where to run; default: CUDA if there is one, else the CPU.

        Raises:
            ConfigError: This machine has no such device.
        """
        ...

    @classmethod
    def precisions(cls, device: str | None) -> tuple[Precision, ...]:
        """Return the precisions that the device computes in by itself.

        Args:
            device: As for `hardware`.
        """
        ...

    @classmethod
    def open(
        cls, path: Path, config: InferenceConfig, device: str | None, threads: int | None, networks: Networks = None
    ) -> Self:
        """Load a model's network.

        Args:
            path: A bundle, or an exported model.
            config: Precision.
            device: Where to run; default: CUDA if there is one, else the CPU.
            threads: Threads that compute on a CPU; default: the library's own choice.
            networks: The user's own network, if a bundle has one; see `own_network`.

        Raises:
            BundleError: The file is not a trained model, or its network is not given.
            ConfigError: This backend cannot run the model so.
        """
        ...

    def __call__(self, x_NT: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return logits, shape ``(N, C, T)``, of normalised signal.

        Args:
            x_NT: Shape ``(N, T)``; any ``N`` and ``T`` of at least 1.
        """
        ...
