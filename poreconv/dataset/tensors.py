"""Signal and targets as the tensors that a network and its loss take."""

from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

# B batch, T samples

Batch = tuple[Tensor, Tensor]
"""Signal ``(B, 1, T)`` float32, targets ``(B, T)``: classes int64, numbers float32."""


class StoredRead(NamedTuple):
    """A whole read of a store, ready for a network."""

    normalised: Tensor
    """Normalised signal, shape ``(1, n_samples)``, float32."""
    target: Tensor
    """Target of each sample, shape ``(n_samples,)``: classes int64, -1 where nothing is known; numbers float32, NaN
    where nothing is known."""
    read_id: str


def as_batch(x_BT: NDArray[np.float32], y_BT: NDArray[Any]) -> Batch:
    """Convert arrays to tensors.

    Args:
        x_BT: Normalised signal.
        y_BT: Targets, same shape.
    """
    target_BT = torch.from_numpy(y_BT)
    return torch.from_numpy(x_BT)[:, None], target_BT if target_BT.is_floating_point() else target_BT.long()
