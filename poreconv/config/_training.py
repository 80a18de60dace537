"""Settings of training."""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Literal, get_args

from poreconv.config._base import Precision, duration_of, require, require_none_below
from poreconv.config._presets import Ordered


@dataclass(frozen=True)
class NormalisationConfig:
    """How pA become the network's input; saved in the recipe, so that labelling does the same as training."""

    clip: float = 5.0
    """Largest absolute value of the normalised signal; larger values are set to it."""

    def __post_init__(self) -> None:
        """Check the limit."""
        require(self.clip > 0, f"normalisation.clip: {self.clip}; must be positive")


@dataclass(frozen=True)
class AugmentConfig:
    """Random changes of training windows under which their labels stay correct."""

    noise: float = 0.0
    """Largest SD of the white noise added to a window, in SDs of the read; drawn for each window from 0 to this."""
    scale: float = 0.0
    """Largest relative change of a window's amplitude, up or down."""
    shift: float = 0.0
    """Largest offset added to a window, up or down, in SDs of the read."""
    stretch: float = 0.0
    """Largest relative change of a window's speed, up or down; the labels move with the signal."""

    def __post_init__(self) -> None:
        """Check ranges."""
        require(
            min(self.noise, self.scale, self.shift, self.stretch) >= 0,
            "augment: noise, scale, shift and stretch must not be negative",
        )
        require(max(self.scale, self.stretch) < 1, "augment: scale and stretch must be under 1")


@dataclass(frozen=True)
class TrainConfig:
    """How a network is trained."""

    preset: str | None = None
    """Settings that go together: `boundaries`; `regions`, stretches of a class, with network and windows that fit the
    lengths of the labels; `trace`, the same where classes come again and again, in no order. They fill in what is not
    given here. Default: the first for the task of the store."""
    max_steps: int = 0
    """Number of optimiser steps after which training ends; 0: 4000, for regions 1000."""
    max_time: str | None = None
    """Time after which training ends, such as 10m, 1h30m, 2d, or DD:HH:MM:SS; the learning rate schedule ends with it.
    Default: no limit."""
    batch_size: int = 0
    """Number of windows per step, over all processes; 0: 32, for regions fewer where windows are long."""
    chunk_samples: int = 0
    """Length of a window, samples; 0: 2000, for regions as fits the lengths of the labels."""
    start_from: str | None = None
    """Trained model from which training starts: a file, or the name of a shipped model. It gives the architecture and
    the weights; if its classes are others, the head, its last layer, starts anew. For few reads, or a new chemistry.
    Default: random weights."""
    freeze: bool = False
    """Keep all weights of `start_from` below the head as they are, and train the head alone."""
    teacher: str | None = None
    """Trained model whose probabilities are learnt besides the labels: a file, or the name of a shipped model, of any
    architecture and the same classes. For a small fast network, which learns more from them than from labels alone."""
    teacher_share: float = 0.9
    """Weight of the teacher in the loss, 0 to 1; the labels have the rest."""
    learning_rate: float = 0.0
    """Highest learning rate of the one-cycle schedule; 0: 0.004, for regions 0.002."""
    warmup: float = 0.1
    """Share of the training, between 0 and 1, in which the learning rate rises."""
    weight_decay: float = 0.01
    """Weight decay of AdamW."""
    gradient_clip: float = 1.0
    """Norm to which larger gradients are scaled down."""
    class_balance: float = 0.5
    """Class weights in the loss, 0 to 1: 0: none; 1: inverse to the frequency of the class."""
    validate_every: int = 200
    """Number of steps between two validations; a killed training resumes from the last validation."""
    patience: int = 50
    """Number of successive validations without improvement after which training ends."""
    folds: int = 0
    """For few reads: number of folds, 2 or more, into which all reads are dealt, whatever their split; reads that the
    split rule keeps together (a run, a channel, a reference) stay together. For each fold a model is trained without
    it, so that each read is judged once, by a model that has not seen it; the bundle is one more model, trained on all
    reads. Limits of steps and time are those of each training. 0: the store's splits."""
    precision: Precision = "auto"
    """Precision of the arithmetic: `32` (float32), `bf16`, or `auto`: `bf16` on processors that compute in it, else
    `32`."""
    accelerator: str = "auto"
    """Hardware, by Lightning's names: `cpu`, `cuda`, `auto`, ..."""
    devices: int | Literal["auto"] = 1
    """Number of processes per machine that train together, each on its own GPU, or all on the CPU; `auto`: one per GPU.
    They share the windows of each step, so that training does not depend on their number. On a CPU only for networks
    without batch normalisation."""
    nodes: int = 1
    """Number of machines that train together, each with this number of devices. Run the command on each, with
    MASTER_ADDR, MASTER_PORT and NODE_RANK set, or under Slurm or torchrun, as Lightning expects it. All machines must
    have the same folders."""
    compile: bool = False
    """Compile the network with torch first, which takes about a minute."""
    loader_workers: int = 0
    """Number of processes that load windows; 0: the training process loads them."""
    seed: int = 0
    """Seed of the first weights, the windows and the augmentation, 0 to 4294967295."""
    allow_mixed: bool = False
    """Allow stores of different chemistries to train together."""
    equal_stores: bool = False
    """Draw the same number of windows from each store, whatever its size; otherwise every labelled sample (task `read`:
    every read) is equally likely."""
    ordered: Ordered = "auto"
    """Task `segment`: decode each class at most once, in the order in which they follow each other in the training
    reads. `auto`: where they have one order there."""
    shortest: float = 0.25
    """Task `segment`: length of the shortest stretch of a class that is decoded, as a share of the 5th percentile of
    the labels of the class; 0: stretches of any length, and each sample for itself if they have no order."""
    normalisation: NormalisationConfig = field(default_factory=NormalisationConfig)
    augment: AugmentConfig = field(default_factory=AugmentConfig)

    def __post_init__(self) -> None:
        """Check ranges."""
        require_none_below(self, 1, "validate_every", "patience")
        require_none_below(self, 0, "max_steps", "batch_size", "chunk_samples", "learning_rate", "shortest")
        require(self.folds == 0 or self.folds >= 2, f"folds: {self.folds}; must be 2 or more, or 0 for none")
        require(self.gradient_clip > 0, f"gradient_clip: {self.gradient_clip}; must be positive")
        require(self.ordered in get_args(Ordered), f"ordered: {self.ordered!r}; choose one of auto, yes, no")
        processes = self.nodes * (1 if self.devices == "auto" else self.devices)
        most = self.batch_size or processes
        require(1 <= processes <= most, f"devices, nodes: {processes} processes; must be 1 to batch_size")
        require(self.start_from is not None or not self.freeze, "freeze: needs start_from, whose weights it keeps")
        require(0 < self.warmup < 1, f"warmup: {self.warmup}; must lie between 0 and 1")
        require(0 <= self.teacher_share <= 1, f"teacher_share: {self.teacher_share}; must be 0 to 1")
        require(0 <= self.class_balance <= 1, f"class_balance: {self.class_balance}; must be 0 to 1")
        require(min(self.weight_decay, self.loader_workers) >= 0, "weight_decay, loader_workers: must not be negative")
        require(0 <= self.seed < 2**32, f"seed: {self.seed}; must be 0 to 4294967295")
        if self.max_time is not None:
            duration_of(self.max_time, name="max_time")

    @property
    def time_limit(self) -> timedelta | None:
        """The time after which training ends; None: no limit."""
        return None if self.max_time is None else duration_of(self.max_time, name="max_time")
