"""What several scripts of this folder need."""

import importlib.machinery
import importlib.util
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

ROUNDS, ROWS, SAMPLES = 7, 4, 8000
"""Rounds of a timing; chunks that go through a network at once, and their samples."""


def sibling(name: str) -> ModuleType:
    """Another script of this folder, as a module."""
    loader = importlib.machinery.SourceFileLoader(name, str(Path(__file__).with_name(name)))
    spec = importlib.util.spec_from_loader(name, loader)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    loader.exec_module(module)
    return module


def in_turns(works: dict[str, Callable[[], int]]) -> dict[str, float]:
    """Samples per second of each piece of work, on one core: medians of rounds in which they take turns."""
    torch.set_num_threads(1)
    rates: dict[str, list[float]] = {name: [] for name in works}
    for work in works.values():
        work()  # compiles, and warms the caches
    for _ in range(ROUNDS):
        for name, work in works.items():
            started = time.perf_counter()
            samples = work()
            rates[name].append(samples / (time.perf_counter() - started))
    return {name: statistics.median(some) for name, some in rates.items()}


def on_chunks(run: Callable[[NDArray[np.float32]], Any]) -> Callable[[], int]:
    """Some chunks through a network."""
    x_NT = np.random.default_rng(0).normal(size=(ROWS, SAMPLES)).astype(np.float32)

    def work() -> int:
        run(x_NT)
        return int(x_NT.size)

    return work


def as_trained(network: torch.nn.Module) -> Callable[[NDArray[np.float32]], Any]:
    """A network as a user of torch would run it."""

    def run(x_NT: NDArray[np.float32]) -> Any:
        with torch.inference_mode():
            return network(torch.from_numpy(x_NT)[:, None])

    return run
