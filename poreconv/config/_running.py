"""Settings of training, labelling and judging."""

import re
from dataclasses import dataclass, field
from typing import Literal, get_args

from poreconv.config._base import BackendName, DecodeMethod, Precision, WorkConfig, require
from poreconv.config._data import TruthConfig


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


@dataclass(frozen=True)
class DecodeConfig:
    """How per-sample logits become events; training chooses all of it on the validation split."""

    threshold: float = 0.5
    """Task `boundary`: least probability of a peak (`peaks`), or the one at which a boundary costs nothing."""
    method: DecodeMethod = "peaks"
    """Task `boundary`: every peak for itself (`peaks`), or the best choice among all of them, by the probability near
    each and the dwells between them (`segmental`)."""
    dwell_weight: float = 0.0
    """How much the dwells count in `segmental`: 0 not at all, 1 as much as the probabilities."""
    dwell_hazards: tuple[float, ...] = ()
    """Chance of an event to end after so many samples, one per bin of `dwell.EDGES`, by the training split."""
    bias: tuple[float, ...] = ()
    """What is added to the logit of each class, so that the loss's class weights are taken back; empty: nothing."""
    temperature: float = 1.0
    """What the logits are then divided by, so that probabilities are shares of samples."""
    order: tuple[str, ...] = ()
    """Task `segment`, method `ordered`: the classes as they follow each other in the signal, each once at most."""

    def __post_init__(self) -> None:
        """Check ranges."""
        require(0 < self.threshold < 1, f"decoding.threshold: {self.threshold}; must lie between 0 and 1")
        methods = get_args(DecodeMethod)
        require(self.method in methods, f"decoding.method: {self.method!r}; choose one of {', '.join(methods)}")
        require(self.dwell_weight >= 0, f"decoding.dwell_weight: {self.dwell_weight}; must not be negative")
        possible = all(0 < hazard < 1 for hazard in self.dwell_hazards)
        require(possible, f"decoding.dwell_hazards: {self.dwell_hazards}; must lie between 0 and 1")
        known = bool(self.dwell_hazards) or self.method != "segmental"
        require(known, "decoding.dwell_hazards: none; method segmental needs them")
        require(bool(self.order) == (self.method == "ordered"), "decoding.order: names classes for method ordered only")
        require(self.temperature > 0, f"decoding.temperature: {self.temperature}; must be positive")


@dataclass(frozen=True)
class LabelRunConfig:
    """How a trained model runs; none of it changes what it finds, but for the last digits that `precision` costs."""

    backend: BackendName = "auto"
    """What the network runs on: `torch`; `compile` (torch.compile: compiles first, for half a minute); `onnx` (ONNX
    Runtime; a bundle is exported first). `auto`: torch for a bundle, onnx for an exported file."""
    precision: Precision = "auto"
    """`bf16` is faster on processors that compute in it, and differs in the third digit; `auto`: bf16 on those, else
    32 (on a cluster with both, choose). An exported file has its own."""
    batch_size: int = 4
    """Chunks labelled at once, at most 8 by torch on a CPU; a few that stay in its cache are faster than many."""
    chunk_samples: int = 8000
    """Samples per chunk, its overlap included; rounded down to a multiple of 64."""

    def __post_init__(self) -> None:
        """Check ranges."""
        require(self.batch_size >= 1, f"batch_size: {self.batch_size}; must be positive")
        require(self.chunk_samples >= 64, f"chunk_samples: {self.chunk_samples}; must be 64 or more")


@dataclass(frozen=True)
class LabelFilesConfig(LabelRunConfig, WorkConfig):
    """How a trained model labels files."""

    def __post_init__(self) -> None:
        """Check ranges."""
        LabelRunConfig.__post_init__(self)
        WorkConfig.__post_init__(self)


@dataclass(frozen=True)
class StreamConfig:
    """How reads are labelled while they are sequenced: how soon, and by what scale."""

    hop_samples: int = 1000
    """New samples of a channel that go through the network together; rounded so that chunks suit it. More cost less, as
    fewer are seen twice, and come later."""
    warmup_samples: int = 2000
    """Samples of a read that are held back until its shift and scale are estimated; they are refined from then on."""

    def __post_init__(self) -> None:
        """Check ranges."""
        for name in ("hop_samples", "warmup_samples"):
            require(getattr(self, name) >= 1, f"{name}: {getattr(self, name)}; must be positive")


@dataclass(frozen=True)
class FlowCellConfig(StreamConfig):
    """A flow cell that is played from files."""

    channels: int = 512
    """Channels that are sequenced at once, all of the time; each plays one read after the other."""
    seconds: float = 30.0
    """Seconds of signal that each channel plays."""
    speed: Literal["real", "max"] | float = "real"
    """`real`: samples come as a sequencer gives them; 2: twice as fast; `max`: the next are there when those before are
    labelled."""
    push_s: float = 0.1
    """Seconds of signal that come at once."""
    workers: int = 0
    """Processes that share the channels, of one thread each; 0: one per core."""
    run: LabelRunConfig = field(default_factory=lambda: LabelRunConfig(batch_size=8))
    """What the network runs on; chunks are as long as the hop wants them."""

    def __post_init__(self) -> None:
        """Check ranges."""
        super().__post_init__()
        require(self.channels >= 1, f"channels: {self.channels}; must be positive")
        require(min(self.seconds, self.push_s) > 0, f"seconds, push_s: {self.seconds}, {self.push_s}; must be positive")
        require(self.speed in {"real", "max"} or float(self.speed) > 0, f"speed: {self.speed}; must be positive")
        require(self.workers >= 0, f"workers: {self.workers}; must be 0 (one per core) or more")


@dataclass(frozen=True)
class TailsConfig(LabelFilesConfig):
    """How tails are measured."""

    nucleotides_per_s: float | None = None
    """Speed at which tails go through the pore; default: the chemistry's, which is known of RNA002."""

    def __post_init__(self) -> None:
        """Check ranges."""
        super().__post_init__()
        speed = self.nucleotides_per_s
        require(speed is None or speed > 0, f"nucleotides_per_s: {speed}; must be positive")


@dataclass(frozen=True)
class EvaluateConfig(TruthConfig):
    """On what a model is judged, and how it runs."""

    split: Literal["test", "validation", "train", "all"] = "test"
    """Reads of a store to judge on; those that trained the model are dropped all the same."""
    run: LabelRunConfig = field(default_factory=LabelRunConfig)
