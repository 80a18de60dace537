"""Layers that several architectures share."""

from torch import nn


def norm(channels: int, on: bool) -> nn.Module:
    """Return batch normalisation, or a layer that changes nothing.

    Args:
        channels: Channels of its input.
        on: Whether to normalise.

    Source:
        Ioffe & Szegedy 2015, arXiv:1502.03167.
    """
    return nn.BatchNorm1d(channels) if on else nn.Identity()


def slide(before: int, after: int, kernel: int, stride: int = 1) -> nn.Conv1d:
    """Return a convolution that is padded evenly on both sides, or with one sample more on one of them.

    Args:
        before: Channels of its input.
        after: Channels of its output.
        kernel: Its size, frames of the input.
        stride: Frames of the input per frame of the output.
    """
    return nn.Conv1d(before, after, kernel, stride, padding=(kernel - stride + 1) // 2)


def convolution(before: int, after: int, kernel: int, stride: int = 1, *, batch_norm: bool) -> list[nn.Module]:
    """Return a convolution, batch normalisation if it is switched on, and ReLU.

    Args:
        before: Channels of the input.
        after: Channels of the output.
        kernel: Size of the convolution, frames of the input.
        stride: Frames of the input per frame of the output.
        batch_norm: Whether to normalise.
    """
    return [slide(before, after, kernel, stride), norm(after, batch_norm), nn.ReLU()]


def dense_head(before: int, hidden: int, n_outputs: int, dropout: float) -> list[nn.Module]:
    """Return three dense layers on each frame (convolutions of size 1), with dropout before the first two.

    Args:
        before: Channels of the input.
        hidden: Neurons of each of the first two layers.
        n_outputs: Outputs per frame.
        dropout: Share of the inputs of the first two layers set to 0 in training.

    Source:
        Srivastava et al. 2014, JMLR 15:1929 (dropout).
    """
    layers: list[nn.Module] = []
    for width in (before, hidden):
        layers += [nn.Dropout(dropout), nn.Conv1d(width, hidden, 1), nn.ReLU()]
    return [*layers, nn.Conv1d(hidden, n_outputs, 1)]
