"""Every setting, as frozen dataclasses checked on construction.

No torch here: the command line reads these for its help.
"""

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from poreconv.errors import ConfigError

Task = Literal["boundary", "segment", "base"]
Precision = Literal["32", "bf16"]

IGNORE = -1
"""Target of a sample of which nothing is known."""
INSIDE, BOUNDARY = 0, 1
"""Targets of task `boundary`: inside an event, and the first sample of one."""


def require(condition: bool, message: str) -> None:
    """Raise `ConfigError` with ``message`` unless ``condition`` holds."""
    if not condition:
        raise ConfigError(message)


@dataclass(frozen=True)
class LabelConfig:
    """How label sources speak."""

    outside: str = "unknown"
    """What the samples outside all intervals of a read are (source `intervals`): `unknown` (ignored), or the name of a
    class, such as `background`."""
    move_margin: bool = False
    """Whether one stride on each side of each move is ignored (sources `bam_moves`, `fast5_moves`), since a move is
    right to about one stride. For the tasks `base` and `segment`: no boundary is left for task `boundary`."""


@dataclass(frozen=True)
class SplitConfig:
    """Which reads train, validate and test: decided by a hash, so the same read always falls on the same side."""

    by: Literal["read", "run", "channel"] = "read"
    """What is kept together: each read, all reads of a run, or all reads of a channel in a run."""
    validation: float = 0.1
    """Share of the reads that choose the checkpoint and the decoding threshold."""
    test: float = 0.2
    """Share of the reads that training never sees."""
    seed: int = 0
    """Another seed, another split."""

    def __post_init__(self) -> None:
        """Check the rule and the shares."""
        require(self.by in {"read", "run", "channel"}, f"split.by: {self.by!r}; choose read, run or channel")
        require(0 <= self.validation < 1 and 0 <= self.test <= 1, "split: shares must lie in 0..1")
        require(self.validation + self.test <= 1, "split: validation and test together exceed 1")


@dataclass(frozen=True)
class FilesConfig(LabelConfig):
    """How signal files and their labels are read."""

    workers: int = 0
    """Processes that read and label files; 0: one per core."""
    skip_bad_files: bool = False
    """Pass over files that cannot be opened, and say so in the ledger, instead of stopping."""

    def __post_init__(self) -> None:
        """Check the number of processes."""
        require(self.workers >= 0, f"workers: {self.workers}; must be 0 (one per core) or more")


@dataclass(frozen=True)
class FilterConfig:
    """Which reads are kept; the others are dropped by name."""

    min_samples: int = 0
    """Shortest read, samples."""
    max_samples: int | None = None
    """Longest read, samples."""
    min_labelled: float = 0.0
    """Least share of a read's samples that its labels cover, 0 to 1."""
    read_ids: Path | None = None
    """Text file of the reads to keep, one id per line."""

    def __post_init__(self) -> None:
        """Check ranges."""
        require(0 <= self.min_labelled <= 1, f"filter.min_labelled: {self.min_labelled}; must lie in 0..1")
        longest = self.max_samples is None or self.max_samples >= self.min_samples
        require(self.min_samples >= 0 and longest, "filter: min_samples must not be negative, nor exceed max_samples")


