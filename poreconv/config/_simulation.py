"""Settings of the simulators."""

from dataclasses import dataclass
from pathlib import Path
from typing import get_args

from poreconv.config._base import Chemistry, Written, group, require, require_none_below


@dataclass(frozen=True)
class SimulateConfig:
    """What every simulator needs."""

    reads: int = 100
    """How many reads."""
    seed: int = 0
    """The same seed gives the same reads."""
    format: Written = "fast5"
    """Signal format: fast5 (multi-read, VBZ), pod5, blow5, or its text form, slow5."""

    def __post_init__(self) -> None:
        """Check the counts and the format."""
        require(min(self.reads, self.seed) >= 0, f"reads: {self.reads}, seed: {self.seed}; must not be negative")
        formats = get_args(Written)
        require(self.format in formats, f"format: {self.format!r}; choose one of {', '.join(formats)}")


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
class PoreConfig:
    """Which current each k-mer gives. Units: pA."""

    pore_model: Path | None = None
    """Table of k-mer levels (nanopolish, f5c, ONT `levels`, uncalled4); what it tells of noise and dwells is used too.
    Default: a random pore."""
    turn_kmers: bool = False
    """Read the table's k-mers backwards: some tables of RNA name them in the signal's order, 3' to 5'."""
    k: int = 5
    """Bases that set one level of the random pore."""
    pore_seed: int = 0
    """Another seed, another random pore; reads of different `seed` come from the same pore."""
    level_mean_pa: float | None = None
    """Mean of the k-mer levels of the random pore, and of a table that is not in pA; default: the chemistry's."""
    level_sd_pa: float | None = None
    """SD of these levels; default: the chemistry's."""
    level_noise_pa: float = 1.0
    """SD of an event's level around its k-mer's, where the table does not tell."""

    def __post_init__(self) -> None:
        """Check ranges."""
        require(1 <= self.k <= 9, f"k: {self.k}; must be 1 to 9")
        require(self.pore_seed >= 0, f"pore_seed: {self.pore_seed}; must not be negative")
        require_none_below(self, 0, "level_sd_pa", "level_noise_pa")


@dataclass(frozen=True)
class MoleculeConfig:
    """What goes through the pore, and how fast. Units: bases, samples."""

    chemistry: Chemistry = "dna_r9.4.1"
    """What the reads say they are; RNA goes through the pore 3' to 5', its poly(A) tail first."""
    fasta: Path | None = None
    """Sequences, plain or gzip, from which reads are taken: of any place and, if DNA, of either strand. Default: random
    bases."""
    bases_mean: int = 2000
    """Mean read length, bases (gamma distributed, shape 3); a read ends where its sequence does."""
    bases_min: int = 200
    """Shortest read, bases."""
    dwell_mean: float | None = None
    """Mean samples per base, where the table does not tell; default: the chemistry's (R9.4.1: 450 bases per second)."""
    dwell_shape: float | None = None
    """Shape of the dwells' gamma distribution, where the table does not tell: larger is more regular; default: the
    chemistry's."""
    stall_rate: float | None = None
    """Share of the bases at which the motor stalls; default: the chemistry's."""
    stall_samples: float | None = None
    """Mean samples that a stall adds (exponentially distributed); default: the chemistry's."""
    open_pore_samples: int = 0
    """Mean length of the open pore's current before the molecule comes, samples; 0 for none."""
    adapter_samples: int | None = None
    """Mean length of the adapter before the first base or the tail, samples; 0 for none; default: the chemistry's."""
    polya_mean: float | None = None
    """Mean length of the poly(A) tail, nucleotides; 0 for none; default: the chemistry's, of DNA 0."""
    polya_sd: float = 25.0
    """SD of that length over reads."""

    def __post_init__(self) -> None:
        """Check ranges."""
        known = get_args(Chemistry)
        require(self.chemistry in known, f"chemistry: {self.chemistry!r}; choose one of {', '.join(known)}")
        require(1 <= self.bases_min <= self.bases_mean, "bases_min: must be positive and not exceed bases_mean")
        require_none_below(self, 1, "dwell_mean")
        require_none_below(self, 0.1, "dwell_shape")
        require_none_below(self, 0, "stall_rate", "stall_samples", "open_pore_samples", "adapter_samples")
        require_none_below(self, 0, "polya_mean", "polya_sd")
        require((self.stall_rate or 0) <= 1, f"stall_rate: {self.stall_rate}; must be 0 to 1")
        require(self.rna or not self.polya_mean, "polya_mean: tails are simulated of RNA; choose such a chemistry")

    @property
    def rna(self) -> bool:
        """Whether signal order is 3' to 5'."""
        return self.chemistry.startswith("rna")


@dataclass(frozen=True)
class SquiggleConfig:
    """Squiggles of a pore model, given or random, and of sequences, given or random. Units: bases, pA, samples."""

    molecule: MoleculeConfig = group(MoleculeConfig)
    pore: PoreConfig = group(PoreConfig)
    sample_rate_hz: float | None = None
    """Samples per second; default: the chemistry's (4000, or 3012 of RNA001 and RNA002)."""
    noise_pa: float = 2.7
    """SD of the noise within an event, where the table does not tell."""
    noise_spread: float = 0.5
    """How that SD differs from event to event, where the table does not tell: SD of its logarithm."""
    noise_correlation: float = 0.5
    """Correlation of the noise of neighbouring samples: the pore's noise is not white."""
    noise_memory: float = 0.7
    """Factor by which that correlation falls with each sample further on."""
    spill: float = 0.13
    """Share of a sample's level that stands in each of its neighbours: steps are not perfectly sharp."""
    drift_pa: float = 3.0
    """SD of the slow drift over a read."""
    shift_pa: float = 4.0
    """SD over reads of the shift of all levels."""
    scale_sd: float = 0.04
    """SD over reads of the factor on all levels."""

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
