"""Networks as users bring them: any module ``(B,1,T) -> (B,C,F)``."""

from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional

# B batch, C classes, H hidden channels, T samples, F frames


class Averaging(nn.Module):
    """Average pooling, batch norm, and a linear head: a frame per two samples."""

    def __init__(self, n_classes: int, width: int = 8) -> None:
        super().__init__()
        self.stem = nn.Conv1d(1, width, 7, padding=3)
        self.pool = nn.AvgPool1d(2)
        self.norm = nn.BatchNorm1d(width)
        self.head = nn.Linear(width, n_classes)

    def forward(self, x_B1T: Tensor) -> Tensor:
        """Label samples."""
        y_BHF = functional.relu(self.norm(self.pool(self.stem(x_B1T))))
        return self.head(y_BHF.transpose(1, 2)).transpose(1, 2)


class Causal(nn.Module):
    """Dilated convolutions that see the past only."""

    def __init__(self, n_classes: int) -> None:
        super().__init__()
        self.layers = nn.ModuleList(nn.Conv1d(8 if i else 1, 8, 2, dilation=2**i) for i in range(5))
        self.head = nn.Conv1d(8, n_classes, 1)

    def forward(self, x_B1T: Tensor) -> Tensor:
        """Label samples."""
        for i, layer in enumerate(self.layers):
            x_B1T = functional.gelu(layer(functional.pad(x_B1T, (2**i, 0))))
        return self.head(x_B1T)


class TwoScales(nn.Module):
    """A branch of six samples per frame, brought back to any length: windows of all lengths, but steps of six."""

    def __init__(self, n_classes: int) -> None:
        super().__init__()
        self.fine = nn.Conv1d(1, 8, 5, padding=2)
        self.coarse = nn.Conv1d(8, 8, 7, stride=6, padding=3)
        self.head = nn.Conv1d(16, n_classes, 3, padding=1)

    def forward(self, x_B1T: Tensor) -> Tensor:
        """Label samples."""
        fine_BHT = self.fine(x_B1T)
        coarse_BHT = functional.interpolate(self.coarse(fine_BHT), size=fine_BHT.shape[-1])
        return self.head(torch.cat([fine_BHT, coarse_BHT], 1))


class Skipping(nn.Module):
    """A U-Net of four levels that accepts only windows of a multiple of eight samples."""

    def __init__(self, n_classes: int) -> None:
        super().__init__()
        self.down = nn.ModuleList(nn.Conv1d(6 if i else 1, 6, 3, padding=1) for i in range(4))
        self.up = nn.ModuleList(nn.ConvTranspose1d(6, 6, 2, 2) for _ in range(3))
        self.head = nn.Conv1d(6, n_classes, 1)

    def forward(self, x_B1T: Tensor) -> Tensor:
        """Label samples."""
        kept = []
        for i, layer in enumerate(self.down):
            x_B1T = functional.leaky_relu(layer(functional.max_pool1d(x_B1T, 2) if i else x_B1T))
            kept.append(x_B1T)
        x_B1T = kept.pop()
        for layer in self.up:
            x_B1T = layer(x_B1T) + kept.pop()
        return self.head(x_B1T)


class Shuffling(nn.Module):
    """Four samples per frame, each with its own outputs, by reshaping."""

    def __init__(self, n_classes: int) -> None:
        super().__init__()
        self.stem = nn.Conv1d(1, 8, 9, stride=4, padding=4)
        self.head = nn.Conv1d(8, 4 * n_classes, 3, padding=1)

    def forward(self, x_B1T: Tensor) -> Tensor:
        """Label samples."""
        frames_BKF = self.head(torch.tanh(self.stem(x_B1T)))
        return frames_BKF.unflatten(1, (-1, 4)).transpose(2, 3).flatten(2)


class Weighing(nn.Module):
    """Attention to the nearest seven samples, without a matrix of all."""

    def __init__(self, n_classes: int) -> None:
        super().__init__()
        self.stem = nn.Conv1d(1, 8, 3, padding=1)
        self.head = nn.Conv1d(8, n_classes, 1)

    def forward(self, x_B1T: Tensor) -> Tensor:
        """Label samples."""
        y_BHT = self.stem(x_B1T)
        around_BHTN = functional.pad(y_BHT, (3, 3)).unfold(-1, 7, 1)
        weight_BTN = torch.einsum("bht,bhtn->btn", y_BHT, around_BHTN).softmax(-1)
        return self.head(torch.einsum("btn,bhtn->bht", weight_BTN, around_BHTN))


