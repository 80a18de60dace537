"""Which backend and precision a model runs on, where the user leaves it to poreconv.

On one processor bf16 is twice as fast as float32, on another it is slower, and their descriptions do not distinguish
them. So each way to run the model is measured for a moment, and the figures are remembered. `torch.compile` is not
among the ways: it compiles for a minute in each process, and is at most a tenth faster than plain torch.
"""

import hashlib
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from poreconv.config import BackendName, InferenceConfig, Precision
from poreconv.errors import ConfigError
from poreconv.inference.backends import BACKENDS, CPU, Backend, backend_for, hardware_for
from poreconv.inference.backends.exported import can_export, exported_file, versions
from poreconv.models.header import ONNX, read_header
from poreconv.models.own import Networks
from poreconv.runtime import cache
from poreconv.runtime.files import sha256
from poreconv.runtime.processor import processor
from poreconv.runtime.records import to_json, to_plain
from poreconv.runtime.registry import lookup

# N chunks, T samples

logger = logging.getLogger(__name__)

LONGEST_S = 0.8
"""Time after which measuring ends, seconds; a round that has begun is finished."""

ROUNDS = 20
"""Times, at most, that each way runs, in turns; the fastest counts, as other programs only slow it down."""

SAMPLES, THREADS = InferenceConfig().chunk_samples, 1
"""Length of the chunks on which ways are measured, and threads that compute: those of `label`. With the user's own the
results would depend on chunk length and threads, by their precision."""

SHORTER = 8
"""Part of a chunk's length on which a slow network is measured."""

ALIKE = 0.95
"""Share of the largest speed that is as good: measuring is not more exact."""

Run = Callable[[NDArray[np.float32]], Any]
"""Runs the network on chunks, shape ``(N, T)``."""

IsLong = Callable[[float], bool]
"""Whether labelling at so many samples per second takes so long that an export pays."""


@dataclass(frozen=True)
class Way:
    """A backend and a precision."""

    backend: BackendName
    precision: Precision

    @property
    def name(self) -> str:
        """As it is called in figures and messages."""
        return f"{self.backend} {self.precision}"

    def __call__(self, config: InferenceConfig) -> InferenceConfig:
        """Return settings with this way to run a model.

        Args:
            config: The other settings.
        """
        return replace(config, backend=self.backend, precision=self.precision)


EXPORTED = Way("onnx", "32")

PREFERRED = (Way("torch", "32"), EXPORTED, Way("torch", "bf16"))
"""Ways that are measured; of two that are as fast, the first is chosen."""


@dataclass(frozen=True)
class Speeds:
    """What was measured, and of what."""

    of: dict[str, Any]
    """Machine, model, versions."""
    rates: dict[str, float]
    """Name of a way -> samples per second."""


def never(rate: float) -> bool:
    """Do not export: how much is to be labelled is not known.

    Args:
        rate: Samples per second.
    """
    return False


