"""Processes that train one network together: who is the first, and what they agree on."""

from lightning.pytorch.utilities import rank_zero_only
from torch import Tensor, distributed


def is_first() -> bool:
    """Whether this process is the one that writes and tells; alone, it is."""
    return int(getattr(rank_zero_only, "rank", 0)) == 0


def mean_over_processes(number: Tensor) -> Tensor:
    """Mean of a number that each process has, the same in all; nothing flows back through it."""
    if not _together():
        return number
    total = number.detach().clone()
    distributed.all_reduce(total)
    return total / distributed.get_world_size()


def part() -> None:
    """Wait for all, and be alone from then on: metrics that one process computes would wait for the others forever."""
    if _together():
        distributed.barrier()
        distributed.destroy_process_group()


def _together() -> bool:
    return distributed.is_available() and distributed.is_initialized()
