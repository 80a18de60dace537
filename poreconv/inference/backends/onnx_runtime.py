"""ONNX Runtime: runs exported models, also in int8, without torch; a bundle is exported first."""

from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Timer
from typing import Any, Self

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from poreconv.config import InferenceConfig, Precision
from poreconv.errors import BundleError, ConfigError
from poreconv.inference.backends import CPU, CPU_ROWS, GPU_ROWS, Hardware, has_driver
from poreconv.inference.backends.exported import exported_file, forget_oldest
from poreconv.models.header import ONNX, header_of, one_line, onnx_session, read_header
from poreconv.models.own import Networks
from poreconv.runtime import cache

# N chunks, C classes, T samples


SHORTEST = 64
"""Samples, at least, of the window on which a model is tried."""

FIRST_RUN_S = 20.0
"""Limit of the time for that window, which takes milliseconds."""

EXPORT = "give what poreconv export wrote"


class OnnxBackend:
    """An exported network.

    Args:
        path: An exported model.
        device: Where to run; default: CUDA if onnxruntime has it, else the CPU.
        threads: Threads that compute; default: one per core.

    Raises:
        BundleError: The file is not an exported model, or does not label a short window as its recipe states.
        ConfigError: onnxruntime has no such device.
    """

    most_rows: int | None = None
    precision: Precision = "32"

    def __init__(self, path: Path, device: str | None = None, threads: int | None = None) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads or 0
        options.enable_mem_pattern = False  # memory patterns are for chunks of one length
        options.log_severity_level = 3
        provider = provider_for(device)
        self.usual_rows = CPU_ROWS if provider == PROVIDERS["cpu"] else GPU_ROWS
        number = str(device).partition(":")[2] or "0"
        on_gpu = [(provider, {"device_id": number})] if provider != PROVIDERS["cpu"] else []
        self._session = onnx_session(path, options, [*on_gpu, PROVIDERS["cpu"]])
        header = header_of(path, self._session)
        self.size = header.size
        self._check_runs(path, len(header.recipe.classes))

    def _check_runs(self, path: Path, n_classes: int) -> None:
        """Label one short window: an ONNX file can hold any program, also one that never ends."""
        n_samples = self.size.alignment * -(-SHORTEST // self.size.alignment)
        x_NT = np.random.default_rng(0).standard_normal((1, n_samples)).astype(np.float32)
        options = onnxruntime.RunOptions()
        options.log_severity_level = 4
        clock = Timer(FIRST_RUN_S, setattr, (options, "terminate", True))
        clock.start()
        try:
            logits_NCT = self._run(x_NT, options)
        except Exception as exc:  # onnxruntime's errors have no other parent
            raise BundleError(
                f"{path}: does not label {n_samples} samples in {FIRST_RUN_S:g} s ({one_line(exc)}); {EXPORT}"
            ) from exc
        finally:
            clock.cancel()
        expected = (1, n_classes, n_samples)
        if logits_NCT.shape != expected:
            raise BundleError(f"{path}: gives scores of shape {logits_NCT.shape}, {expected} are due; {EXPORT}")
        if not np.isfinite(logits_NCT).all():
            raise BundleError(f"{path}: its scores are not finite; {EXPORT}")

    @classmethod
    def hardware(cls, device: str | None) -> Hardware:
        """Return what a network would run on; a GPU has one process, as ONNX Runtime keeps the memory that it takes.

        Args:
            device: Where to run; default: CUDA if onnxruntime has it, else the CPU.

        Raises:
            ConfigError: onnxruntime has no such device.
        """
        return CPU if provider_for(device) == PROVIDERS["cpu"] else Hardware("cuda", most_processes=1)

    @classmethod
    def precisions(cls, device: str | None) -> tuple[Precision, ...]:
        """Return the precision of exported bundles.

        Args:
            device: Unused.
        """
        return (cls.precision,)

    @classmethod
    def open(
        cls, path: Path, config: InferenceConfig, device: str | None, threads: int | None, networks: Networks = None
    ) -> Self:
        """Load an exported model; a bundle is exported first, once for all commands where there is a cache folder.

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
        if cache.is_writable() and read_header(path).recipe.own_network is None:
            return cls._kept(path, device, threads)
        with TemporaryDirectory() as folder:
            return cls._exported(Path(folder) / "model.onnx", path, device, threads, networks)

    @classmethod
    def _kept(cls, bundle: Path, device: str | None, threads: int | None) -> Self:
        kept = exported_file(bundle)
        if kept.exists():
            with suppress(BundleError):  # damaged
                return cls(kept, device, threads)
        opened = cls._exported(kept, bundle, device, threads)
        forget_oldest()
        return opened

    @classmethod
    def _exported(
        cls, out: Path, bundle: Path, device: str | None, threads: int | None, networks: Networks = None
    ) -> Self:
        from poreconv.models.onnx_export import write_onnx  # needs torch and the extra

        write_onnx(out, bundle, networks=networks)
        return cls(out, device, threads)

    def __call__(self, x_NT: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return logits, shape ``(N, C, T)``, of normalised signal, shape ``(N, T)``."""
        return self._run(x_NT)

    def _run(self, x_NT: NDArray[np.float32], options: Any = None) -> NDArray[np.float32]:
        [logits_NCT] = self._session.run(None, {self._session.get_inputs()[0].name: x_NT[:, None]}, options)
        return np.asarray(logits_NCT, np.float32)


PROVIDERS = {"cuda": "CUDAExecutionProvider", "cpu": "CPUExecutionProvider"}
"""Kind of device -> execution provider of onnxruntime, the fastest first."""


def provider_for(device: str | None) -> str:
    """Return the execution provider of a device.

    Args:
        device: ``cpu``, ``cuda``, ``cuda:1``; default: CUDA if onnxruntime has it, else the CPU.

    Raises:
        ConfigError: onnxruntime has no such device.
    """
    available = onnxruntime.get_available_providers()
    known = {kind: name for kind, name in PROVIDERS.items() if name in available and (kind == "cpu" or has_driver())}
    kind = next(iter(known)) if device is None else device.partition(":")[0]
    if kind not in known:
        raise ConfigError(f"accelerator {device!r}: this onnxruntime has {', '.join(known.values())}; use cpu, or auto")
    return known[kind]