@dataclass(frozen=True)
class PrepareConfig(FilesConfig):
    """What becomes of reads and labels on the way into a store."""

    task: Task = "boundary"
    """What is asked of every sample: is it the first of an event (`boundary`), which class has it (`segment`), which
    base (`base`)?"""
    split: SplitConfig = field(default_factory=SplitConfig)
    filter: FilterConfig = field(default_factory=FilterConfig)

    def __post_init__(self) -> None:
        """Check that something is left to learn."""
        super().__post_init__()
        hopeless = self.move_margin and self.task == "boundary"
        require(
            not hopeless, "move_margin: leaves no boundary to learn; use task base, or make moves exact with refine"
        )


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
    """Windows per step."""
    chunk_samples: int = 2000
    """Samples per window."""
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
    precision: Literal["auto", "32", "bf16"] = "auto"
    """bf16 where the processor computes in it, else 32."""
    accelerator: str = "auto"
    """`cpu`, `cuda`, `auto`, ... as Lightning knows them."""
    loader_workers: int = 0
    """Processes that gather windows; 0: the training process itself does."""
    seed: int = 0
    """Of the first weights, the windows and the augmentation."""
    allow_mixed: bool = False
    """Let stores of different chemistries train together."""
    normalisation: NormalisationConfig = field(default_factory=NormalisationConfig)
    augment: AugmentConfig = field(default_factory=AugmentConfig)

    def __post_init__(self) -> None:
        """Check ranges."""
        for name in ("max_steps", "batch_size", "chunk_samples", "validate_every", "patience"):
            require(getattr(self, name) >= 1, f"{name}: {getattr(self, name)}; must be positive")
        require(self.learning_rate > 0 and self.gradient_clip > 0, "learning_rate, gradient_clip: must be positive")
        require(0 < self.warmup < 1, f"warmup: {self.warmup}; must lie between 0 and 1")
        require(0 <= self.class_balance <= 1, f"class_balance: {self.class_balance}; must lie in 0..1")
        require(min(self.weight_decay, self.loader_workers) >= 0, "weight_decay, loader_workers: must not be negative")
        require(0 <= self.seed < 2**32, f"seed: {self.seed}; must lie in 0..4294967295")
        in_form = self.max_time is None or re.fullmatch(r"\d+(:\d\d){3}", self.max_time)
        require(bool(in_form), f"max_time: {self.max_time!r}; give DD:HH:MM:SS, such as 00:00:10:00")


@dataclass(frozen=True)
class LabelRunConfig:
    """How a trained model runs; none of it changes what it finds, but for `precision`."""

    batch_size: int = 4
    """Chunks labelled at once, at most 8 on a CPU; a few that stay in its cache are faster than many."""
    chunk_samples: int = 8000
    """Samples per chunk, its overlap included; rounded down to a multiple of 64."""
    precision: Precision = "32"
    """`bf16` is faster on processors that compute in it, and differs in the third digit."""

    def __post_init__(self) -> None:
        """Check ranges."""
        require(self.batch_size >= 1, f"batch_size: {self.batch_size}; must be positive")
        require(self.chunk_samples >= 64, f"chunk_samples: {self.chunk_samples}; must be 64 or more")


@dataclass(frozen=True)
class RefineConfig(FilesConfig):
    """How coarse boundaries become exact."""

    band: int = 60
    """How far a boundary may move in one pass, samples."""
    passes: int = 3
    """How often a read is cut; between passes its scale is fitted anew."""
    min_dwell: int = 2
    """Shortest event, samples."""
    step_reward: float = 5.0
    """What a cut at a step of the current gains, in units of log-likelihood; 0: levels alone decide."""
    min_quality: float = 0.9
    """Least correlation of a read's events with their levels; reads below it are dropped."""

    def __post_init__(self) -> None:
        """Check ranges."""
        super().__post_init__()
        require(self.band >= 1 and self.passes >= 1, "band, passes: must be positive")
        require(self.min_dwell >= 1, f"min_dwell: {self.min_dwell}; must be positive")
        require(self.step_reward >= 0, f"step_reward: {self.step_reward}; must not be negative")
        require(0 <= self.min_quality <= 1, f"min_quality: {self.min_quality}; must be 0 to 1")


@dataclass(frozen=True)
class EvaluateConfig(FilesConfig):
    """On what a model is judged, and how it runs."""

    split: Literal["test", "validation", "train", "all"] = "test"
    """Reads of a store to judge on; those that trained the model are dropped all the same."""
    run: LabelRunConfig = field(default_factory=LabelRunConfig)


@dataclass(frozen=True)
class SimulateConfig:
    """What every simulator needs."""

    reads: int = 100
    """How many reads."""
    seed: int = 0
    """The same seed gives the same reads."""

    def __post_init__(self) -> None:
        """Check the count."""
        require(min(self.reads, self.seed) >= 0, f"reads: {self.reads}, seed: {self.seed}; must not be negative")


