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


def offered(doubts: Mapping[str, float], marked: Collection[str], seed: int, aside: Collection[str] = ()) -> list[str]:
    """Return the order in which reads are offered for marking: the most doubtful first, every tenth at random.

    Reads that are marked already count, so that a tenth of all is drawn at random however often a network is trained
    between. Of equal doubts the order is random.

    A score is honest on reads that nobody chose for their doubt. So reads that the split rule puts aside for the score
    are never offered for their doubt, but drawn at random: every tenth is one of them, as long as there are any.

    Args:
        doubts: Read id -> its doubt, see `doubt`.
        marked: Ids of the reads that are marked, which are not offered.
        seed: Of the order; the same one gives the same order.
        aside: Ids of the reads that are put aside for the score, among those of ``doubts``; their doubts do not matter.

    Returns:
        Read ids.
    """
    drawing = random.Random(seed)
    left = sorted(doubts.keys() - marked - set(aside))
    for_score = sorted((doubts.keys() & set(aside)) - set(marked))
    drawing.shuffle(left)
    drawing.shuffle(for_score)
    left.sort(key=doubts.__getitem__)
    order = list[str]()
    while left or for_score:
        is_drawn = (len(marked) + len(order) + 1) % EVERY == 0
        if for_score and (is_drawn or not left):
            order.append(for_score.pop())
        else:
            order.append(left.pop(drawing.randrange(len(left)) if is_drawn else -1))
    return order


def _entropy(p_CT: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return the entropy of the classes at each sample, nats, shape ``(n_samples,)``."""
    p = np.asarray(p_CT, np.float64)
    found: NDArray[np.float64] = -(p * np.log(np.maximum(p, np.finfo(np.float64).tiny))).sum(axis=0)
    return found
