"""Processes that train one network together: which is the first, and what they exchange."""

import os

from lightning.pytorch.utilities import rank_zero_only
from torch import Tensor, distributed


def is_first() -> bool:
    """Return whether this process writes files and reports progress; a single process does."""
    # Lightning knows the rank of the first process on another machine only when its trainer is made.
    return int(getattr(rank_zero_only, "rank", 0)) == 0 and os.environ.get("NODE_RANK", "0") == "0"


def mean_over_processes(number: Tensor) -> Tensor:
    """Average a number over the processes.

    Args:
        number: This process's value, a scalar.

    Returns:
        The mean, the same in all processes; without gradient, unless there is a single process.
    """
    if not _together():
        return number
    total = number.detach().clone()
    distributed.all_reduce(total)
    return total / distributed.get_world_size()


def go_on_alone() -> None:
    """Wait for all processes, then leave the group: a metric that one process computes would wait for the others."""
    if _together():
        distributed.barrier()
        distributed.destroy_process_group()


def _together() -> bool:
    return distributed.is_available() and distributed.is_initialized()
