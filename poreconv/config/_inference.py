"""Settings of labelling, streaming and measuring poly(A) tails."""

import math
from dataclasses import dataclass
from typing import Literal, get_args

from poreconv.config._base import BackendName, DecodeMethod, Precision, WorkConfig, duration_of, group, require
from poreconv.config._data import FilesConfig, SourceConfig
from poreconv.config._presets import PRESETS


@dataclass(frozen=True)
class DecodeConfig:
    """How logits become events; training chooses these settings on the validation split."""

    threshold: float = 0.5
    """Task `boundary`: smallest probability of a boundary (method `peaks`), or the probability at which a boundary
    costs nothing (method `segmental`)."""
    method: DecodeMethod = "peaks"
    """Task `boundary`: `peaks`: every peak of the probability above the threshold; `segmental`: the best set of
    boundaries, by the probability near each and the dwells between them. Task `segment`: `peaks`: the likeliest class
    of each sample; `segmental`: the best split into stretches of at least the `shortest` samples; `ordered`: the same,
    in the order of `order`."""
    dwell_weight: float = 0.0
    """Weight of the dwells in method `segmental`: 0: they are ignored; 1: they weigh as much as the probabilities."""
    dwell_hazards: tuple[float, ...] = ()
    """Probability, from the training split, that an event ends after a number of samples; one for each bin of
    `dwell.EDGES`."""
    bias: tuple[float, ...] = ()
    """Added to the logit of each class, which undoes the class weights of the loss; empty: nothing."""
    temperature: float = 1.0
    """Divisor of the logits, after the bias, that makes a probability the share of samples that have the class."""
    order: tuple[str, ...] = ()
    """Task `segment`, method `ordered`: the classes in the order in which they follow each other in the signal, each
    at most once."""
    shortest: tuple[int, ...] = ()
    """Task `segment`, methods `segmental` and `ordered`: number of samples of the shortest stretch of each class;
    empty: stretches of any length."""

    def __post_init__(self) -> None:
        """Check ranges."""
        require(0 < self.threshold < 1, f"decoding.threshold: {self.threshold}; must lie between 0 and 1")
        methods = get_args(DecodeMethod)
        require(self.method in methods, f"decoding.method: {self.method!r}; choose one of {', '.join(methods)}")
        weight = self.dwell_weight
        require(0 <= weight < math.inf, f"decoding.dwell_weight: {weight}; must be finite, and not negative")
        require(all(map(math.isfinite, self.bias)), f"decoding.bias: {self.bias}; must be finite")
        possible = all(0 < hazard < 1 for hazard in self.dwell_hazards)
        require(possible, f"decoding.dwell_hazards: {self.dwell_hazards}; must lie between 0 and 1")
        known = bool(self.dwell_hazards or self.shortest) or self.method != "segmental"
        require(known, "decoding.dwell_hazards, decoding.shortest: empty; method segmental needs one of them")
        require(all(n >= 1 for n in self.shortest), f"decoding.shortest: {self.shortest}; must be positive")
        ordered = self.method == "ordered"
        require(bool(self.order) == ordered, f"decoding.order: {self.order}; needed by method ordered, and only by it")
        require(0 < self.temperature < math.inf, f"decoding.temperature: {self.temperature}; must be positive")


@dataclass(frozen=True)
class InferenceConfig:
    """How a trained model runs; the results depend on none of these settings, except for the digits of `precision`."""

    backend: BackendName = "auto"
    """Library that runs the network: `torch`; `compile` (torch.compile, which compiles for half a minute first);
    `onnx` (ONNX Runtime; a bundle is exported first, and the export kept in the cache folder). `auto`: `onnx` for an
    exported model; for a bundle `torch`, or, if `precision` is `auto` too and there is over half a minute of work,
    `onnx` where that is faster."""
    accelerator: str = "auto"
    """Hardware that runs the network: `cpu`; `cuda`, an NVIDIA GPU, or a certain one, `cuda:1`; `mps`, Apple's; `auto`:
    `cuda` if there is one, else `cpu`."""
    precision: Precision = "auto"
    """Precision of the network's arithmetic: `32` (float32), which finds the same events on every machine; `bf16`,
    whose results differ from those in the third digit, and which is faster on some processors, slower on others;
    `auto`: the faster one, measured on this machine the first time that it runs the model, and remembered. What `auto`
    chose is written to the ledger; a resumed command and all its processes keep it. An exported model always runs with
    the precision of its export."""
    batch_size: int = 0
    """Number of chunks labelled together, with torch on a CPU at most 8, as a few that fit into its cache are faster
    than many; 0: 4 on a CPU, 64 on a GPU."""
    chunk_samples: int = 8000
    """Length of a chunk, samples, including its overlap; rounded down to a multiple of 64."""

    def __post_init__(self) -> None:
        """Check ranges."""
        require(self.batch_size >= 0, f"batch_size: {self.batch_size}; must be 0 (as suits the hardware) or more")
        require(self.chunk_samples >= 64, f"chunk_samples: {self.chunk_samples}; must be 64 or more")


@dataclass(frozen=True)
class FitConfig:
    """Reads that a model labels besides those that are known to be of the kind that it was trained on."""

    chemistry: str = ""
    """Chemistry of the reads whose files do not contain it, or only a part of it, such as dna_r10.4.1. Reads whose
    files contain another one keep that."""
    any_chemistry: bool = False
    """Label reads of any chemistry; a warning names those that the model was not trained on."""
    resample: bool = False
    """Label reads of a higher sample rate than the model's at the model's rate; places of events are in the reads' own
    samples."""


