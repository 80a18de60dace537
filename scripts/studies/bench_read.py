"""Time `open_reads` against the bare loops of h5py, pod5 and pyslow5 over the same signals and metadata.

Usage: python -m scripts.studies.bench_read [FILE...] [--reads 400] [--json bench_read.json]

Without files, it writes reads as fast5, POD5, BLOW5 and SLOW5 to a temporary folder. Prints, for each file, medians
over repetitions of (open_reads / bare loop), the two timed alternately: all reads in sequence, and all by read id in
random order, from files that are open and whose ids are known. pod5 is timed with and without its preloading, and the
faster of the two counts.
"""

import random
import statistics
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple, Protocol

import h5py
import pod5
import pyslow5

from poreconv.reads.readers import format_of, open_reads
from poreconv.reads.readers.slow5 import AUXILIARY
from poreconv.reads.readers.writing import write_reads
from scripts.studies.made_reads import made_reads
from scripts.studies.results import Measurement, print_measurements, study_parser, write_results
from scripts.studies.timing import seconds

READS, REPETITIONS = 400, 9
RAW = ("read_id", "start_mux", "read_number", "start_time", "end_reason", "median_before")
CHANNEL = ("offset", "range", "digitisation", "sampling_rate", "channel_number")
TRACKING = ("run_id", "flow_cell_product_code")
CONTEXT = ("sequencing_kit", "experiment_type", "flowcell_type")


class Bare(Protocol):
    """A file opened with one library alone."""

    def sequence(self) -> int:
        """Read everything in the file's order; returns the number of samples."""
        ...

    def one(self, read_id: str) -> int:
        """Read one read; returns its number of samples."""
        ...

    def close(self) -> None:
        """Close the file."""
        ...


class H5py:
    """Reading with h5py alone; needs to know whether a file is of single or of several reads."""

    def __init__(self, path: Path) -> None:
        self.file = h5py.File(path, "r")
        self.single = "UniqueGlobalKey" in self.file

    def sequence(self) -> int:
        """Read everything in the file's order."""
        if self.single:
            return sum(self._fields(raw, self.file["UniqueGlobalKey"]) for raw in self.file["Raw/Reads"].values())
        return sum(self.one(name) for name in self.file)

    def one(self, read_id: str) -> int:
        """Read one read."""
        if self.single:
            return self.sequence()
        group = self.file[read_id if read_id.startswith("read_") else f"read_{read_id}"]
        return self._fields(group["Raw"], group)

    def _fields(self, raw: h5py.Group, common: h5py.Group) -> int:
        samples = len(raw["Signal"][()])
        places = (raw, RAW), (common["channel_id"], CHANNEL), (common["tracking_id"], TRACKING)
        for group, wanted in (*places, (common["context_tags"], CONTEXT)):
            _ = {key: group.attrs[key] for key in wanted if key in group.attrs}
        return samples

    def close(self) -> None:
        """Close the file."""
        self.file.close()


class Pod5:
    """Reading with pod5 alone."""

    preload: frozenset[str] | None = None

    def __init__(self, path: Path) -> None:
        self.file = pod5.Reader(path)

    def sequence(self) -> int:
        """Read everything in the file's order."""
        return sum(self._fields(read) for read in self.file.reads(preload=self.preload))

    def one(self, read_id: str) -> int:
        """Read one read."""
        return sum(self._fields(read) for read in self.file.reads(selection=[read_id], preload=self.preload))

    def _fields(self, read: pod5.ReadRecord) -> int:
        run = read.run_info
        _ = (str(read.read_id), read.read_number, read.start_sample, read.median_before, read.pore, read.calibration)
        _ = (read.end_reason.name, run.sample_rate, run.acquisition_id, run.flow_cell_product_code, run.sequencing_kit)
        run.context_tags.get("experiment_type")
        return len(read.signal)

    def close(self) -> None:
        """Close the file."""
        self.file.close()


class Pod5Preloading(Pod5):
    """Reading with pod5 alone, signals of whole batches ahead."""

    preload = frozenset({"samples"})


