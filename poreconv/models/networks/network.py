"""The base class of all networks: labels every sample, and knows its receptive field and cost."""

from abc import ABC, abstractmethod
from functools import cached_property

import torch
from torch import Tensor, nn
from torch.nn import functional

from poreconv.models.networks.frames import Frames
from poreconv.models.size import NetworkSize

# B batch, C classes, T samples, F frames, H hidden channels, K outputs of a frame: C for each of its samples


class Network(nn.Module, ABC):
    """A network that labels every sample: ``(B,1,T) -> (B,C,T)`` logits, for any T.

    A subclass sets its layers in the order in which they run, from which receptive field and cost are calculated, and
    runs them in `frame_logits`.
    """

    def __init__(self, config: object, n_classes: int) -> None:
        super().__init__()
        self.n_classes = n_classes

    @cached_property
    def frames(self) -> Frames:
        """What the layers see of the signal, and what they cost."""
        return Frames().after(self)

    @property
    def receptive_field(self) -> int | None:
        """Samples that one output sees, at most: odd, centred on it.

        None if it is not bounded, or depends on the place in the window.
        """
        return self.frames.receptive_field

    @property
    def alignment(self) -> int:
        """Chunks begin at multiples of this many samples."""
        return self.frames.coarsest

    @property
    def macs_per_sample(self) -> float:
        """Multiply-adds per sample labelled."""
        return self.frames.macs_per_sample

    @property
    def n_parameters(self) -> int:
        """Number of trained weights."""
        return sum(parameter.numel() for parameter in self.parameters())

    @property
    def size(self) -> NetworkSize:
        """All of these, for code that has the network in another form, such as an exported one."""
        return NetworkSize(self.receptive_field, self.alignment, self.n_parameters, self.macs_per_sample)

    def forward(self, x_B1T: Tensor) -> Tensor:
        """Return the logits of every sample; zeros fill the last frame.

        Args:
            x_B1T: Normalised signal.

        Returns:
            Shape ``(B, C, T)``.
        """
        n_samples = x_B1T.shape[-1]
        filled = functional.pad(x_B1T, (0, -n_samples % self.alignment))
        return samples_of(self.frame_logits(filled), self.n_classes)[:, :, :n_samples]

    @abstractmethod
    def frame_logits(self, x_B1T: Tensor) -> Tensor:
        """Return the logits of all samples of each frame.

        Args:
            x_B1T: Signal of whole frames: T is a multiple of the alignment.

        Returns:
            Shape ``(B, K, F)``.
        """


def weights_of(network: nn.Module) -> dict[str, Tensor]:
    """Return a network's weights and buffers by name, as they are saved: on the CPU, each in memory of its own.

    Args:
        network: On any device.
    """
    return {
        name: tensor.detach().cpu().clone(memory_format=torch.contiguous_format)
        for name, tensor in network.state_dict().items()
    }


def samples_of(frames_BKF: Tensor, n_classes: int) -> Tensor:
    """Split every frame's outputs into its samples.

    Args:
        frames_BKF: For each frame the first class's logits at its samples, then the next class's, and so on.
        n_classes: Number of classes, C.

    Returns:
        Shape ``(B, C, T)``.

    Source:
        Shi et al. 2016, arXiv:1609.05158, whose operation this is in one dimension.
    """
    n_batch, _, n_frames = frames_BKF.shape
    return frames_BKF.reshape(n_batch, n_classes, -1, n_frames).transpose(2, 3).reshape(n_batch, n_classes, -1)
