"""Per-sample probabilities -> events."""

import numpy as np
from numpy.typing import NDArray

from poreconv.config import BOUNDARY, DecodeConfig, Task
from poreconv.events import Events


def decode(probabilities_CT: NDArray[np.float32], task: Task, classes: tuple[str, ...], config: DecodeConfig) -> Events:
    """Turn what the network says of each sample into events.

    Args:
        probabilities_CT: Shape ``(C, n_samples)``, each column sums to 1.
        task: What the network was asked.
        classes: Names of its ``C`` outputs.
        config: Threshold.

    Returns:
        ``boundary``: events from each peak to the next, none before the first, the last to the read's end; their score
        is the probability at the peak. Otherwise runs of the likeliest class, scored by its mean probability.
        Their coverage is the whole read.
    """
    n_samples = probabilities_CT.shape[1]
    if task == "boundary":
        return _decode_boundaries(probabilities_CT[BOUNDARY], config.threshold)
    return _decode_runs(probabilities_CT, classes) if n_samples else Events.of([], [], classes=classes)


def peaks(probability_T: NDArray[np.float32]) -> NDArray[np.int64]:
    """Samples that are larger than the one before and not smaller than the one after; ends count as peaks too."""
    padded = np.concatenate([[-np.inf], probability_T, [-np.inf]]).astype(np.float32)
    return np.flatnonzero((padded[1:-1] > padded[:-2]) & (padded[1:-1] >= padded[2:]))


def _decode_boundaries(probability_T: NDArray[np.float32], threshold: float) -> Events:
    start = peaks(probability_T)
    start = start[probability_T[start] >= threshold]
    end = np.append(start[1:], len(probability_T)) if len(start) else start
    return Events.of(start, end, score=probability_T[start], coverage=[[0, len(probability_T)]])


def _decode_runs(probabilities_CT: NDArray[np.float32], classes: tuple[str, ...]) -> Events:
    label_T = probabilities_CT.argmax(0)
    start = np.concatenate([[0], np.flatnonzero(np.diff(label_T)) + 1])
    end = np.append(start[1:], len(label_T))
    best_T = probabilities_CT.max(0).astype(np.float64)
    score = np.add.reduceat(best_T, start) / (end - start)
    return Events.of(start, end, label=label_T[start], classes=classes, score=score, coverage=[[0, len(label_T)]])
