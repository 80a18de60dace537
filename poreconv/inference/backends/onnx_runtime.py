"""ONNX Runtime: runs exported models, also in int8, without torch; a bundle is exported first."""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import ClassVar, Self

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from poreconv.config import InferenceConfig
from poreconv.errors import ConfigError
from poreconv.models.header import ONNX, header_of, onnx_session
from poreconv.models.own import Networks

# N chunks, C classes, T samples


class OnnxBackend:
    """An exported network.

    Args:
        path: An exported model.
        device: Where to run; default: CUDA if onnxruntime has it, else the CPU.
        threads: Threads that compute; default: one per core.
    """

    most_rows: ClassVar[int | None] = None

    def __init__(self, path: Path, device: str | None = None, threads: int | None = None) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads or 0
        options.enable_mem_pattern = False  # memory patterns are for chunks of one length
        options.log_severity_level = 3
        providers = [name for name in PROVIDERS if name in onnxruntime.get_available_providers()]
        if device not in {None, "cpu"} and providers[0] != f"{str(device).upper()}ExecutionProvider":
            raise ConfigError(f"accelerator {device!r}: this onnxruntime has {', '.join(providers)}; use cpu, or auto")
        chosen = [name for name in providers if device != "cpu" or name == PROVIDERS[-1]]
        self._session = onnx_session(path, options, chosen)
        self.size = header_of(path, self._session).size

    @classmethod
    def open(
        cls, path: Path, config: InferenceConfig, device: str | None, threads: int | None, networks: Networks = None
    ) -> Self:
        """Load an exported model; a bundle is exported first.

        Args:
            path: A bundle, or an exported model.
            config: Precision, which must be left to the exported model.
            device: Where to run; default: CUDA if onnxruntime has it, else the CPU.
            threads: Threads that compute; default: one per core.
            networks: The user's own network, if a bundle has one; an exported model contains it.

        Raises:
            BundleError: The file is not a trained model, or its network is not given.
            ConfigError: Precision bf16 was asked for, or the bundle cannot be exported.
        """
        if config.precision == "bf16":
            raise ConfigError("precision bf16: backend onnx computes as the model was exported; leave it out")
        if path.suffix == ONNX:
            return cls(path, device, threads)
        from poreconv.models.onnx_export import write_onnx  # needs torch and the extra

        with TemporaryDirectory() as folder:
            exported = Path(folder) / "model.onnx"
            write_onnx(exported, path, networks=networks)
            return cls(exported, device, threads)

    def __call__(self, x_NT: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return logits, shape ``(N, C, T)``, of normalised signal, shape ``(N, T)``."""
        [logits_NCT] = self._session.run(None, {self._session.get_inputs()[0].name: x_NT[:, None]})
        return np.asarray(logits_NCT, np.float32)


PROVIDERS = ("CUDAExecutionProvider", "CPUExecutionProvider")
"""Execution providers of onnxruntime, the fastest first."""