@dataclass(frozen=True)
class Choosing:
    """A choice to make: of one model, on this machine."""

    path: Path
    """The model's file."""
    config: InferenceConfig
    device: str | None = None
    """Where it runs; None: as ``config.accelerator``."""
    networks: Networks = None
    """The user's own network, if the model has one."""
    is_long: IsLong = never

    def way(self) -> Way:
        """Choose a backend and a precision; both as asked for, if the user did.

        An exported model runs in ONNX Runtime, with the precision of its export. A bundle runs in torch, in the faster
        precision; or, if the user left the backend open and labelling takes long enough to export the bundle, in ONNX
        Runtime where that is faster.

        Raises:
            BundleError: The file is not a trained model, or its network is not given.
            ConfigError: The file cannot run on the backend that was asked for.
        """
        asked, backend = self.config, backend_for(self.path, self.config.backend)
        if self.path.suffix == ONNX:
            return Way(backend, asked.precision)
        if asked.precision != "auto":
            return Way(backend, asked.precision)
        if backend == "onnx":
            return EXPORTED
        found = self._fastest()
        return found if asked.backend == "auto" else Way(backend, found.precision)

    def _fastest(self) -> Way:
        known = cache.remembered(self._name, Speeds)
        usable = known is not None and PREFERRED[0].name in known.rates.keys() <= {way.name for way in PREFERRED}
        rates = known.rates if known and usable else self._measured([way for way in PREFERRED if way != EXPORTED])
        at_once = {name: rate for name, rate in rates.items() if name != EXPORTED.name}
        if not self._may_export:
            return fastest(at_once)
        if EXPORTED.name in rates and fastest(rates) != EXPORTED:
            return fastest(rates)
        pays = exported_file(self.path).exists() or self.is_long(max(at_once.values()))
        if pays and EXPORTED.name not in rates:
            rates = self._measured(PREFERRED)
        return fastest(rates if pays else at_once)

    @property
    def _may_export(self) -> bool:
        possible = self.config.backend == "auto" and self._hardware == CPU.name and can_export() and cache.is_writable()
        return possible and read_header(self.path).recipe.own_network is None

    @property
    def _hardware(self) -> str:
        return hardware_for("torch", self.device or self.config.accelerator).name

    @cached_property
    def _of(self) -> dict[str, Any]:
        return {
            "machine": processor(),
            "hardware": self._hardware,
            "model": sha256([self.path]),
            "versions": versions(),
        }

    @property
    def _name(self) -> str:
        return f"speeds/{hashlib.sha256(to_json(self._of).encode()).hexdigest()}.json"

    def _measured(self, ways: Sequence[Way]) -> dict[str, float]:
        """Measure some ways, and remember the figures; a way that this model or machine does not have is left out."""
        opened = {way.name: backend for way in ways if (backend := self._opened(way)) is not None}
        rows = min(backend.usual_rows for backend in opened.values())
        rates = measured(opened, rows, SAMPLES)
        if EXPORTED in ways:
            rates.setdefault(EXPORTED.name, 0.0)  # so that the export is not tried again
        cache.remember(self._name, Speeds(to_plain(self._of), rates))
        logger.debug("%s: %s", self.path, described(rates))
        return rates

    def _opened(self, way: Way) -> Backend | None:
        kind: type[Backend] = lookup(BACKENDS, way.backend, kind="backend")
        named = self.device or self.config.accelerator
        device = None if named == "auto" else named
        if way.precision not in kind.precisions(device):
            return None
        try:
            backend = kind.open(self.path, way(self.config), device, THREADS, self.networks)
        except ConfigError:
            if way == EXPORTED:
                return None
            raise
        return backend if backend.precision == way.precision else None


def fastest(rates: Mapping[str, float]) -> Way:
    """Choose among ways that were measured: the first of `PREFERRED` that is about as fast as the fastest.

    Args:
        rates: Name of a way -> samples per second.
    """
    return next(way for way in PREFERRED if rates.get(way.name, -1.0) >= ALIKE * max(rates.values()))


def described(rates: Mapping[str, float]) -> str:
    """Return figures as a message shows them.

    Args:
        rates: Name of a way -> samples per second.
    """
    return ", ".join(f"{name} {rate / 1e6:.3g}" for name, rate in rates.items()) + " million samples/s"


def measured(
    runs: Mapping[str, Run], rows: int, samples: int, clock: Callable[[], float] = time.perf_counter
) -> dict[str, float]:
    """Measure some ways in turns, on noise, for `LONGEST_S` or a little more.

    Args:
        runs: Name of a way -> the network.
        rows: Chunks that go through it at once.
        samples: Samples of a chunk; of a slow network a part of them.
        clock: Returns seconds.

    Returns:
        Name of a way -> samples per second.
    """
    started, x_NT = clock(), np.random.default_rng(0).standard_normal((rows, samples)).astype(np.float32)
    short_NT = np.ascontiguousarray(x_NT[:, : -(-samples // SHORTER)])

    def seconds(run: Run, x_NT: NDArray[np.float32]) -> float:
        before = clock()
        run(x_NT)
        return clock() - before

    for run in runs.values():
        run(short_NT)  # the first time takes longer
    if 2 * SHORTER * sum(seconds(run, short_NT) for run in runs.values()) > LONGEST_S:
        x_NT = short_NT
    else:
        for run in runs.values():
            run(x_NT)  # so does the first time with chunks of this length
    least = dict.fromkeys(runs, np.inf)
    for _ in range(ROUNDS):
        least = {name: min(least[name], seconds(run, x_NT)) for name, run in runs.items()}
        if clock() - started > LONGEST_S:
            break
    return {name: x_NT.size / max(took, 1e-9) for name, took in least.items()}
