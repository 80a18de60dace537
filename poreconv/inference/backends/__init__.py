"""What a trained model runs on. Adding one: one file here, one line in ``BACKENDS``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Protocol, Self

from poreconv.config import BackendName, InferenceConfig
from poreconv.errors import ConfigError
from poreconv.models.header import ONNX
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
    """Choose what a model's file runs on, if it is left open (``auto``): what starts at once and is fastest then.

    For a bundle that is torch; ONNX Runtime is as fast in fp32, and has to be handed the network first; a compiler
    takes tens of seconds. Figures are in the README, and `scripts/bench` measures them anew.

    Raises:
        ConfigError: The file does not run on what was asked for.
    """
    exported = path.suffix == ONNX
    if exported and asked not in {"auto", "onnx"}:
        raise ConfigError(f"{path}: runs on backend onnx, not {asked}; leave --backend out, or give the bundle")
    return ("onnx" if exported else "torch") if asked == "auto" else asked


class Backend(Protocol):
    """A network, ready to run."""

    most_rows: ClassVar[int | None]
    """Chunks that it takes at once, at most; None: as many as there are."""

    @property
    def size(self) -> NetworkSize:
        """How far the network sees."""
        ...

    @classmethod
    def open(cls, path: Path, config: InferenceConfig, device: str | None, threads: int | None) -> Self:
        """Make a model's network ready.

        Args:
            path: A bundle, or what `export` made of one.
            config: Precision.
            device: Where to run; default: CUDA if there is one, else the CPU.
            threads: That compute on a CPU; default: as many as the library likes.

        Raises:
            BundleError: The file is no trained model.
            ConfigError: This backend cannot run it so.
        """
        ...

    def __call__(self, x_NT: NDArray[np.float32]) -> NDArray[np.float32]:
        """Logits, shape ``(N, C, T)``, of normalised signal, shape ``(N, T)``; any ``N`` and ``T``, both 1 or more."""
        ...