BOUNDED: dict[str, tuple[type[nn.Module], int, int]] = {
    "averaging": (Averaging, 9, 2),
    "causal": (Causal, 63, 1),
    "two scales": (TwoScales, 23, 6),
    "skipping": (Skipping, 45, 8),
    "shuffling": (Shuffling, 23, 4),
    "weighing": (Weighing, 9, 1),
}
"""Name -> a network that sees a part of the signal, its receptive field and its alignment."""


class Attention(nn.Module):
    """Attention over all frames, of two samples each."""

    def __init__(self, n_classes: int, width: int = 8, heads: int = 2) -> None:
        super().__init__()
        self.stem = nn.Conv1d(1, width, 9, stride=2, padding=4)
        self.layer = nn.TransformerEncoderLayer(width, heads, 16, batch_first=True)
        self.head = nn.Linear(width, n_classes)

    def forward(self, x_B1T: Tensor) -> Tensor:
        """Label samples."""
        return self.head(self.layer(self.stem(x_B1T).transpose(1, 2))).transpose(1, 2)


class Grouped(nn.Module):
    """Group norm, over all samples of a window."""

    def __init__(self, n_classes: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv1d(1, 8, 5, padding=2), nn.GroupNorm(2, 8), nn.ReLU(), nn.Conv1d(8, n_classes, 1)
        )

    def forward(self, x_B1T: Tensor) -> Tensor:
        """Label samples."""
        return self.layers(x_B1T)


class Largest(nn.Module):
    """The largest value in the window beside each sample's own."""

    def __init__(self, n_classes: int) -> None:
        super().__init__()
        self.stem = nn.Conv1d(1, 8, 5, padding=2)
        self.head = nn.Conv1d(16, n_classes, 1)

    def forward(self, x_B1T: Tensor) -> Tensor:
        """Label samples."""
        y_BHT = self.stem(x_B1T)
        return self.head(torch.cat([y_BHT, y_BHT.amax(-1, keepdim=True).expand_as(y_BHT)], 1))


class Recurrent(nn.Module):
    """A recurrent layer, whose gradients fade."""

    def __init__(self, n_classes: int) -> None:
        super().__init__()
        self.stem = nn.Conv1d(1, 4, 9, stride=8, padding=4)
        self.memory = nn.GRU(4, 4, batch_first=True)
        self.head = nn.Linear(4, n_classes)

    def forward(self, x_B1T: Tensor) -> Tensor:
        """Label samples."""
        return self.head(self.memory(self.stem(x_B1T).transpose(1, 2))[0]).transpose(1, 2)


class Placed(nn.Module):
    """The place of a sample in the window beside its value."""

    def __init__(self, n_classes: int) -> None:
        super().__init__()
        self.layer = nn.Conv1d(2, n_classes, 5, padding=2)

    def forward(self, x_B1T: Tensor) -> Tensor:
        """Label samples."""
        place_T = torch.linspace(0, 1, x_B1T.shape[-1], dtype=x_B1T.dtype, device=x_B1T.device)
        return self.layer(torch.cat([x_B1T, place_T.expand_as(x_B1T)], 1))


class Whole(nn.Module):
    """A linear layer over a window of 60 samples, the only length that it accepts."""

    def __init__(self, n_classes: int) -> None:
        super().__init__()
        self.layer = nn.Linear(60, 60 * n_classes)

    def forward(self, x_B1T: Tensor) -> Tensor:
        """Label samples."""
        return self.layer(x_B1T[:, 0]).unflatten(1, (-1, 60))


UNBOUNDED: dict[str, type[nn.Module]] = {
    "attention": Attention,
    "group norm": Grouped,
    "largest": Largest,
    "recurrent": Recurrent,
    "placed": Placed,
    "whole": Whole,
}
"""Name -> a network that sees whole windows, or to which a sample's place in them matters."""


FILE = '''
"""A network of one's own."""

from torch import nn


class Net(nn.Module):
    """Average pooling and a linear head."""

    def __init__(self, n_classes, width=8):
        super().__init__()
        self.stem = nn.Conv1d(1, width, 7, padding=3)
        self.pool = nn.AvgPool1d(2)
        self.head = nn.Linear(width, n_classes)

    def forward(self, x):
        return self.head(self.pool(self.stem(x).relu()).transpose(1, 2)).transpose(1, 2)
'''
"""A file with a network in it."""


def file_at(path: Path, text: str = FILE) -> str:
    """Write a file with a network, and give the network's name."""
    path.write_text(text)
    return f"{path}:Net"
