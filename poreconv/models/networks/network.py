"""What every architecture tells of itself."""

from abc import ABC, abstractmethod
from functools import cached_property

from torch import Tensor, nn
from torch.nn import functional

from poreconv.models.networks.frames import Frames
from poreconv.models.size import NetworkSize

# B batch, C classes, T samples, F frames, H hidden channels, K outputs of a frame: C for each of its samples


class Network(nn.Module, ABC):
    """A network that labels every sample: ``(B,1,T) -> (B,C,T)`` logits, for any T.

    An architecture makes its layers in the order in which they run, so that what it sees and costs can be read off
    them, and says in `frame_logits` how they run.
    """

    def __init__(self, config: object, n_classes: int) -> None:
        super().__init__()
        self.n_classes = n_classes

    @cached_property
    def frames(self) -> Frames:
        """What the layers see of the signal, and cost."""
        return Frames().behind(self)

    @property
    def receptive_field(self) -> int | None:
        """Samples that one output sees, at most: odd, centred on it.

        None if it is not bounded, or tied to places.
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
        """Trained numbers."""
        return sum(parameter.numel() for parameter in self.parameters())

    @property
    def size(self) -> NetworkSize:
        """All of these: what one needs to know who has the network in another form."""
        return NetworkSize(self.receptive_field, self.alignment, self.n_parameters, self.macs_per_sample)

    def forward(self, x_B1T: Tensor) -> Tensor:
        """Logits, shape ``(B, C, T)``, for normalised signal, shape ``(B, 1, T)``; zeros fill the last frame."""
        n_samples = x_B1T.shape[-1]
        filled = functional.pad(x_B1T, (0, -n_samples % self.alignment))
        return samples_of(self.frame_logits(filled), self.n_classes)[:, :, :n_samples]

    @abstractmethod
    def frame_logits(self, x_B1T: Tensor) -> Tensor:
        """Logits of all samples of each frame, shape ``(B, K, F)``, for a signal of whole frames."""


def samples_of(frames_BKF: Tensor, n_classes: int) -> Tensor:
    """Give every frame its samples back.

    Args:
        frames_BKF: Of each frame, the first class's logit at each of its samples, then the next class's.
        n_classes: C.

    Returns:
        Shape ``(B, C, T)``.

    Source:
        Shi et al. 2016, arXiv:1609.05158, of which it is the 1-D form.
    """
    n_batch, _, n_frames = frames_BKF.shape
    return frames_BKF.reshape(n_batch, n_classes, -1, n_frames).transpose(2, 3).reshape(n_batch, n_classes, -1)
