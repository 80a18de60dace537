"""Backends: what a trained model runs on. A new one is one file here and one line in ``BACKENDS``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Protocol, Self

from poreconv.config import BackendName, InferenceConfig
from poreconv.errors import ConfigError
from poreconv.models.header import ONNX
from poreconv.models.own import Networks
from poreconv.models.size import NetworkSize

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

BACKENDS = {
    "torch": "poreconv.inference.backends.pytorch:TorchBackend",
    "compile": "poreconv.inference.backends.compiled:CompiledBackend",
    "onnx": "poreconv.inference.backends.onnx_runtime:OnnxBackend",
}
"""Name -> backend."""


def backend_for(path: Path, asked: BackendName) -> str:
    """Choose the backend of a model's file; ``auto`` is the fastest of those that start at once.

    For a bundle that is torch: ONNX Runtime is as fast in fp32, but the bundle has to be exported first; compiling
    takes tens of seconds. Figures are in the README; `scripts/studies/bench.py` measures them.

    Args:
        path: A bundle or an exported model.
        asked: Name in ``BACKENDS``, or ``auto``.

    Returns:
        Name in ``BACKENDS``.

    Raises:
        ConfigError: The file cannot run on the backend that was asked for.
    """
    exported = path.suffix == ONNX
    if exported and asked not in {"auto", "onnx"}:
        raise ConfigError(f"{path}: runs on backend onnx, not {asked}; leave --backend out, or give the bundle")
    return ("onnx" if exported else "torch") if asked == "auto" else asked


class Backend(Protocol):
    """A network, ready to run."""

    most_rows: ClassVar[int | None]
    """Largest number of chunks at once; None: no limit."""

    @property
    def size(self) -> NetworkSize:
        """Receptive field and alignment of the network."""
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
