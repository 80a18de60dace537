"""Which reads to offer for marking: those from which a network would learn most, and a tenth at random."""

import random
from collections.abc import Collection, Mapping

import numpy as np
from numpy.typing import NDArray

EVERY = 10
"""Of so many reads one is drawn at random, so that not only doubtful reads are marked, and a score stays honest."""

# C classes, T samples


def doubt(probabilities_CT: NDArray[np.floating], previous_CT: NDArray[np.floating] | None = None) -> float:
    """Return how much a network would learn from marks of a read: its doubt, and how much two networks disagree.

    Args:
        probabilities_CT: Of the classes at each sample, by the last network, shape ``(n_classes, n_samples)``.
        previous_CT: By the network before it; None: there was none, or its classes were others.

    Returns:
        Mean entropy of the samples plus mean Jensen-Shannon divergence of the two networks, nats; 0: no doubt.

    Source:
        Uncertainty sampling: Lewis & Gale 1994, doi:10.1007/978-1-4471-2099-5_1. Query by committee: Seung, Opper &
        Sompolinsky 1992, doi:10.1145/130385.130417.
    """
    found = _entropy(probabilities_CT)
    if previous_CT is not None:
        between = _entropy((probabilities_CT + previous_CT) / 2)
        found = found + between - (_entropy(probabilities_CT) + _entropy(previous_CT)) / 2
    return max(float(np.mean(found)), 0.0) if found.size else 0.0


def offered(doubts: Mapping[str, float], marked: Collection[str], seed: int) -> list[str]:
    """Return the order in which reads are offered for marking: the most doubtful first, every tenth at random.

    Reads that are marked already count, so that a tenth of all is drawn at random however often a network is trained
    between. Of equal doubts the order is random.

    Args:
        doubts: Read id -> its doubt, see `doubt`.
        marked: Ids of the reads that are marked, which are not offered.
        seed: Of the order; the same one gives the same order.

    Returns:
        Read ids.
    """
    drawing = random.Random(seed)  # noqa: S311 - nothing to keep secret
    left = sorted(doubts.keys() - marked)
    drawing.shuffle(left)
    left.sort(key=doubts.__getitem__)
    order = list[str]()
    while left:
        is_drawn = (len(marked) + len(order) + 1) % EVERY == 0
        order.append(left.pop(drawing.randrange(len(left)) if is_drawn else -1))
    return order


def _entropy(p_CT: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return the entropy of the classes at each sample, nats, shape ``(n_samples,)``."""
    p = np.asarray(p_CT, np.float64)
    found: NDArray[np.float64] = -(p * np.log(np.maximum(p, np.finfo(np.float64).tiny))).sum(axis=0)
    return found
