"""Measure `poreconv label`: beside the bare forward pass, at 1, 4 and 16 times the reads, and on one short read.

Usage: python -m scripts.studies.bench_label [--times 1 4 16] [--json bench_label.json]

The command and the bare forward pass take turns, each on all cores, start-up and the written table included in the
command's time. From the time of more and of fewer reads follows what each further read costs; peak memory is that of
all processes together.
"""

import multiprocessing
import statistics
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain, pairwise
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from poreconv.inference.backends import Backend
from poreconv.inference.labeller import Labeller, load
from poreconv.reads.readers import open_reads
from poreconv.runtime.executors import cores
from scripts.studies.bench_inputs import BEST, FAST, RATE, TIMES, Inputs
from scripts.studies.processes import Cost, run
from scripts.studies.results import Measurement, print_measurements, study_parser, write_results

# N chunks, T samples

WARMED_BY = 20
"""Batches that go through a network before it is timed."""

START_UPS = 5


class _Recorder:
    """A backend that keeps the batches that it is given, and returns zeros."""

    def __init__(self, backend: Backend) -> None:
        self.size, self.usual_rows, self.most_rows = backend.size, backend.usual_rows, backend.most_rows
        self.batches: list[NDArray[np.float32]] = []

    def __call__(self, x_NT: NDArray[np.float32]) -> NDArray[np.float32]:
        self.batches.append(x_NT)
        return np.zeros((len(x_NT), 2, x_NT.shape[1]), np.float32)


def _forward(model: str, path: Path, share: int, turn: Any, measured: Any) -> None:
    """One process's share of the bare forward pass, each time that it is its turn: every batch that labelling makes."""
    labeller = load(model, threads=1)
    recorder = _Recorder(labeller.backend)
    with open_reads(path) as reads:
        mine = (read for number, read in enumerate(reads) if number % cores() == share)
        for _ in Labeller(cast(Backend, recorder), labeller.recipe, labeller.config).with_probabilities(mine):
            pass
    for x_NT in recorder.batches[:WARMED_BY]:
        labeller.backend(x_NT)
    while True:
        turn.wait()
        started = time.perf_counter()
        for x_NT in recorder.batches:
            labeller.backend(x_NT)
        measured.put(time.perf_counter() - started)
        turn.wait()


class _BarePass:
    """The bare forward pass on all cores: one process on each, of one thread, as `label` has it."""

    def __init__(self, model: str, path: Path) -> None:
        spawn = multiprocessing.get_context("spawn")
        self._turn, self._measured = spawn.Barrier(cores() + 1), spawn.Queue()
        self._processes = [
            spawn.Process(target=_forward, args=(model, path, share, self._turn, self._measured), daemon=True)
            for share in range(cores())
        ]
        for process in self._processes:
            process.start()

    def seconds(self) -> float:
        """Seconds of one pass: the slowest process's."""
        self._turn.wait()
        longest = max(self._measured.get() for _ in range(cores()))
        self._turn.wait()
        return float(longest)

    def close(self) -> None:
        """End the processes."""
        for process in self._processes:
            process.kill()


def measure(inputs: Inputs, times: Sequence[int] = TIMES) -> Iterator[Measurement]:
    """Measure both models beside their bare forward passes, and what further reads cost.

    Args:
        inputs: Reads.
        times: How many copies of them are labelled, ascending, two numbers or more.
    """
    return chain(
        _model(inputs, BEST, times, pairs=2, least_ratio=">= 0.85"),
        _model(inputs, FAST, times, pairs=5, least_ratio=">= 0.6", least_rate=">= 2.56"),
    )


def _model(
    inputs: Inputs, model: str, times: Sequence[int], pairs: int, least_ratio: str, least_rate: str = ""
) -> Iterator[Measurement]:
    few = {n: [_label(model, inputs.file(n, ".pod5")) for _ in range(4)] for n in times[:-1]}
    for suffix in (".pod5", ".fast5"):
        whole, forward_s = _beside_bare_pass(model, inputs.file(times[-1], suffix), pairs)
        ratio = statistics.median(bare_s / cost.seconds for cost, bare_s in zip(whole, forward_s, strict=True))
        rate = inputs.n_samples(times[-1]) / min(cost.seconds for cost in whole) / 1e6
        what = f"{model}, {suffix}, {times[-1]} x the reads"
        yield Measurement(f"{what}: bare forward pass / label, all of it", ratio, "", least_ratio)
        yield Measurement(f"{what}: label, all {cores()} cores", rate, RATE, least_rate)
        if suffix == ".pod5":
            yield from _growth(inputs, model, few | {times[-1]: whole})


def _beside_bare_pass(model: str, path: Path, pairs: int) -> tuple[list[Cost], list[float]]:
    """`label` and the bare forward pass in turns: what the one took, and seconds of the other."""
    bare = _BarePass(model, path)
    try:
        measured = [(_label(model, path), bare.seconds()) for _ in range(pairs)]
    finally:
        bare.close()
    return [whole for whole, _ in measured], [forward_s for _, forward_s in measured]


def _growth(inputs: Inputs, model: str, costs: Mapping[int, Sequence[Cost]]) -> Iterator[Measurement]:
    """What further reads cost, which is what reads cost once start-up is taken off; and peak memory."""
    best = {times: min(cost.seconds for cost in some) for times, some in costs.items()}
    for fewer, more in pairwise(costs):
        each = 1000 * (best[more] - best[fewer]) / ((more - fewer) * len(inputs.reads))
        yield Measurement(f"{model}: label, each read from {fewer} x to {more} x the reads", each, "ms", "the same")
    for times, some in costs.items():
        peak = max(cost.together_mb for cost in some)
        yield Measurement(f"{model}: label, {times} x the reads: peak memory, all processes", peak, "MB", "< 1500")


def measure_start(inputs: Inputs) -> Iterator[Measurement]:
    """Measure the time until one short read is labelled and written: the median of some.

    Args:
        inputs: Reads.
    """
    for model in (BEST, FAST):
        start_s = statistics.median(_label(model, inputs.shortest_file()).seconds for _ in range(START_UPS))
        yield Measurement(f"{model}: label, one short read, from the command to the table", start_s, "s", "< 3")


def _label(model: str, path: Path) -> Cost:
    out = path.with_name(f"{uuid.uuid4()}.parquet")
    cost = run("label", model, str(path), "--out", str(out))
    out.unlink()
    return cost


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, print and write.

    Args:
        arguments: Of the command line; default: those of this process.
    """
    parser = study_parser("bench_label", __doc__)
    parser.add_argument("--times", type=int, nargs="+", default=TIMES, help="copies of the reads; default: 1 4 16")
    chosen = parser.parse_args(arguments)
    with Inputs.temporary() as inputs:
        write_results(chosen, print_measurements(chain(measure_start(inputs), measure(inputs, chosen.times))))


if __name__ == "__main__":
    main()
