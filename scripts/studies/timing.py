"""How long work takes: seconds of a call, and samples per second of several pieces of work that take turns."""

import statistics
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:  # studies of files need no torch
    from torch import nn

    from poreconv.models.recipe import Recipe
    from poreconv.reads.read import Read

# N chunks, T samples

ROUNDS, ROWS, SAMPLES = 7, 4, 8000
"""Rounds of a timing; chunks that go through a network at once, and their samples."""

Work = Callable[[], int]
"""Does a piece of work and returns its number of samples."""


def seconds(work: Callable[[], object], clock: Callable[[], float] = time.perf_counter) -> float:
    """Measure one call.

    Args:
        work: What is called.
        clock: Returns seconds: `time.perf_counter`, or `time.process_time` for seconds of CPU.
    """
    started = clock()
    work()
    return clock() - started


def in_turns(works: Mapping[str, Work]) -> dict[str, float]:
    """Measure pieces of work on one core: medians over rounds in which they take turns, so that they share its load.

    Args:
        works: Name -> work; each is done once beforehand, since some compile and all fill caches.

    Returns:
        Name -> samples per second.
    """
    import torch

    torch.set_num_threads(1)
    rates: dict[str, list[float]] = {name: [] for name in works}
    for work in works.values():
        work()
    for _ in range(ROUNDS):
        for name, work in works.items():
            started = time.perf_counter()
            samples = work()
            rates[name].append(samples / (time.perf_counter() - started))
    return {name: statistics.median(some) for name, some in rates.items()}


def on_chunks(run: Callable[[NDArray[np.float32]], Any]) -> Work:
    """Make a piece of work: some chunks of noise through a network.

    Args:
        run: The network, called with chunks of shape ``(ROWS, SAMPLES)``.
    """
    x_NT = np.random.default_rng(0).normal(size=(ROWS, SAMPLES)).astype(np.float32)

    def work() -> int:
        run(x_NT)
        return int(x_NT.size)

    return work


def as_trained(network: "nn.Module") -> Callable[[NDArray[np.float32]], Any]:
    """Run a network as a user of torch would, nothing folded.

    Args:
        network: ``(N, 1, T) -> (N, C, T)``.

    Returns:
        What `on_chunks` takes.
    """
    import torch

    def run(x_NT: NDArray[np.float32]) -> Any:
        with torch.inference_mode():
            return network(torch.from_numpy(x_NT)[:, None])

    return run


def detection(detector: str, read: "Read", recipe: "Recipe") -> Work:
    """Make a piece of work: a detector that learnt nothing, over one read.

    Args:
        detector: Name in ``BASELINES``.
        read: The read.
        recipe: States the task.
    """
    from poreconv.evaluation.baselines.choice import baselines_for

    detect = baselines_for(recipe.task, [detector])[detector]

    def work() -> int:
        detect(read, recipe)
        return len(read.adc)

    return work