@dataclass(frozen=True)
class HeartbeatConfig:
    """The lecture's trace: one or more beats somewhere in noise and drift. Default units: pA and samples."""

    samples: int = 400
    """Length of each trace, samples."""
    sample_rate_hz: float = 250.0
    """Samples per second."""
    beats_min: int = 1
    """Fewest beats in a trace."""
    beats_max: int = 3
    """Most beats in a trace."""
    beats_start: int = 0
    """Beats lie at this sample or later."""
    beats_end: int | None = None
    """Beats lie before this sample; default: the trace's end."""
    width_min: int = 12
    """Shortest beat, samples."""
    width_max: int = 40
    """Longest beat, samples."""
    height_min_pa: float = 20.0
    """Lowest beat, pA above the baseline."""
    height_max_pa: float = 60.0
    """Highest beat, pA above the baseline."""
    baseline_pa: float = 80.0
    """Level between beats, pA."""
    noise_pa: float = 4.0
    """SD of white noise, pA."""
    drift_pa: float = 6.0
    """SD of the slow drift over a trace, pA."""

    def __post_init__(self) -> None:
        """Check that beats fit."""
        require(0 <= self.beats_min <= self.beats_max, "beats_min: must not exceed beats_max, nor be negative")
        require(1 <= self.width_min <= self.width_max, "width_min: must be positive and not exceed width_max")
        require(self.height_min_pa <= self.height_max_pa, "height_min_pa: must not exceed height_max_pa")
        require(self.sample_rate_hz > 0, "sample_rate_hz: must be positive")
        require(min(self.noise_pa, self.drift_pa) >= 0, "noise_pa, drift_pa: must not be negative")
        start, end = self.place
        require(0 <= start <= end <= self.samples, f"beats_start: {start}, beats_end: {end}; not in the trace")
        require(
            end - start >= self.beats_max * (self.width_max + 1) - 1,
            f"samples: {end - start} hold no {self.beats_max} beats of {self.width_max}; raise it",
        )

    @property
    def place(self) -> tuple[int, int]:
        """Samples ``[start, end)`` in which beats lie."""
        return self.beats_start, self.samples if self.beats_end is None else self.beats_end


@dataclass(frozen=True)
class SquiggleConfig:
    """Squiggles from k-mer levels of a seeded random pore model. Units: bases, pA, samples."""

    k: int = 5
    """Bases that set one level."""
    bases_mean: int = 2000
    """Mean read length, bases (gamma distributed, shape 3)."""
    bases_min: int = 200
    """Shortest read, bases."""
    sample_rate_hz: float = 4000.0
    """Samples per second."""
    dwell_mean: float = 9.0
    """Mean samples per base."""
    dwell_shape: float = 2.0
    """Shape of the dwells' gamma distribution: larger is more regular."""
    level_mean_pa: float = 90.0
    """Mean of the k-mer levels, pA."""
    level_sd_pa: float = 14.0
    """SD of the k-mer levels, pA."""
    noise_pa: float = 2.7
    """SD of the noise within an event, pA."""
    noise_spread: float = 0.5
    """How that SD differs from event to event: SD of its logarithm."""
    noise_correlation: float = 0.4
    """Correlation of the noise of neighbouring samples: the pore's noise is not white."""
    spill: float = 0.1
    """Share of a sample's level that stands in each of its neighbours: steps are not perfectly sharp."""
    drift_pa: float = 3.0
    """SD of the slow drift over a read, pA."""
    adapter_samples: int = 600
    """Mean length of the adapter before the first base, samples; 0 for none."""
    shift_pa: float = 4.0
    """SD over reads of the shift of all levels, pA."""
    scale_sd: float = 0.04
    """SD over reads of the factor on all levels."""
    pore_seed: int = 0
    """Another seed, another pore model; reads of different `seed` come from the same pore."""

    def __post_init__(self) -> None:
        """Check ranges."""
        require(1 <= self.k <= 9, f"k: {self.k}; must be 1 to 9")
        require(1 <= self.bases_min <= self.bases_mean, "bases_min: must be positive and not exceed bases_mean")
        require(self.dwell_mean >= 1 and self.dwell_shape > 0, "dwell_mean: at least 1; dwell_shape: positive")
        require(self.sample_rate_hz > 0, "sample_rate_hz: must be positive")
        require(min(self.noise_pa, self.drift_pa, self.level_sd_pa) >= 0, "noise, drift, level_sd: not negative")
        require(min(self.adapter_samples, self.pore_seed) >= 0, "adapter_samples, pore_seed: must not be negative")
        require(self.shift_pa >= 0 and 0 <= self.scale_sd < 0.2, "shift_pa: not negative; scale_sd: 0 to 0.2")
        require(self.noise_spread >= 0, f"noise_spread: {self.noise_spread}; must not be negative")
        require(0 <= self.noise_correlation < 1, f"noise_correlation: {self.noise_correlation}; must be 0 to under 1")
        require(0 <= self.spill < 0.5, f"spill: {self.spill}; must be 0 to under 0.5")


