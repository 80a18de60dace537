"""Where several labels of one read say the same."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from poreconv.config import Task
from poreconv.events import Events
from poreconv.matching import partners
from poreconv.targets import encode, samples_of


def agreed(several: Sequence[Events], n_samples: int, task: Task, tolerance: int) -> Events:
    """Give the first labels, with a coverage that leaves out where another disagrees or does not speak.

    Args:
        several: Events of one read, at least one set of them; each of the others is compared with the first.
        n_samples: The read's length.
        task: For `boundary`, places are compared: a boundary of either that finds no partner within ``tolerance``, one
            to one, leaves out ``tolerance`` samples on each side of itself. Else classes are, sample by sample.
        tolerance: Samples.
    """
    first, *others = several
    doubt = _dark(first, n_samples)
    for other in others:
        doubt |= _dark(other, n_samples)
        if task == "boundary":
            doubt[_unmatched(first.start, other.start, n_samples, tolerance)] = True
        else:
            doubt |= encode(first, n_samples, task) != encode(other, n_samples, task)
    return replace(first, coverage=_intervals(~doubt))


def _dark(events: Events, n_samples: int) -> NDArray[np.bool_]:
    """Samples outside the coverage, shape ``(n_samples,)``."""
    dark = np.ones(n_samples, bool)
    start, end = events.coverage.T
    dark[samples_of(start, end - start)] = False
    return dark


def _unmatched(one: NDArray[np.int64], other: NDArray[np.int64], n_samples: int, tolerance: int) -> NDArray[np.int64]:
    """Samples around the boundaries of either that have no partner in the other."""
    partner = partners(one, other, tolerance)
    lonely = np.concatenate([one[partner < 0], np.delete(other, partner[partner >= 0])])
    return np.unique(np.clip(lonely[:, None] + np.arange(-tolerance, tolerance + 1), 0, n_samples - 1))


def _intervals(inside: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Runs of True as ``[start, end)``, shape ``(m, 2)``."""
    edge = np.flatnonzero(np.diff(inside, prepend=False, append=False))
    return edge.reshape(-1, 2)
