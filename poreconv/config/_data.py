"""Settings of reading signal files and labels, and of preparing a store."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from poreconv.config._base import WorkConfig, group, require
from poreconv.config._presets import PRESETS


@dataclass(frozen=True)
class SourceConfig:
    """How label sources are read."""

    outside: str = "unknown"
    """Class of the samples without a label: those outside all intervals of a read (source `intervals`), in a window
    without a capture (source `captures`), or of bases that are not sites (source `bed_modified`). `unknown`: they are
    ignored; or the name of a class, such as `background`."""
    overlaps: Literal["error", "first", "last"] = "error"
    """What becomes of samples in several intervals of a read (source `intervals`). `error`: the read is dropped;
    `first`, `last`: they belong to the interval whose row is the first, or the last, in the table, and what is left of
    the others stays theirs."""
    move_margin: bool = False
    """Ignore one stride of samples on each side of each move, since moves are accurate to about one stride (sources
    `bam_moves`, `fast5_moves`, and `bed_modified` with moves). For the tasks `base` and `segment` only: task
    `boundary` would have no boundary left."""

    def __post_init__(self) -> None:
        """Check the rule."""
        require(
            self.overlaps in {"error", "first", "last"},
            f"overlaps: {self.overlaps!r}; choose one of error, first, last",
        )


@dataclass(frozen=True)
class SplitConfig:
    """Which reads train, validate and test; decided by a hash, so that the same read is always in the same split."""

    by: Literal["read", "run", "channel", "reference"] = "read"
    """Reads that are in the same split: `read`: each read on its own; `run`: all reads of a sequencing run; `channel`:
    all reads of a channel in a run; `reference`: all reads aligned to one reference sequence (needs `--read_info`)."""
    validation: float = 0.1
    """Share of the reads, 0 to 1, on which training chooses the checkpoint and the decoding threshold."""
    test: float = 0.2
    """Share of the reads, 0 to 1, that training does not use at all; `evaluate` judges a model on them."""
    seed: int = 0
    """Seed of the hash; another seed gives another split."""

    def __post_init__(self) -> None:
        """Check the rule and the shares."""
        require(
            self.by in {"read", "run", "channel", "reference"},
            f"split.by: {self.by!r}; choose one of read, run, channel, reference",
        )
        require(
            0 <= self.validation < 1 and 0 <= self.test <= 1,
            f"split: validation {self.validation}, test {self.test}; must be 0 to 1",
        )
        require(
            self.validation + self.test <= 1,
            f"split: validation {self.validation} and test {self.test} together exceed 1; lower one",
        )


@dataclass(frozen=True)
class FilesConfig:
    """How signal files are read."""

    skip_bad_files: bool = False
    """Skip files that cannot be read, and list them in the drop ledger, instead of stopping with an error."""
    read_ids: Path | None = None
    """Text file with the ids of the reads to use, one per line; the others are counted as `not_asked`. Default: all
    reads."""
    limit: int | None = None
    """Number of reads to use, the first ones in file order (of those in `read_ids`), to try a large run on a few; files
    after the last of them are not opened. Default: all reads."""

    def __post_init__(self) -> None:
        """Check the limit."""
        require(self.limit is None or self.limit >= 1, f"limit: {self.limit}; must be 1 or more")


@dataclass(frozen=True)
class FilterConfig:
    """Which reads are kept; the others are dropped and counted in the drop ledger."""

    min_samples: int = 0
    """Length of the shortest read that is kept, samples."""
    max_samples: int | None = None
    """Length of the longest read that is kept, samples; default: any length."""
    min_labelled: float = 0.0
    """Smallest share of a read's samples, 0 to 1, that its labels must cover."""
    min_quality: float = 0.0
    """Smallest mean quality of a read's basecall that is kept, Phred; needs `--read_info`. 0: any."""

    def __post_init__(self) -> None:
        """Check ranges."""
        require(self.min_quality >= 0, f"filter.min_quality: {self.min_quality}; must not be negative")
        require(0 <= self.min_labelled <= 1, f"filter.min_labelled: {self.min_labelled}; must be 0 to 1")
        longest = self.max_samples is None or self.max_samples >= self.min_samples
        message = f"filter: min_samples {self.min_samples}; must not be negative, nor exceed max_samples"
        require(self.min_samples >= 0 and longest, message)


@dataclass(frozen=True)
class TruthConfig:
    """What is taken as the truth."""

    truth_name: str = ""
    """What the labels are, in words, such as "f5c 1.6 resquiggle"; store, model and its card name it. Default: the
    names of the label sources."""
    agreement_samples: int | None = None
    """With several label sources: use only what all of them agree on. For task `boundary` this is the largest distance
    between two boundaries that agree, samples; for other tasks the classes must be equal. Samples on which the sources
    disagree are ignored, and a read is dropped unless every source has a label for it. Default: the first source that
    has a label for a read is used."""

    def __post_init__(self) -> None:
        """Check the range."""
        require(not self.truth_name or self.truth_name.isprintable(), f"truth_name: {self.truth_name!r}; give one line")
        tolerance = self.agreement_samples
        require(tolerance is None or tolerance >= 0, f"agreement_samples: {tolerance}; must not be negative")


