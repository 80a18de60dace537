"""A network, a loss, a transform and a callback."""

from pathlib import Path
from typing import Any

import lightning as L
import numpy as np
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional


class Mixed(nn.Module):
    """Group norm, average pooling, attention and a linear head: a frame per two samples, over a whole window."""

    def __init__(self, n_classes: int, width: int = 8) -> None:
        super().__init__()
        self.stem = nn.Conv1d(1, width, 7, padding=3)
        self.norm = nn.GroupNorm(2, width)
        self.pool = nn.AvgPool1d(2)
        self.attention = nn.TransformerEncoderLayer(width, 2, 2 * width, dropout=0.0, batch_first=True)
        self.head = nn.Linear(width, n_classes)

    def forward(self, x: Tensor) -> Tensor:
        """Label a batch of windows, ``(B, 1, T) -> (B, C, T / 2)``."""
        frames = self.pool(functional.relu(self.norm(self.stem(x))))
        logits: Tensor = self.head(self.attention(frames.transpose(1, 2)))
        return logits.transpose(1, 2)


def focal(logits: Tensor, target: Tensor) -> Tensor:
    """Return a loss to which samples that are sure already add little (Lin et al. 2017, arXiv:1708.02002)."""
    each = functional.cross_entropy(logits, target, ignore_index=-1, reduction="none")
    known = target != -1
    return ((1 - (-each).exp()) ** 2 * each)[known].sum() / known.sum().clamp(min=1)


def jitter(
    x: NDArray[np.float32], y: NDArray[Any], rng: np.random.Generator
) -> tuple[NDArray[np.float32], NDArray[Any]]:
    """Add a slow wave to a window."""
    phase, height = rng.uniform(0, 2 * np.pi), rng.uniform(0, 0.1)
    return x + height * np.sin(np.linspace(0, 2 * np.pi, len(x)) + phase), y


class CountBatches(L.Callback):
    """Writes how many batches a training had into a file in its folder."""

    def __init__(self) -> None:
        self._n = 0

    def on_train_batch_end(self, *_: Any) -> None:
        """Count a batch."""
        self._n += 1

    def on_train_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Write the number."""
        (Path(trainer.default_root_dir) / "logs" / "batches.txt").write_text(str(self._n))
