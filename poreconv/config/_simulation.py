"""Settings of the simulators."""

from dataclasses import dataclass
from pathlib import Path
from typing import get_args

from poreconv.config._base import SignalFormat, SimulatedChemistry, group, require, require_none_below


@dataclass(frozen=True)
class SimulateConfig:
    """Settings of every simulator."""

    reads: int = 100
    """Number of reads."""
    seed: int = 0
    """Seed of the random numbers; the same seed gives the same reads."""
    format: SignalFormat = "fast5"
    """Format of the signal file: `fast5` (multi-read, VBZ), `pod5`, `blow5`, or its text form, `slow5`."""

    def __post_init__(self) -> None:
        """Check the counts and the format."""
        require(min(self.reads, self.seed) >= 0, f"reads: {self.reads}, seed: {self.seed}; must not be negative")
        formats = get_args(SignalFormat)
        require(self.format in formats, f"format: {self.format!r}; choose one of {', '.join(formats)}")


@dataclass(frozen=True)
class HeartbeatConfig:
    """Simulate heartbeat traces: one or more beats at random places in noise and drift. Units: pA, samples."""

    samples: int = 400
    """Length of each trace, samples."""
    sample_rate_hz: float = 250.0
    """Sample rate, Hz."""
    beats_min: int = 1
    """Smallest number of beats in a trace."""
    beats_max: int = 3
    """Largest number of beats in a trace."""
    beats_start: int = 0
    """First sample at which a beat may begin."""
    beats_end: int | None = None
    """Sample before which every beat must end; default: the trace's end."""
    width_min: int = 12
    """Length of the shortest beat, samples."""
    width_max: int = 40
    """Length of the longest beat, samples."""
    height_min_pa: float = 20.0
    """Height of the lowest beat, pA above the baseline."""
    height_max_pa: float = 60.0
    """Height of the highest beat, pA above the baseline."""
    baseline_pa: float = 80.0
    """Current between beats, pA."""
    noise_pa: float = 4.0
    """SD of the white noise, pA."""
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
        in_trace = 0 <= start <= end <= self.samples
        require(in_trace, f"beats_start: {start}, beats_end: {end}; must be 0 to samples, {self.samples}")
        require(
            end - start >= self.beats_max * (self.width_max + 1) - 1,
            f"samples: {end - start} are too few for {self.beats_max} beats of {self.width_max}; make the trace longer",
        )

    @property
    def place(self) -> tuple[int, int]:
        """Samples ``[start, end)`` that may contain beats."""
        return self.beats_start, self.samples if self.beats_end is None else self.beats_end


@dataclass(frozen=True)
class PoreConfig:
    """The pore model: the current of each k-mer. Units: pA."""

    pore_model: Path | None = None
    """Table of k-mer levels (nanopolish, f5c, ONT `levels`, uncalled4); noise and dwells are taken from it too, if it
    contains them. Default: a random pore model."""
    turn_kmers: bool = False
    """Reverse the k-mers of the table: some tables for RNA write them in the order of the signal, 3' to 5'."""
    k: int = 5
    """Length of the k-mers of the random pore model, bases."""
    pore_seed: int = 0
    """Seed of the random pore model; reads simulated with another `seed` have the same pore model."""
    level_mean_pa: float | None = None
    """Mean of the k-mer levels, pA, of the random pore model or of a table that is not in pA; default: that of the
    chemistry."""
    level_sd_pa: float | None = None
    """SD of these levels, pA; default: that of the chemistry."""
    level_noise_pa: float = 1.0
    """SD of an event's level around that of its k-mer, pA, unless the table contains it."""

    def __post_init__(self) -> None:
        """Check ranges."""
        require(1 <= self.k <= 9, f"k: {self.k}; must be 1 to 9")
        require(self.pore_seed >= 0, f"pore_seed: {self.pore_seed}; must not be negative")
        require_none_below(self, 0, "level_sd_pa", "level_noise_pa")


