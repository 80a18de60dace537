"""Random changes of training windows, whose labels stay true."""

import numpy as np
from numpy.typing import NDArray

from poreconv.config import BOUNDARY, IGNORE, INSIDE, AugmentConfig, Task

# B batch, S samples of a window as read, T samples of a window as trained


def source_samples(length: int, config: AugmentConfig) -> int:
    """Samples to read for windows of ``length``, so that they suffice at the highest speed."""
    return int(np.ceil(length * (1 + config.stretch)))


def augment(
    x_BS: NDArray[np.float32],
    y_BS: NDArray[np.int8],
    length: int,
    task: Task,
    config: AugmentConfig,
    rng: np.random.Generator,
    batch_size: int | None = None,
    rows: slice = slice(None),
) -> tuple[NDArray[np.float32], NDArray[np.int8]]:
    """Stretch, scale, shift and roughen windows.

    Args:
        x_BS: Normalised signal, ``S = source_samples(length, config)``.
        y_BS: Targets, same shape.
        length: Samples of the windows given back.
        task: What the targets mean.
        config: How much.
        rng: Source of chance.
        batch_size: Windows of the whole batch; default: these.
        rows: Which of its rows these are. Chance is drawn for the whole batch, so that processes that share one
            change its windows as one process would.

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
    x_BS: NDArray[np.float32], y_BS: NDArray[np.int8], speed_B: NDArray[np.float64], length: int, task: Task
) -> tuple[NDArray[np.float32], NDArray[np.int8]]:
    """Play windows at another speed: linear interpolation of the signal, and labels that move along.

    Sample ``i`` of the result lies at ``i * speed`` in the source. Its class is that of the nearest source sample, as
    its current is mostly that one's. A boundary is the first sample that is nearest to its place or to a later one; two
    that fall on one sample become one.

    Returns:
        Signal and targets, shape ``(B, length)``.
    """
    place_BT = np.minimum(np.arange(length) * speed_B[:, None], x_BS.shape[1] - 1)
    below_BT = place_BT.astype(np.int64)
    above_BT = np.minimum(below_BT + 1, x_BS.shape[1] - 1)
    x_below, x_above = np.take_along_axis(x_BS, below_BT, 1), np.take_along_axis(x_BS, above_BT, 1)
    x_BT = x_below + (place_BT - below_BT).astype(np.float32) * (x_above - x_below)
    nearest_BT = np.minimum((place_BT + 0.5).astype(np.int64), x_BS.shape[1] - 1)
    y_BT = np.take_along_axis(y_BS, nearest_BT, 1)
    return x_BT, _move_boundaries(y_BS, y_BT, nearest_BT) if task == "boundary" else y_BT


def _move_boundaries(y_BS: NDArray[np.int8], y_BT: NDArray[np.int8], nearest_BT: NDArray[np.int64]) -> NDArray[np.int8]:
    """Each source boundary marks the first sample that is nearest to it or to a later one."""
    passed_BS = np.cumsum(y_BS == BOUNDARY, axis=1)
    passed_BT = np.take_along_axis(passed_BS, nearest_BT, 1)
    new_BT = np.diff(passed_BT, axis=1, prepend=passed_BT[:, :1] - (y_BT[:, :1] == BOUNDARY)) > 0
    return np.where(y_BT == IGNORE, IGNORE, np.where(new_BT, BOUNDARY, INSIDE)).astype(np.int8)