@dataclass(frozen=True)
class PrepareConfig:
    """How reads and labels become a store."""

    task: str = PRESETS["boundaries"].task
    """What the model is to predict for every sample, or for the whole read."""
    resample_hz: float | None = None
    """Resample reads and labels to this sample rate, Hz, so that reads of different rates can train together; the
    trained model resamples the reads that it labels in the same way. Default: reads keep their own rate."""
    split: SplitConfig = field(default_factory=SplitConfig)
    filter: FilterConfig = field(default_factory=FilterConfig)
    truth: TruthConfig = group(TruthConfig)
    sources: SourceConfig = group(SourceConfig)
    files: FilesConfig = group(FilesConfig)
    work: WorkConfig = group(WorkConfig)

    def __post_init__(self) -> None:
        """Check the rate."""
        require(self.resample_hz is None or self.resample_hz > 0, f"resample_hz: {self.resample_hz}; must be positive")


@dataclass(frozen=True)
class ConvertConfig:
    """In which coordinates events are written, and how signal files and their labels are read."""

    coordinates: Literal["signal", "reference"] = "signal"
    """Coordinates of the table. `signal`: samples of the reads; `reference`: also places on the reference, by
    `--alignments`: a row per event whose called base is aligned, in the columns of eventalign, as .tsv or .parquet."""
    sort: Literal["read", "position"] = "read"
    """Order of the rows in reference coordinates. `read`: read by read, in signal order; `position`: by place on the
    reference, for which all rows are in memory, about 150 bytes each."""
    k: int = 5
    """Length of the k-mers in reference coordinates, odd; the event's own base is in the middle."""
    sources: SourceConfig = group(SourceConfig)
    files: FilesConfig = group(FilesConfig)
    work: WorkConfig = group(WorkConfig)

    def __post_init__(self) -> None:
        """Check that the settings fit each other."""
        for name, choices in (("coordinates", ("signal", "reference")), ("sort", ("read", "position"))):
            value = getattr(self, name)
            require(value in choices, f"{name}: {value!r}; choose one of {', '.join(choices)}")
        require(self.k >= 1 and self.k % 2 == 1, f"k: {self.k}; must be positive and odd")
        placed = self.coordinates == "reference" or self.sort == "read"
        require(placed, "sort position: events have places only in reference coordinates; give --coordinates reference")


@dataclass(frozen=True)
class CompareConfig:
    """How the levels of two conditions are compared."""

    min_reads: int = 10
    """Smallest number of reads that each condition needs at a position; others are left out."""
    levels: Literal["centred", "measured"] = "centred"
    """Levels that are compared. `centred`: each read's median level is brought to that of all events, since the
    current of a pore differs from channel to channel and from run to run; `measured`: pA as they are."""
    region: str = ""
    """Region that is drawn, `contig:from-to`, positions from 0. Default: around the position that differs most."""

    def __post_init__(self) -> None:
        """Check ranges."""
        require(self.min_reads >= 1, f"min_reads: {self.min_reads}; must be positive")
        known = self.levels in {"centred", "measured"}
        require(known, f"levels: {self.levels!r}; choose one of centred, measured")


@dataclass(frozen=True)
class KmersConfig:
    """How signal files and their labels are read, by one process."""

    sources: SourceConfig = group(SourceConfig)
    files: FilesConfig = group(FilesConfig)


@dataclass(frozen=True)
class RefineConfig:
    """How coarse boundaries are moved to the steps of the current."""

    band_dwells: float = 6.0
    """Largest distance by which a boundary may move in one pass, in mean dwells of the read: 60 samples in R10.4.1 at
    4 kHz, 190 in RNA004, whose moves are 46 samples off."""
    passes: int = 8
    """Most passes; between passes the read's scale is fitted again. The last is the one that moves no boundary."""
    min_dwell: int | None = None
    """Length of the shortest event, samples; default: 2 in DNA, 4 in RNA."""
    step_reward: float = 5.0
    """Reward of a boundary at a step of the current, in units of log-likelihood; 0: levels alone decide."""
    min_quality: float = 0.9
    """Smallest correlation, 0 to 1, of a read's events with their levels; reads below it are dropped."""
    sources: SourceConfig = group(SourceConfig)
    files: FilesConfig = group(FilesConfig)
    work: WorkConfig = group(WorkConfig)

    def __post_init__(self) -> None:
        """Check ranges."""
        require(self.band_dwells > 0, f"band_dwells: {self.band_dwells}; must be positive")
        require(self.passes >= 1, f"passes: {self.passes}; must be positive")
        require(self.min_dwell is None or self.min_dwell >= 1, f"min_dwell: {self.min_dwell}; must be positive")
        require(self.step_reward >= 0, f"step_reward: {self.step_reward}; must not be negative")
        require(0 <= self.min_quality <= 1, f"min_quality: {self.min_quality}; must be 0 to 1")
