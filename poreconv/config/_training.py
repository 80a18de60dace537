"""Settings of training."""

import re
from dataclasses import dataclass, field
from typing import Literal

from poreconv.config._base import Precision, require


@dataclass(frozen=True)
class NormalisationConfig:
    """How pA become the network's input; training and labelling share it through the recipe."""

    clip: float = 5.0
    """Largest absolute normalised value; spikes beyond it are cut."""

    def __post_init__(self) -> None:
        """Check the limit."""
        require(self.clip > 0, f"normalisation.clip: {self.clip}; must be positive")


@dataclass(frozen=True)
class AugmentConfig:
    """Random changes of training windows that leave their labels true."""

    noise: float = 0.0
    """Largest SD of added white noise, in SDs of the read; drawn per window from 0 to this."""
    scale: float = 0.0
    """Largest relative change of the window's amplitude, either way."""
    shift: float = 0.0
    """Largest offset added to the window, in SDs of the read, either way."""
    stretch: float = 0.0
    """Largest relative change of the window's speed, either way; the labels move along."""

    def __post_init__(self) -> None:
        """Check ranges."""
        require(min(self.noise, self.scale, self.shift, self.stretch) >= 0, "augment: must not be negative")
        require(max(self.scale, self.stretch) < 1, "augment: scale and stretch must be under 1")


@dataclass(frozen=True)
class TrainConfig:
    """How a network is trained."""

    max_steps: int = 4000
    """Stop after so many optimiser steps."""
    max_time: str | None = None
    """Stop after so long, DD:HH:MM:SS; the learning rate has come down by then."""
    batch_size: int = 32
    """Windows per step, over all processes."""
    chunk_samples: int = 2000
    """Samples per window."""
    start_from: str | None = None
    """Trained model whose weights are the first ones, of the same architecture and classes: its file, or the name of a
    shipped one. For few reads, or a new chemistry; default: random weights."""
    teacher: str | None = None
    """Trained model, of any architecture and the same classes, whose probabilities are learnt besides the labels: its
    file, or the name of a shipped one. For a small fast network, which learns more from them than from labels alone."""
    teacher_share: float = 0.9
    """How much the teacher counts in the loss, 0 to 1; the labels count the rest."""
    learning_rate: float = 4e-3
    """Peak of the one-cycle schedule."""
    warmup: float = 0.1
    """Share of the training in which the learning rate rises."""
    weight_decay: float = 0.01
    """Of AdamW."""
    gradient_clip: float = 1.0
    """Largest norm of the gradient."""
    class_balance: float = 0.5
    """Class weights in the loss: 0 none, 1 inverse to the class's frequency."""
    validate_every: int = 200
    """Steps between two validations; a killed run goes on from the last."""
    patience: int = 50
    """Stop when so many validations in a row brought nothing better."""
    precision: Precision = "auto"
    """bf16 where the processor computes in it, else 32."""
    accelerator: str = "auto"
    """`cpu`, `cuda`, `auto`, ... as Lightning knows them."""
    devices: int | Literal["auto"] = 1
    """Processes that train together, each on its own GPU, or all on the CPU; `auto`: one for each GPU. They share each
    step's windows: how a model learns does not depend on how many they are. On a CPU only for networks without batch
    normalisation."""
    nodes: int = 1
    """Machines that train together, each with so many devices; the command runs on each, with MASTER_ADDR, MASTER_PORT
    and NODE_RANK, or under Slurm or torchrun, as Lightning knows them. All must see the same folders."""
    compile: bool = False
    """Let torch compile the network, which takes a minute or so first."""
    loader_workers: int = 0
    """Processes that gather windows; 0: the training process itself does."""
    seed: int = 0
    """Of the first weights, the windows and the augmentation."""
    allow_mixed: bool = False
    """Let stores of different chemistries train together."""
    equal_stores: bool = False
    """Draw as many windows from each store, whatever its size; otherwise each labelled sample (task `read`: each read)
    is as likely."""
    ordered: bool = False
    """Task `segment`: decode each class once at most, in the order in which the training reads have them."""
    normalisation: NormalisationConfig = field(default_factory=NormalisationConfig)
    augment: AugmentConfig = field(default_factory=AugmentConfig)

    def __post_init__(self) -> None:
        """Check ranges."""
        for name in ("max_steps", "batch_size", "chunk_samples", "validate_every", "patience"):
            require(getattr(self, name) >= 1, f"{name}: {getattr(self, name)}; must be positive")
        require(self.learning_rate > 0 and self.gradient_clip > 0, "learning_rate, gradient_clip: must be positive")
        processes = self.nodes * (1 if self.devices == "auto" else self.devices)
        require(1 <= processes <= self.batch_size, f"devices, nodes: {processes} in all; must lie in 1..batch_size")
        require(0 < self.warmup < 1, f"warmup: {self.warmup}; must lie between 0 and 1")
        require(0 <= self.teacher_share <= 1, f"teacher_share: {self.teacher_share}; must lie in 0..1")
        require(0 <= self.class_balance <= 1, f"class_balance: {self.class_balance}; must lie in 0..1")
        require(min(self.weight_decay, self.loader_workers) >= 0, "weight_decay, loader_workers: must not be negative")
        require(0 <= self.seed < 2**32, f"seed: {self.seed}; must lie in 0..4294967295")
        in_form = self.max_time is None or re.fullmatch(r"\d+(:\d\d){3}", self.max_time)
        require(bool(in_form), f"max_time: {self.max_time!r}; give DD:HH:MM:SS, such as 00:00:10:00")
