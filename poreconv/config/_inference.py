"""Settings of labelling, streaming and measuring tails."""

from dataclasses import dataclass
from typing import Literal, get_args

from poreconv.config._base import BackendName, DecodeMethod, Precision, WorkConfig, group, require
from poreconv.config._data import FilesConfig


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
class InferenceConfig:
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
class LabelConfig:
    """How a trained model labels files."""

    inference: InferenceConfig = group(InferenceConfig)
    files: FilesConfig = group(FilesConfig)
    work: WorkConfig = group(WorkConfig)


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
class FlowCellConfig:
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
    stream: StreamConfig = group(StreamConfig)
    inference: InferenceConfig = group(InferenceConfig, batch_size=8)
    """What the network runs on; chunks are as long as the hop needs them."""
    files: FilesConfig = group(FilesConfig)

    def __post_init__(self) -> None:
        """Check ranges."""
        require(self.channels >= 1, f"channels: {self.channels}; must be positive")
        require(min(self.seconds, self.push_s) > 0, f"seconds, push_s: {self.seconds}, {self.push_s}; must be positive")
        require(self.speed in {"real", "max"} or float(self.speed) > 0, f"speed: {self.speed}; must be positive")
        require(self.workers >= 0, f"workers: {self.workers}; must be 0 (one per core) or more")


@dataclass(frozen=True)
class TailsConfig:
    """How tails are measured."""

    nucleotides_per_s: float | None = None
    """Speed at which tails go through the pore; default: the chemistry's, which is known of RNA002."""
    inference: InferenceConfig = group(InferenceConfig)
    files: FilesConfig = group(FilesConfig)
    work: WorkConfig = group(WorkConfig)

    def __post_init__(self) -> None:
        """Check ranges."""
        speed = self.nucleotides_per_s
        require(speed is None or speed > 0, f"nucleotides_per_s: {speed}; must be positive")