@dataclass(frozen=True)
class LabelConfig:
    """How a trained model labels files."""

    every: int = 1
    """Number of samples of which a row of a TSV of values is the mean; for a model of values only."""
    inference: InferenceConfig = group(InferenceConfig)
    fit: FitConfig = group(FitConfig)
    files: FilesConfig = group(FilesConfig)
    work: WorkConfig = group(WorkConfig)

    def __post_init__(self) -> None:
        """Check ranges."""
        require(self.every >= 1, f"every: {self.every}; must be positive")


@dataclass(frozen=True)
class PlotConfig:
    """How the read that is drawn is found, and how a model labels it."""

    inference: InferenceConfig = group(InferenceConfig)
    fit: FitConfig = group(FitConfig)
    sources: SourceConfig = group(SourceConfig)
    files: FilesConfig = group(FilesConfig)


@dataclass(frozen=True)
class StudioConfig:
    """How the page is served, how a network learns from the marks, and how reads, label sources and models are used."""

    port: int = 8765
    """Port of the page on this machine; 0: any that is free."""
    no_browser: bool = False
    """Print the address only; do not open it."""
    preset: str | None = None
    """Settings with which a network learns from the marks, as `train` takes them: `boundaries`, `regions` or `trace`.
    Default: the first for the task of the marks."""
    max_time: str | None = "10m"
    """Time after which learning from the marks ends, such as 90s, 10m, 1h; the learning rate schedule ends with it."""
    max_steps: int = 0
    """Number of optimiser steps after which it ends, if it does not before; 0: those of the preset."""
    inference: InferenceConfig = group(InferenceConfig)
    fit: FitConfig = group(FitConfig)
    sources: SourceConfig = group(SourceConfig)
    files: FilesConfig = group(FilesConfig)

    def __post_init__(self) -> None:
        """Check port and limits."""
        require(0 <= self.port < 1 << 16, f"port: {self.port}; give 0 to {(1 << 16) - 1}")
        require(self.max_steps >= 0, f"max_steps: {self.max_steps}; must be 0 (those of the preset) or more")
        require(
            self.preset is None or self.preset in PRESETS,
            f"preset: {self.preset!r}; choose one of {', '.join(PRESETS)}",
        )
        if self.max_time is not None:
            duration_of(self.max_time, name="max_time")


@dataclass(frozen=True)
class StreamConfig:
    """How reads are labelled while they are sequenced: the latency, and the estimate of a read's scale."""

    hop_samples: int = 1000
    """Number of new samples of a channel that go through the network together; rounded to a length that suits the
    network. A larger number needs less computation, since fewer samples are computed twice, but labels come later."""
    warmup_samples: int = 2000
    """Number of samples from which a read's shift and scale are first estimated, and which are held back until then;
    the estimate is refined with every further sample."""

    def __post_init__(self) -> None:
        """Check ranges."""
        for name in ("hop_samples", "warmup_samples"):
            require(getattr(self, name) >= 1, f"{name}: {getattr(self, name)}; must be positive")


@dataclass(frozen=True)
class FlowCellConfig:
    """A flow cell that is simulated by playing the reads of files."""

    channels: int = 512
    """Number of channels that are sequenced at the same time, without pauses; each plays one read after the other."""
    seconds: float = 30.0
    """Length of the signal that each channel plays, seconds."""
    speed: Literal["real", "max"] | float = "real"
    """Speed of the signal: `real`: that of a sequencer; a number: so many times as fast; `max`: new samples arrive as
    soon as those before are labelled."""
    push_s: float = 0.1
    """Length of the signal that arrives at a time, seconds."""
    workers: int = 0
    """Number of processes that share the channels, with one thread each; 0: one per core."""
    stream: StreamConfig = group(StreamConfig)
    inference: InferenceConfig = group(InferenceConfig, batch_size=8)
    """How the network runs; the hop determines the length of the chunks."""
    fit: FitConfig = group(FitConfig)
    files: FilesConfig = group(FilesConfig)

    def __post_init__(self) -> None:
        """Check ranges."""
        require(self.channels >= 1, f"channels: {self.channels}; must be positive")
        require(min(self.seconds, self.push_s) > 0, f"seconds, push_s: {self.seconds}, {self.push_s}; must be positive")
        require(self.speed in {"real", "max"} or float(self.speed) > 0, f"speed: {self.speed}; must be positive")
        require(self.workers >= 0, f"workers: {self.workers}; must be 0 (one per core) or more")
        require(not self.fit.resample, "resample: whole reads are resampled, not a stream; use poreconv label")


@dataclass(frozen=True)
class HealthConfig:
    """How the health of a run is measured."""

    chemistry: str = ""
    """Chemistry of the reads whose files do not contain it, or only a part of it, such as dna_r10.4.1; it chooses the
    model that counts the bases. Reads whose files contain another one keep that."""
    files: FilesConfig = group(FilesConfig)
    work: WorkConfig = group(WorkConfig)


@dataclass(frozen=True)
class TailsConfig:
    """How poly(A) tails are measured."""

    nucleotides_per_s: float | None = None
    """Speed at which tails pass the pore, nucleotides per second; default: that of the chemistry, which is known for
    RNA002 and RNA004."""
    inference: InferenceConfig = group(InferenceConfig)
    fit: FitConfig = group(FitConfig)
    files: FilesConfig = group(FilesConfig)
    work: WorkConfig = group(WorkConfig)

    def __post_init__(self) -> None:
        """Check ranges."""
        speed = self.nucleotides_per_s
        require(speed is None or speed > 0, f"nucleotides_per_s: {speed}; must be positive")
