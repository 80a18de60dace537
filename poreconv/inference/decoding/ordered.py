"""Classes that follow each other in a known order, each once at most: the regions of a read."""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from poreconv.config import IGNORE, require


def best_ends(gain_CT: NDArray[np.float64]) -> NDArray[np.int64]:
    """Split a read into one stretch per class, in the order of the classes, so that the sum of the gains is largest.

    Linear in samples and classes: wherever a class's stretch may end, the best place for it to begin is where a running
    maximum last rose.

    Args:
        gain_CT: What each class adds at each sample, such as its log-probability, shape ``(C, T)``; rows in the
            signal's order.

    Returns:
        Where each class's stretch ends, shape ``(C,)``, ascending, the last is ``T``; each begins where the one before
        ends, and may be empty. Of equally good splits, that in which the last class begins first, then the one before
        it.
    """
    n_classes, n_samples = gain_CT.shape
    total_CT = np.concatenate([np.zeros((n_classes, 1)), np.cumsum(gain_CT, axis=1)], axis=1)
    best_T, starts = total_CT[0], []
    for here_T in total_CT[1:]:
        ahead_T = np.maximum.accumulate(best_T - here_T)
        rises = np.diff(ahead_T, prepend=-np.inf) > 0
        starts.append(np.maximum.accumulate(np.where(rises, np.arange(n_samples + 1), 0)))
        best_T = ahead_T + here_T
    ends = [n_samples]
    for start_T in reversed(starts):
        ends.append(int(start_T[ends[-1]]))
    return np.array(ends[::-1], np.int64)


def order_of(targets: Iterable[NDArray[np.int8]], classes: tuple[str, ...]) -> tuple[str, ...]:
    """Find the order in which classes follow each other in reads; samples without a class are skipped.

    Args:
        targets: Class of each sample, ``IGNORE`` where none is known; one array per read, shape ``(n_samples,)``.
        classes: Names of the classes.

    Returns:
        The names in the signal's order; classes that never follow or precede another come last.

    Raises:
        ConfigError: A class comes both before and after another, or twice.
    """
    before_CC = np.zeros((len(classes), len(classes)), bool)
    for target in targets:
        known = target[target != IGNORE]
        in_turn = known[np.flatnonzero(np.diff(known, prepend=IGNORE))]
        before_CC[in_turn[:-1], in_turn[1:]] = True
    for k in range(len(classes)):  # transitive: before k is before all that k is before
        before_CC |= np.outer(before_CC[:, k], before_CC[k])
    both = np.argwhere(before_CC & before_CC.T)
    names = " both before and after ".join(classes[i] for i in both[0]) if len(both) else ""
    require(
        not names,
        f"ordered: {names} in the training reads; only regions that have one order, each once, are decoded so; leave it"
        " out",
    )
    alone = ~(before_CC.any(axis=0) | before_CC.any(axis=1))
    return tuple(classes[i] for i in np.lexsort([before_CC.sum(axis=0), alone]))
