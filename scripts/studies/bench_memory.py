"""Measure the peak memory of `poreconv prepare` at 1, 10 and 100 times the reads.

Usage: python -m scripts.studies.bench_memory [READS] [--json bench_memory.json]

Simulates READS short reads (default 100,000) as POD5 with their events as TSV, and a tenth and a hundredth of them;
prepares each with `--labels intervals`. Prints, for each, the peak resident memory of the largest process, and the
time. Takes about ten minutes and 2 GB of the temporary folder.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from scripts.studies.processes import Cost, run
from scripts.studies.results import Measurement, print_measurements, study_parser, write_results

SHORT = ("--bases_mean", "100", "--bases_min", "50", "--adapter_samples", "100", "--format", "pod5")


def prepare_short(n_reads: int, folder: Path) -> Cost:
    """Simulate short reads and prepare them.

    Args:
        n_reads: How many.
        folder: Does not exist yet; holds the reads and the store afterwards.

    Returns:
        What `poreconv prepare` took.
    """
    run("simulate", "squiggle", "--reads", str(n_reads), *SHORT, "--out", str(folder))
    labels = ("--labels", "intervals", "--labels_from", str(folder / "events.tsv"))
    return run("prepare", str(folder), *labels, "--out", str(folder / "store"))


def measure(most_reads: int) -> Iterator[Measurement]:
    """Measure memory and time at 1, 10 and 100 times the reads.

    Args:
        most_reads: Reads of the last.
    """
    with TemporaryDirectory() as folder:
        for n_reads in (most_reads // 100, most_reads // 10, most_reads):
            cost = prepare_short(n_reads, Path(folder) / str(n_reads))
            what = f"prepare, {n_reads:,} reads"
            yield Measurement(f"{what}: peak memory of the largest process", cost.largest_mb, "MB")
            yield Measurement(f"{what}: time, start-up included", cost.seconds, "s")


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, print and write.

    Args:
        arguments: Of the command line; default: those of this process.
    """
    parser = study_parser("bench_memory", __doc__)
    parser.add_argument("reads", type=int, nargs="?", default=100_000, metavar="READS", help="reads of the last store")
    chosen = parser.parse_args(arguments)
    write_results(chosen, print_measurements(measure(chosen.reads)))


if __name__ == "__main__":
    main()