class Pyslow5:
    """Reading with pyslow5 alone; its index is there already."""

    def __init__(self, path: Path) -> None:
        self.file = pyslow5.Open(str(path), "r")
        self.auxiliary = [name for name in AUXILIARY if name in self.file.get_aux_names()]

    def sequence(self) -> int:
        """Read everything in the file's order."""
        return sum(len(record["signal"]) for record in self.file.seq_reads(aux=self.auxiliary))

    def one(self, read_id: str) -> int:
        """Read one read."""
        return len(self.file.get_read(read_id, aux=self.auxiliary)["signal"])

    def close(self) -> None:
        """Close the file, which pyslow5 does when nobody holds it."""
        del self.file


BARE: dict[str, list[Callable[[Path], Bare]]] = {
    ".fast5": [H5py],
    ".pod5": [Pod5, Pod5Preloading],
    ".blow5": [Pyslow5],
    ".slow5": [Pyslow5],
}
"""Format -> the ways to read it without poreconv."""


class Ratio(NamedTuple):
    """How two loops compare."""

    ours_over_bare: float
    """Median over repetitions."""
    ours_s: float
    """Best time."""
    bare_s: float


def measure(paths: Sequence[Path] = (), n_reads: int = READS) -> Iterator[Measurement]:
    """Compare each file's two ways of reading with the bare loops.

    Args:
        paths: Signal files; none: one of each format is made.
        n_reads: Reads of those that are made.
    """
    for path in paths:
        with _beside_an_index(path) as link:
            yield from _ratios(link)
    if not paths:
        with TemporaryDirectory() as folder:
            for suffix in BARE:
                path = Path(folder) / f"made{suffix}"
                write_reads(path, made_reads(n_reads))
                yield from _ratios(path)


@contextmanager
def _beside_an_index(path: Path) -> Iterator[Path]:
    """A SLOW5 or BLOW5 in a folder where pyslow5 may write its index."""
    with TemporaryDirectory() as folder:
        link = Path(folder) / path.name
        link.symlink_to(path.resolve())
        yield link


def _ratios(path: Path) -> Iterator[Measurement]:
    for what, compare, bar in (("in sequence", _in_sequence, "<= 1.15"), ("by read id", _by_id, "<= 1.2")):
        against = {str(getattr(kind, "__name__", kind)): compare(path, kind) for kind in BARE[format_of(path)]}
        name, worst = max(against.items(), key=lambda item: item[1].ours_over_bare)
        yield Measurement(f"{path.name} {what}: open_reads / bare {name}", worst.ours_over_bare, "x", bar)


def _in_sequence(path: Path, kind: Callable[[Path], Bare]) -> Ratio:
    def ours() -> int:
        with open_reads(path) as reads:
            return sum(len(read.adc) for read in reads)

    def bare() -> int:
        with closing(kind(path)) as file:
            return file.sequence()

    return _ratio(ours, bare)


def _by_id(path: Path, kind: Callable[[Path], Bare]) -> Ratio:
    with closing(kind(path)) as file, open_reads(path) as reads:
        ids = reads.read_ids
        random.Random(0).shuffle(ids)
        return _ratio(lambda: sum(len(reads[one].adc) for one in ids), lambda: sum(file.one(one) for one in ids))


def _ratio(ours: Callable[[], int], bare: Callable[[], int]) -> Ratio:
    if ours() != bare():
        sys.exit("the two loops read different numbers of samples")
    pairs: list[tuple[float, float]] = [(seconds(ours), seconds(bare)) for _ in range(REPETITIONS)]
    return Ratio(statistics.median(a / b for a, b in pairs), min(a for a, _ in pairs), min(b for _, b in pairs))


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, print and write.

    Args:
        arguments: Of the command line; default: those of this process.
    """
    parser = study_parser("bench_read", __doc__)
    parser.add_argument("files", type=Path, nargs="*", metavar="FILE", help="signal files; default: some are made")
    parser.add_argument("--reads", type=int, default=READS, help=f"reads of those that are made; default: {READS}")
    chosen = parser.parse_args(arguments)
    write_results(chosen, print_measurements(measure(chosen.files, chosen.reads)))


if __name__ == "__main__":
    main()
