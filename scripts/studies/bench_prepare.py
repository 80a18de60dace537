"""Compare the CPU time of `prepare`, in one process, with that of a bare h5py loop that decompresses the same signals.

Usage: python -m scripts.studies.bench_prepare [FAST5...] [--reads 400] [--json bench_prepare.json]

The files have Tombo's labels in them. Without files, it writes a multi-read VBZ fast5, each base labelled as Tombo
does, to a temporary folder. Prints the median over repetitions, all timed alternately, in multiples of a bare h5py
loop that reads what `prepare` must read: the signals, the attributes and the labels' tables.
"""

import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import h5py
import numpy as np

from poreconv.config import PrepareConfig, SourceConfig, WorkConfig
from poreconv.dataset.prepare import prepare
from poreconv.labels.opening import open_labels
from poreconv.reads.readers import open_reads
from poreconv.reads.readers.writing import write_reads
from scripts.studies.made_reads import DWELL, made_reads
from scripts.studies.results import Measurement, print_measurements, study_parser, write_results
from scripts.studies.timing import seconds

READS, REPETITIONS = 400, 7
GROUP = "RawGenomeCorrected_000"


def measure(paths: Sequence[Path] = (), n_reads: int = READS) -> Iterator[Measurement]:
    """Compare each step of `prepare` with the bare loop.

    Args:
        paths: Fast5 files after ``tombo resquiggle``; none: one is made.
        n_reads: Reads of the one that is made.
    """
    with TemporaryDirectory() as folder:
        yield from _ratios(list(paths) or [_made_file(Path(folder), n_reads)])


def _made_file(folder: Path, n_reads: int) -> Path:
    """A multi-read fast5 after ``tombo resquiggle``."""
    from ont_fast5_api.multi_fast5 import MultiFast5File  # warns when it is imported before poreconv

    path = folder / "reads.fast5"
    write_reads(path, made_reads(n_reads))
    with MultiFast5File(str(path), "a") as file:
        for read in file.get_reads():
            read.add_analysis("resquiggle", GROUP, {})
            read.add_analysis_subgroup(GROUP, "BaseCalled_template", {"status": "success", "rna": False})
            start = np.arange(0, len(read.get_raw_data()), DWELL)
            table = np.empty(len(start), dtype=[("start", "<u4"), ("length", "<u4"), ("base", "S1")])
            table["start"], table["length"], table["base"] = start, DWELL, b"G"
            template = read.handle[f"Analyses/{GROUP}/BaseCalled_template"]
            template.create_dataset("Events", data=table).attrs["read_start_rel_to_raw"] = 0
    return path


def _bare(paths: Sequence[Path]) -> None:
    """Signals, attributes and labels' tables with h5py alone."""
    for path in paths:
        with h5py.File(path, "r") as file:
            for group in _groups(file):
                raw, common = _raw_of(group), file.get("UniqueGlobalKey", group)
                raw["Signal"][()]
                dict(raw.attrs)
                for name in ("channel_id", "tracking_id", "context_tags"):
                    dict(common[name].attrs)
                events = group[f"Analyses/{GROUP}/BaseCalled_template/Events"]
                events[()]
                dict(events.attrs)


def _bare_signals(paths: Sequence[Path]) -> None:
    """Signals with h5py alone."""
    for path in paths:
        with h5py.File(path, "r") as file:
            for group in _groups(file):
                _raw_of(group)["Signal"][()]


def _groups(file: h5py.File) -> list[h5py.Group]:
    """Each read's group; of a single-read file, its root."""
    return [file] if "Raw" in file else list(file.values())


def _raw_of(group: h5py.Group) -> h5py.Group:
    """The group that holds a read's signal."""
    raw = group["Raw"]
    return raw if "Signal" in raw else next(iter(raw["Reads"].values()))


def _read(paths: Sequence[Path]) -> None:
    """Signals and attributes through poreconv."""
    with open_reads(paths) as reads:
        for _ in reads:
            pass


def _read_and_label(paths: Sequence[Path]) -> None:
    """Signals, attributes and labels through poreconv."""
    with closing(open_labels("tombo", [], SourceConfig())) as source, open_reads(paths) as reads:
        for read in reads:
            source.events(read)


def _prepare(paths: Sequence[Path]) -> None:
    """All of it."""
    with TemporaryDirectory() as folder:
        prepare(paths, labels="tombo", out=Path(folder) / "store", config=PrepareConfig(work=WorkConfig(workers=1)))


STEPS: dict[str, Callable[[Sequence[Path]], None]] = {
    "bare h5py": _bare,
    "bare h5py, signals only": _bare_signals,
    "open_reads": _read,
    "open_reads and labels": _read_and_label,
    "prepare": _prepare,
}
"""What is timed; all is compared with the first."""


def _ratios(paths: Sequence[Path]) -> Iterator[Measurement]:
    _bare(paths)  # the files are in the system's cache from here on
    rounds = [
        {name: seconds(partial(step, paths), time.process_time) for name, step in STEPS.items()}
        for _ in range(REPETITIONS)
    ]
    first = next(iter(STEPS))
    for name in STEPS:
        cpu_s = statistics.median(one[name] for one in rounds)
        ratio = statistics.median(one[name] / one[first] for one in rounds)
        yield Measurement(f"{name}, {cpu_s:.3f} s of CPU", ratio, "x bare")


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, print and write.

    Args:
        arguments: Of the command line; default: those of this process.
    """
    parser = study_parser("bench_prepare", __doc__)
    parser.add_argument("files", type=Path, nargs="*", metavar="FAST5", help="files with labels; default: one is made")
    parser.add_argument("--reads", type=int, default=READS, help=f"reads of the one that is made; default: {READS}")
    chosen = parser.parse_args(arguments)
    write_results(chosen, print_measurements(measure(chosen.files, chosen.reads)))


if __name__ == "__main__":
    main()
