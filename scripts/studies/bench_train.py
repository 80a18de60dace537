"""Time `poreconv train` against a bare PyTorch loop: same network, batch, precision and loss, data already in memory.

Usage: python -m scripts.studies.bench_train [STORE...] [--rounds 4] [--steps 40] [--json bench_train.json]

Without a store, it simulates one. The two run alternately, a few rounds; printed are the medians over all steps of
each, and how much of a step is gathering the batch.
"""

import statistics
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeVar

import lightning as L
import torch

from poreconv.commands.simulate import simulate
from poreconv.config import SimulateConfig, SquiggleConfig, TrainConfig
from poreconv.dataset.prepare import prepare
from poreconv.dataset.store import open_stores
from poreconv.training.run import TrainingRun
from poreconv.training.trainer import memory_kept, quiet, uses_bf16
from scripts.studies.results import Measurement, print_measurements, study_parser, write_results

T = TypeVar("T")

ROUNDS, STEPS = 4, 40
WARM_UP = 5
"""Steps of each round that are not counted."""


class _Clock(L.Callback):
    """When each step ended."""

    def __init__(self) -> None:
        self.ends: list[float] = []

    def on_train_batch_end(self, *_: object) -> None:
        self.ends.append(time.perf_counter())


@quiet()
def measure(paths: Sequence[Path] = (), rounds: int = ROUNDS, steps: int = STEPS) -> list[Measurement]:
    """Measure a step of `poreconv train` and of the bare loop.

    Args:
        paths: Stores; none: one is simulated.
        rounds: How often the two take turns.
        steps: Of each in a round, more than `WARM_UP` + 1.
    """
    config = TrainConfig(max_steps=steps, accelerator="cpu")
    ours, bare, gather = list[float](), list[float](), list[float]()
    with TemporaryDirectory() as folder:
        stores = list(paths) or [_simulated_store(Path(folder))]
        for i in range(rounds):
            ours += _steps_of_train(stores, Path(folder) / f"lightning{i}", config)
            seconds, gathering = _steps_of_bare_loop(stores, Path(folder) / f"bare{i}", config)
            bare += seconds
            gather += gathering
    ratio = statistics.median(bare) / statistics.median(ours)
    return [
        Measurement("poreconv train, a step", 1000 * statistics.median(ours), "ms"),
        Measurement("bare loop, a step", 1000 * statistics.median(bare), "ms"),
        Measurement("gathering a batch", 1000 * statistics.median(gather), "ms"),
        Measurement("poreconv train / bare loop, samples per second", ratio, "x", ">= 0.95"),
    ]


def _simulated_store(folder: Path) -> Path:
    simulate("squiggle", out=folder / "reads", common=SimulateConfig(reads=60), config=SquiggleConfig())
    events = [folder / "reads" / "events.tsv"]
    reads = [folder / "reads" / "reads.fast5"]
    return prepare(reads, labels="intervals", labels_from=events, out=folder / "store").path


def _steps_of_train(stores: Sequence[Path], out: Path, config: TrainConfig) -> list[float]:
    """Seconds of each step of poreconv's training."""
    run, clock = TrainingRun(open_stores(stores), out, "unet", None, config), _Clock()
    trainer = run.trainer(lambda *_: None)
    trainer.callbacks.append(clock)  # type: ignore[attr-defined]  # a connector sets it
    trainer.limit_val_batches = 1
    with memory_kept():
        trainer.fit(run.module, run.data)
    return _durations(clock.ends)


def _steps_of_bare_loop(stores: Sequence[Path], out: Path, config: TrainConfig) -> tuple[list[float], list[float]]:
    """Seconds of each step of a bare loop, and of gathering each of its batches beforehand."""
    run = TrainingRun(open_stores(stores), out, "unet", None, config)
    loader = iter(run.data.train_dataloader())
    batches, gathered = _timed_each(lambda: next(loader), config.max_steps)
    labeller, ends = run.module.train(), []
    optimiser = torch.optim.AdamW(labeller.parameters(), lr=config.learning_rate, weight_decay=config.weight_decay)
    for x_B1T, y_BT in batches:
        with torch.autocast("cpu", torch.bfloat16, enabled=uses_bf16(config)):
            loss = labeller.objective.loss(labeller(x_B1T), y_BT)
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]  # torch's
        torch.nn.utils.clip_grad_norm_(labeller.parameters(), config.gradient_clip)
        optimiser.step()
        ends.append(time.perf_counter())
    return _durations(ends), gathered


def _timed_each(make: Callable[[], T], n: int) -> tuple[list[T], list[float]]:
    """Several things, and the seconds that each took to make."""
    things, seconds = [], []
    for _ in range(n):
        start = time.perf_counter()
        things.append(make())
        seconds.append(time.perf_counter() - start)
    return things, seconds


def _durations(ends: Sequence[float]) -> list[float]:
    """Seconds of each step but the warm-up."""
    return [after - before for before, after in zip(ends[WARM_UP:-1], ends[WARM_UP + 1 :], strict=True)]


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, print and write.

    Args:
        arguments: Of the command line; default: those of this process.
    """
    parser = study_parser("bench_train", __doc__)
    parser.add_argument("stores", type=Path, nargs="*", metavar="STORE", help="to train on; default: one is simulated")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help=f"turns of the two; default: {ROUNDS}")
    parser.add_argument("--steps", type=int, default=STEPS, help=f"steps of each in a round; default: {STEPS}")
    chosen = parser.parse_args(arguments)
    write_results(chosen, print_measurements(measure(chosen.stores, chosen.rounds, chosen.steps)))


if __name__ == "__main__":
    main()
