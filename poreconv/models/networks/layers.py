"""Layers that several architectures are made of."""

from torch import nn


def norm(channels: int, on: bool) -> nn.Module:
    """Batch normalisation, or nothing in its place.

    Source:
        Ioffe & Szegedy 2015, arXiv:1502.03167.
    """
    return nn.BatchNorm1d(channels) if on else nn.Identity()


def slide(before: int, after: int, kernel: int, stride: int = 1) -> nn.Conv1d:
    """A convolution that makes one frame of ``stride``, seeing as far before them as behind them, give or take one."""
    return nn.Conv1d(before, after, kernel, stride, padding=(kernel - stride + 1) // 2)


def convolution(before: int, after: int, kernel: int, stride: int = 1, *, batch_norm: bool) -> list[nn.Module]:
    """Convolution, batch normalisation if it is switched on, ReLU."""
    return [slide(before, after, kernel, stride), norm(after, batch_norm), nn.ReLU()]


def dense_head(before: int, hidden: int, n_outputs: int, dropout: float) -> list[nn.Module]:
    """Three dense layers on each frame, which are convolutions of size 1, with dropout before the first two.

    Source:
        Srivastava et al. 2014, JMLR 15:1929 (dropout).
    """
    layers: list[nn.Module] = []
    for width in (before, hidden):
        layers += [nn.Dropout(dropout), nn.Conv1d(width, hidden, 1), nn.ReLU()]
    return [*layers, nn.Conv1d(hidden, n_outputs, 1)]