@dataclass(frozen=True)
class MoleculeConfig:
    """The molecules, and how fast they pass the pore. Units: bases, samples."""

    chemistry: SimulatedChemistry = "dna_r9.4.1"
    """Chemistry of the reads. RNA passes the pore 3' to 5', its poly(A) tail first."""
    fasta: Path | None = None
    """FASTA file, plain or gzip, with the sequences of which reads are random parts: DNA of either strand, RNA of the
    strand in the file. Default: random bases."""
    bases_mean: int = 2000
    """Mean length of a read, bases (gamma distribution of shape 3); a read ends at the end of its sequence."""
    bases_min: int = 200
    """Length of the shortest read, bases."""
    dwell_mean: float | None = None
    """Mean dwell of a base, samples, unless the table contains it. Default: that of the chemistry (R9.4.1: 450
    bases per second)."""
    dwell_shape: float | None = None
    """Shape of the gamma distribution of the dwells: larger is more regular, unless the table contains it.
    Default: that of the chemistry."""
    stall_rate: float | None = None
    """Share of the bases, 0 to 1, at which the motor stalls; default: that of the chemistry."""
    stall_samples: float | None = None
    """Mean number of samples that a stall adds (exponential distribution); default: that of the chemistry."""
    open_pore_samples: int = 0
    """Mean length of the open pore's current before the molecule, samples; 0: none."""
    adapter_samples: int | None = None
    """Mean length of the adapter before the first base or the tail, samples; 0: none. Default: that of the
    chemistry."""
    polya_mean: float | None = None
    """Mean length of the poly(A) tail, nucleotides; 0: none. Default: that of the chemistry, for DNA 0."""
    polya_sd: float = 25.0
    """SD of the length of the tail over reads, nucleotides."""

    def __post_init__(self) -> None:
        """Check ranges."""
        known = get_args(SimulatedChemistry)
        require(self.chemistry in known, f"chemistry: {self.chemistry!r}; choose one of {', '.join(known)}")
        require(
            1 <= self.bases_min <= self.bases_mean,
            f"bases_min: {self.bases_min}; must be 1 to bases_mean, {self.bases_mean}",
        )
        require_none_below(self, 1, "dwell_mean")
        require_none_below(self, 0.1, "dwell_shape")
        require_none_below(self, 0, "stall_rate", "stall_samples", "open_pore_samples", "adapter_samples")
        require_none_below(self, 0, "polya_mean", "polya_sd")
        require((self.stall_rate or 0) <= 1, f"stall_rate: {self.stall_rate}; must be 0 to 1")


@dataclass(frozen=True)
class SquiggleConfig:
    """Simulate squiggles from a pore model and sequences, each given or random. Units: bases, pA, samples."""

    molecule: MoleculeConfig = group(MoleculeConfig)
    pore: PoreConfig = group(PoreConfig)
    sample_rate_hz: float | None = None
    """Sample rate, Hz; default: that of the chemistry (4000; RNA001 and RNA002: 3012)."""
    noise_pa: float = 2.7
    """SD of the noise within an event, pA, unless the table contains it."""
    noise_spread: float = 0.5
    """Variation of that SD between events: SD of its logarithm, unless the table contains it."""
    noise_correlation: float = 0.5
    """Correlation of the noise of neighbouring samples, 0 to `noise_memory`: the noise of a pore is not white."""
    noise_memory: float = 0.7
    """Factor, 0 to 1, by which that correlation falls with each further sample."""
    spill: float = 0.13
    """Share of a sample's level, under 0.5, that appears in each of its neighbours: steps are not perfectly sharp."""
    drift_pa: float = 3.0
    """SD of the slow drift over a read, pA."""
    shift_pa: float = 4.0
    """SD over reads of an offset of all levels, pA."""
    scale_sd: float = 0.04
    """SD over reads of a factor on all levels."""

    def __post_init__(self) -> None:
        """Check ranges."""
        require(self.sample_rate_hz is None or self.sample_rate_hz > 0, "sample_rate_hz: must be positive")
        require_none_below(self, 0, "noise_pa", "noise_spread", "drift_pa", "shift_pa", "scale_sd")
        require(self.scale_sd < 0.2, f"scale_sd: {self.scale_sd}; must be 0 to under 0.2")
        require(0 <= self.noise_memory < 1, f"noise_memory: {self.noise_memory}; must be 0 to under 1")
        require(
            0 <= self.noise_correlation <= self.noise_memory,
            f"noise_correlation: {self.noise_correlation}; must be 0 to noise_memory, {self.noise_memory}",
        )
        require(0 <= self.spill < 0.5, f"spill: {self.spill}; must be 0 to under 0.5")
