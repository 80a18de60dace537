"""Settings of what goes into a store, and of labels."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from poreconv.config._base import Task, WorkConfig, group, require


@dataclass(frozen=True)
class SourceConfig:
    """How label sources are read."""

    outside: str = "unknown"
    """What the samples outside all intervals of a read (source `intervals`), in a window without a capture (source
    `captures`), or of bases that are no sites (source `bed_modified`), are: `unknown` (ignored), or the name of a
    class, such as `background`."""
    move_margin: bool = False
    """Whether one stride on each side of each move is ignored (sources `bam_moves`, `fast5_moves`, and `bed_modified`
    by moves), since a move is right to about one stride. For the tasks `base` and `segment`: no boundary is left for
    task `boundary`."""


@dataclass(frozen=True)
class SplitConfig:
    """Which reads train, validate and test: decided by a hash, so the same read always falls on the same side."""

    by: Literal["read", "run", "channel", "reference"] = "read"
    """What is kept together: each read, all reads of a run, all reads of a channel in a run, or all reads aligned to
    one reference sequence (`--read_info` tells it)."""
    validation: float = 0.1
    """Share of the reads that choose the checkpoint and the decoding threshold."""
    test: float = 0.2
    """Share of the reads that training never sees."""
    seed: int = 0
    """Another seed, another split."""

    def __post_init__(self) -> None:
        """Check the rule and the shares."""
        require(
            self.by in {"read", "run", "channel", "reference"},
            f"split.by: {self.by!r}; choose read, run, channel or reference",
        )
        require(0 <= self.validation < 1 and 0 <= self.test <= 1, "split: shares must lie in 0..1")
        require(self.validation + self.test <= 1, "split: validation and test together exceed 1")


@dataclass(frozen=True)
class FilesConfig:
    """How signal files are read."""

    skip_bad_files: bool = False
    """Pass over files that cannot be opened, and count them in the ledger, instead of stopping."""


@dataclass(frozen=True)
class FilterConfig:
    """Which reads are kept; the others are dropped by name."""

    min_samples: int = 0
    """Shortest read, samples."""
    max_samples: int | None = None
    """Longest read, samples."""
    min_labelled: float = 0.0
    """Least share of a read's samples that its labels cover, 0 to 1."""
    min_quality: float = 0.0
    """Least mean quality of a read's basecall, Phred (`--read_info` tells it); 0: any."""
    read_ids: Path | None = None
    """Text file of the reads to keep, one id per line."""

    def __post_init__(self) -> None:
        """Check ranges."""
        require(self.min_quality >= 0, f"filter.min_quality: {self.min_quality}; must not be negative")
        require(0 <= self.min_labelled <= 1, f"filter.min_labelled: {self.min_labelled}; must lie in 0..1")
        longest = self.max_samples is None or self.max_samples >= self.min_samples
        require(self.min_samples >= 0 and longest, "filter: min_samples must not be negative, nor exceed max_samples")


@dataclass(frozen=True)
class TruthConfig:
    """What labels must be to count as true."""

    agreement_samples: int | None = None
    """With several label sources: all must have a label for a read, and where they disagree samples are ignored:
    around boundaries that have no partner within so many samples (task `boundary`), or where classes differ. Default:
    the first source that has a label is believed."""

    def __post_init__(self) -> None:
        """Check the range."""
        tolerance = self.agreement_samples
        require(tolerance is None or tolerance >= 0, f"agreement_samples: {tolerance}; must not be negative")


@dataclass(frozen=True)
class PrepareConfig:
    """What becomes of reads and labels on the way into a store."""

    task: Task = "boundary"
    """What is asked of every sample: is it the first of an event (`boundary`), which class has it (`segment`), which
    base (`base`)? Or of the whole read: which class has it (`read`)?"""
    resample_hz: float | None = None
    """Bring reads and labels to this sample rate, Hz, so that reads of different rates train together; the trained
    model does the same with the reads that it labels."""
    split: SplitConfig = field(default_factory=SplitConfig)
    filter: FilterConfig = field(default_factory=FilterConfig)
    truth: TruthConfig = group(TruthConfig)
    sources: SourceConfig = group(SourceConfig)
    files: FilesConfig = group(FilesConfig)
    work: WorkConfig = group(WorkConfig)

    def __post_init__(self) -> None:
        """Check that something is left to learn."""
        require(self.resample_hz is None or self.resample_hz > 0, f"resample_hz: {self.resample_hz}; must be positive")
        hopeless = self.sources.move_margin and self.task == "boundary"
        require(
            not hopeless, "move_margin: leaves no boundary to learn; use task base, or make moves exact with refine"
        )


@dataclass(frozen=True)
class ConvertConfig:
    """How signal files and their labels are read."""

    sources: SourceConfig = group(SourceConfig)
    files: FilesConfig = group(FilesConfig)
    work: WorkConfig = group(WorkConfig)


@dataclass(frozen=True)
class KmersConfig:
    """How signal files and their labels are read, by one process."""

    sources: SourceConfig = group(SourceConfig)
    files: FilesConfig = group(FilesConfig)


@dataclass(frozen=True)
class RefineConfig:
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
    sources: SourceConfig = group(SourceConfig)
    files: FilesConfig = group(FilesConfig)
    work: WorkConfig = group(WorkConfig)

    def __post_init__(self) -> None:
        """Check ranges."""
        require(self.band >= 1 and self.passes >= 1, "band, passes: must be positive")
        require(self.min_dwell >= 1, f"min_dwell: {self.min_dwell}; must be positive")
        require(self.step_reward >= 0, f"step_reward: {self.step_reward}; must not be negative")
        require(0 <= self.min_quality <= 1, f"min_quality: {self.min_quality}; must be 0 to 1")
