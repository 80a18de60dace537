"""Time how fast squiggles are simulated, beside how fast `open_reads` reads them back from a fast5.

Usage: python -m scripts.studies.bench_simulate [READS] [--json bench_simulate.json]

One process; set-up (pore model, compiled loop, files opened) is not timed. Prints, for some settings, million samples
per second of CPU time: simulated, and read; the best of a few rounds, in turn.
"""

import time
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory

from poreconv.config import MoleculeConfig, PoreConfig, SimulateConfig, SquiggleConfig
from poreconv.reads.read import Read
from poreconv.reads.readers import open_reads
from poreconv.reads.readers.writing import write_reads
from poreconv.simulate.squiggle import simulate
from scripts.studies.results import Measurement, print_measurements, study_parser, write_results

R10, RNA = MoleculeConfig(chemistry="dna_r10.4.1"), MoleculeConfig(chemistry="rna002", open_pore_samples=100)
SETTINGS = {
    "R9.4.1 DNA, 2,000 bases": SquiggleConfig(),
    "R9.4.1 DNA, 20,000 bases": SquiggleConfig(molecule=MoleculeConfig(bases_mean=20_000)),
    "R10.4.1 DNA, 9-mers": SquiggleConfig(molecule=R10, pore=PoreConfig(k=9)),
    "RNA002": SquiggleConfig(molecule=RNA),
}
ROUNDS = 5
UNIT = "million samples/s"


def measure(n_reads: int) -> Iterator[Measurement]:
    """Measure how fast reads are simulated and read back, for each of the settings.

    Args:
        n_reads: Reads of each, two or more.
    """
    with TemporaryDirectory() as folder:
        for number, (name, config) in enumerate(SETTINGS.items()):
            path = Path(folder) / f"{number}.fast5"
            write_reads(path, _simulated(config, n_reads))
            rounds = []
            for _ in range(ROUNDS):
                with open_reads(path) as stored:
                    rounds.append((_speed(_simulated(config, n_reads)), _speed(islice(stored, n_reads))))
            simulating, reading = (max(column) for column in zip(*rounds, strict=True))
            yield Measurement(f"{name}, simulated", simulating, UNIT)
            yield Measurement(f"{name}, read", reading, UNIT)


def _simulated(config: SquiggleConfig, n_reads: int) -> Iterator[Read]:
    """Reads one by one; the truth beside them is made and dropped."""
    return (made.read for made in simulate(SimulateConfig(n_reads), config))


def _speed(reads: Iterable[Read]) -> float:
    """Million samples per second of CPU time, without the first read's."""
    stream = iter(reads)
    next(stream)
    start = time.process_time()
    samples = sum(len(read.adc) for read in stream)
    return samples / (time.process_time() - start) / 1e6


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, print and write.

    Args:
        arguments: Of the command line; default: those of this process.
    """
    parser = study_parser("bench_simulate", __doc__)
    parser.add_argument("reads", type=int, nargs="?", default=200, metavar="READS", help="reads of each; default: 200")
    chosen = parser.parse_args(arguments)
    write_results(chosen, print_measurements(measure(chosen.reads)))


if __name__ == "__main__":
    main()
