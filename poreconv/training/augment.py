"""Random changes of training windows and, where they move, of their labels."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from poreconv.config import AugmentConfig
from poreconv.events.tasks.task import Task

# B batch, S samples of a window as read, T samples of a window as trained


def source_samples(length: int, config: AugmentConfig) -> int:
    """Return how many samples to read for a window, so that they suffice at the highest speed.

    Args:
        length: Samples of the window after stretching.
        config: Largest stretch.
    """
    return int(np.ceil(length * (1 + config.stretch)))


def augment(
    x_BS: NDArray[np.float32],
    y_BS: NDArray[Any],
    length: int,
    task: Task,
    config: AugmentConfig,
    rng: np.random.Generator,
    batch_size: int | None = None,
    rows: slice = slice(None),
) -> tuple[NDArray[np.float32], NDArray[Any]]:
    """Stretch, scale and shift windows, and add noise.

    Args:
        x_BS: Normalised signal, shape ``(B, S)``, ``S = source_samples(length, config)``.
        y_BS: Targets, shape ``(B, S)``.
        length: Samples of the returned windows.
        task: What the targets mean.
        config: How much of each change.
        rng: Random generator.
        batch_size: Windows of the whole batch; default: these alone.
        rows: Rows of the whole batch that these windows are. Random numbers are drawn for the whole batch, so that
            processes that share a batch change its windows as one process would.

    Returns:
        Signal and targets, shape ``(B, length)``.
    """
    n_windows = batch_size or len(x_BS)
    if config.stretch:
        speed_B = 1 + rng.uniform(-config.stretch, config.stretch, n_windows)
        x_BS, y_BS = stretch(x_BS, y_BS, speed_B[rows], length, task)
    if config.scale:
        x_BS = x_BS * (1 + rng.uniform(-config.scale, config.scale, (n_windows, 1)))[rows].astype(np.float32)
    if config.shift:
        x_BS = x_BS + rng.uniform(-config.shift, config.shift, (n_windows, 1))[rows].astype(np.float32)
    if config.noise:
        sd_B1 = rng.uniform(0, config.noise, (n_windows, 1)).astype(np.float32)
        x_BS = x_BS + (sd_B1 * rng.standard_normal((n_windows, length), np.float32))[rows]
    return x_BS, y_BS


def stretch(
    x_BS: NDArray[np.float32], y_BS: NDArray[Any], speed_B: NDArray[np.float64], length: int, task: Task
) -> tuple[NDArray[np.float32], NDArray[Any]]:
    """Play windows at another speed: the signal is interpolated linearly, and the labels move along.

    Sample ``i`` of the result lies at ``i * speed`` in the source. Its class is that of the nearest source sample, from
    which it has most of its current. A source boundary moves to the first sample whose nearest source sample is the
    boundary or a later one; two boundaries on one sample become one.

    Args:
        x_BS: Normalised signal, shape ``(B, S)``.
        y_BS: Targets, shape ``(B, S)``.
        speed_B: Source samples per sample of the result, shape ``(B,)``.
        length: Samples of the result.
        task: What the targets mean.

    Returns:
        Signal and targets, shape ``(B, length)``.
    """
    place_BT = np.minimum(np.arange(length) * speed_B[:, None], x_BS.shape[1] - 1)
    below_BT = place_BT.astype(np.int64)
    above_BT = np.minimum(below_BT + 1, x_BS.shape[1] - 1)
    x_below, x_above = np.take_along_axis(x_BS, below_BT, 1), np.take_along_axis(x_BS, above_BT, 1)
    x_BT = x_below + (place_BT - below_BT).astype(np.float32) * (x_above - x_below)
    nearest_BT = np.minimum((place_BT + 0.5).astype(np.int64), x_BS.shape[1] - 1)
    return x_BT, task.stretched(y_BS, nearest_BT)