@dataclass(frozen=True)
class DecodeConfig:
    """How per-sample probabilities become events."""

    threshold: float = 0.5
    """Least probability of a boundary (task `boundary`); training chooses it on the validation split."""

    def __post_init__(self) -> None:
        """Check the range."""
        require(0 < self.threshold < 1, f"decoding.threshold: {self.threshold}; must lie between 0 and 1")


@dataclass(frozen=True)
class Heartbeat:
    """The lecture's network: kernels of 3, stride 1, pooling between; small enough to read its weights."""

    channels: int = 16
    """Kernels per layer."""
    layers: int = 4
    """Convolutions, each followed by max pooling of stride 1."""
    pool: int = 3
    """Width of the pooling window, samples; odd."""

    def __post_init__(self) -> None:
        """Check the sizes."""
        require(self.channels >= 1 and self.layers >= 1, "heartbeat: channels and layers must be positive")
        require(self.pool >= 1 and self.pool % 2 == 1, f"heartbeat.pool: {self.pool}; must be odd")


@dataclass(frozen=True)
class Dense:
    """Every sample of a fixed window connected to every neuron: what convolution saves one from."""

    window: int = 400
    """Samples of the window; longer reads are labelled window by window."""
    hidden: int = 64
    """Neurons of the hidden layer."""

    def __post_init__(self) -> None:
        """Check the sizes."""
        require(self.window >= 1 and self.hidden >= 1, "dense: window and hidden must be positive")


@dataclass(frozen=True)
class Tcn:
    """Residual dilated convolutions: each block sees twice as far as the one before, then it starts again."""

    channels: int = 48
    """Width of the residual stream."""
    kernel: int = 3
    """Kernel of the dilated convolutions, samples; odd."""
    dilations: tuple[int, ...] = (1, 2, 4, 8, 16, 32)
    """Dilation of each block of a cycle."""
    cycles: int = 2
    """How often the dilations are repeated."""
    stem_kernel: int = 9
    """Kernel of the first convolution, samples; odd."""
    dropout: float = 0.0
    """Share of the activations set to 0 in training."""

    def __post_init__(self) -> None:
        """Check the sizes."""
        require(self.channels >= 1 and self.cycles >= 1, "tcn: channels and cycles must be positive")
        require(min(self.kernel, self.stem_kernel) >= 1, "tcn: kernels must be positive")
        require(self.kernel % 2 == 1 and self.stem_kernel % 2 == 1, "tcn: kernels must be odd")
        require(len(self.dilations) > 0 and min(self.dilations) >= 1, "tcn.dilations: must be positive, at least one")
        require(0 <= self.dropout < 1, f"tcn.dropout: {self.dropout}; must lie in 0..1")


@dataclass(frozen=True)
class Strided:
    """A stem that steps `stride` samples per frame, dilated blocks on the frames, and a head that gives them back."""

    channels: int = 64
    """Width of the residual stream."""
    stride: int = 4
    """Samples per frame."""
    stem_kernel: int = 13
    """Kernel of the stem, samples; odd, at least the stride."""
    kernel: int = 3
    """Kernel of the dilated convolutions, frames; odd."""
    dilations: tuple[int, ...] = (1, 2, 4, 8, 1, 2, 4, 8)
    """Dilation of each block, frames."""

    def __post_init__(self) -> None:
        """Check the sizes."""
        require(self.channels >= 1 and self.stride >= 1, "strided: channels and stride must be positive")
        require(min(self.kernel, self.stem_kernel) >= 1, "strided: kernels must be positive")
        require(self.kernel % 2 == 1 and self.stem_kernel % 2 == 1, "strided: kernels must be odd")
        require(
            self.stem_kernel >= self.stride, "strided.stem_kernel: shorter than the stride, samples would be unseen"
        )
        require(len(self.dilations) > 0 and min(self.dilations) >= 1, "strided.dilations: must be positive")


ARCHITECTURES: dict[str, type[Any]] = {"heartbeat": Heartbeat, "dense": Dense, "tcn": Tcn, "strided": Strided}
"""Name in ``MODELS`` -> its settings."""
