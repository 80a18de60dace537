"""Run label, evaluate, train, resume and export on a GPU and on the CPU, and compare: results, and speed.

Usage: python -m scripts.studies.check_gpu [--accelerator cuda] [--reads 80] [--json check_gpu.json]

Takes under four minutes. The reads are simulated, and the model of boundaries is the shipped one; nothing else is
needed. Prints what was compared, with what is expected of it, then the figures as JSON, and ends with exit code 1 where
something is not as expected. `--accelerator cpu` compares the CPU with itself, which tries the program.
"""

import json
import sys
import time
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeVar

import numpy as np
import pyarrow.parquet as pq
import torch

from poreconv.cli.terminal import print_line
from poreconv.commands.evaluate import evaluate
from poreconv.commands.export import export
from poreconv.commands.label import label
from poreconv.commands.simulate import simulate
from poreconv.commands.train import train
from poreconv.config import (
    EvaluateConfig,
    InferenceConfig,
    LabelConfig,
    Precision,
    PrepareConfig,
    SimulateConfig,
    SquiggleConfig,
    TrainConfig,
    WorkConfig,
)
from poreconv.dataset.prepare import prepare
from poreconv.dataset.store import Store
from poreconv.evaluation.result import MODEL
from poreconv.inference.backends import rows_for
from poreconv.inference.backends.pytorch import TorchBackend, default_device
from poreconv.inference.choosing import measured
from poreconv.models.architectures import Unet
from poreconv.models.bundle import load_bundle
from poreconv.models.networks.network import weights_of
from poreconv.training.run import TrainingRun
from scripts.studies.bench_inputs import BEST
from scripts.studies.results import study_parser, write_results

T = TypeVar("T")

CHUNK = 8000
"""Samples of a chunk."""

TRAINING = TrainConfig(max_steps=40, batch_size=16, chunk_samples=2000, validate_every=20, learning_rate=0.005)
NETWORK = Unet(channels=(16, 32, 48))
FAILS_AFTER = 30
"""Reports of progress after which the training fails that is resumed."""


@dataclass(frozen=True)
class Check:
    """Something compared."""

    what: str
    value: float
    least: float = -np.inf
    most: float = np.inf

    @property
    def fine(self) -> bool:
        """Whether the value is as expected; NaN is not."""
        return self.least <= self.value <= self.most

    def __str__(self) -> str:
        """Describe it in one line."""
        bounds = [f">= {self.least:g}"] if self.least > -np.inf else []
        bounds += [f"<= {self.most:g}"] if self.most < np.inf else []
        expected = f" (expected: {', '.join(bounds)})" if bounds else ""
        return f"{'' if self.fine else 'WRONG: '}{self.what}: {self.value:.5g}{expected}"


class Pair:
    """The two sides of the comparison, and what both are given.

    Args:
        accelerator: What is compared with the CPU.
        folder: Where files go; it exists.
        n_reads: Number of simulated reads.
    """

    def __init__(self, accelerator: str, folder: Path, n_reads: int) -> None:
        self.accelerator, self.folder = accelerator, folder
        reads = simulate(
            "squiggle", out=folder / "reads", common=SimulateConfig(n_reads, format="pod5"), config=SquiggleConfig()
        )
        self.signal, truth = reads / "reads.pod5", reads / "events.tsv"
        self.store = prepare(
            [self.signal], labels="intervals", labels_from=[truth], out=folder / "store", config=PrepareConfig()
        ).path
        self.n_samples = int(Store(self.store).length.sum())

    def inference(self, *, here: bool, precision: Precision = "32") -> InferenceConfig:
        """Settings of one side.

        Args:
            here: On the accelerator, else on the CPU.
            precision: Of the arithmetic.
        """
        return InferenceConfig(accelerator=self.accelerator if here else "cpu", precision=precision)

    def training(self, *, here: bool) -> TrainConfig:
        """Settings of a training.

        Args:
            here: On the accelerator, else on the CPU.
        """
        return replace(TRAINING, precision="32", accelerator=self.accelerator if here else "cpu")


def timed(work: Callable[[], T]) -> tuple[T, float]:
    """Do something; returns its result and the seconds that it took.

    Args:
        work: What is done.
    """
    started = time.perf_counter()
    return work(), time.perf_counter() - started


def checks(pair: Pair) -> Iterator[Check]:
    """Run everything on both sides.

    Args:
        pair: The two sides.
    """
    bare = _bare(pair)
    yield Check("network alone, float32: accelerator / one core", bare["here 32"] / bare["cpu 32"])
    yield Check("network alone: bf16 / float32, accelerator", bare["here bf16"] / bare["here 32"])
    yield from _labelling(pair, bare["here 32"])
    yield from _judging(pair, BEST, "shipped model")
    run = yield from _training(pair)
    yield from _judging(pair, str(run), "model trained there")
    yield from _exporting(pair, run)


def _bare(pair: Pair) -> dict[str, float]:
    """Samples per second of the network alone, each side with its own number of chunks."""
    network, _ = load_bundle(BEST)
    backends = {
        "cpu 32": TorchBackend(network, "32", "cpu", threads=1),
        "here 32": TorchBackend(network, "32", pair.accelerator, threads=1),
        "here bf16": TorchBackend(network, "bf16", pair.accelerator, threads=1),
    }
    rates = dict[str, float]()
    for name, backend in backends.items():
        rates |= measured({name: backend}, rows_for(backend, 0), CHUNK)
    return rates


def _labelling(pair: Pair, bare_rate: float) -> Iterator[Check]:
    def labelled(name: str, inference: InferenceConfig, workers: int = 0) -> tuple[Path, float]:
        out = pair.folder / f"{name}.parquet"
        config = LabelConfig(inference=inference, work=WorkConfig(workers))
        return out, timed(lambda: label(BEST, pair.signal, out=out, config=config))[1]

    on_cpu, cpu_s = labelled("cpu", pair.inference(here=False))
    here, here_s = labelled("here", pair.inference(here=True))
    alone, alone_s = labelled("alone", pair.inference(here=True), workers=1)
    again, _ = labelled("again", pair.inference(here=True))
    coarse, coarse_s = labelled("coarse", pair.inference(here=True, precision="bf16"))
    yield Check("label, float32: events that both have", _shared_events(on_cpu, here), least=0.999)
    yield Check("label, float32: largest difference of a score", _largest_difference(on_cpu, here), most=0.002)
    yield Check("label: events alike in one process and in several", _shared_events(here, alone), least=0.999)
    yield Check("label: the same table again", float(pq.read_table(here).equals(pq.read_table(again))), least=1)
    yield Check("label: events that bf16 there and float32 on the CPU both have", _shared_events(on_cpu, coarse), 0.95)
    yield Check("label, start-up included: time on all cores / on the accelerator", cpu_s / here_s)
    yield Check("label, start-up included: time in one process / in several, accelerator", alone_s / here_s)
    yield Check("label, start-up included: time in float32 / in bf16, accelerator", here_s / coarse_s)
    yield Check("label: share of the time that the accelerator is busy", pair.n_samples / bare_rate / here_s)


def _events(table: Path) -> dict[tuple[str, int, int], float]:
    columns = pq.read_table(table, columns=["read_id", "start", "end", "score"]).to_pydict()
    events = zip(columns["read_id"], columns["start"], columns["end"], strict=True)
    return dict(zip(events, columns["score"], strict=True))


def _shared_events(one: Path, other: Path) -> float:
    """The share of the events of two tables that is in both."""
    first, second = _events(one), _events(other)
    return len(first.keys() & second.keys()) / max(len(first.keys() | second.keys()), 1)


def _largest_difference(one: Path, other: Path) -> float:
    first, second = _events(one), _events(other)
    return max((abs(first[event] - second[event]) for event in first.keys() & second.keys()), default=np.nan)


def _judging(pair: Pair, model: str, name: str) -> Iterator[Check]:
    f1, took_s = dict[bool, float](), dict[bool, float]()
    for here in (False, True):
        config = EvaluateConfig(inference=pair.inference(here=here))
        result, took_s[here] = timed(partial(evaluate, model, pair.store, baselines=[], config=config))
        f1[here] = result.scores[MODEL]["f1_1"]
    yield Check(f"evaluate, {name}: F1 within 1 sample, CPU", f1[False])
    yield Check(f"evaluate, {name}: difference of F1", abs(f1[True] - f1[False]), most=1e-3)
    yield Check(f"evaluate, {name}: time on the CPU / on the accelerator", took_s[False] / took_s[True])


def _training(pair: Pair) -> Generator[Check, None, Path]:
    """Train on both sides, and once more with an end in the middle; returns the bundle of the accelerator."""

    def trained(name: str, *, here: bool) -> tuple[Path, float]:
        run = pair.folder / name
        config = pair.training(here=here)
        done, took_s = timed(
            lambda: train(pair.store, out=run, network="unet", settings=NETWORK, config=config, with_report=False)
        )
        return done.bundle, took_s

    on_cpu, cpu_s = trained("trained_cpu", here=False)
    bundle, here_s = trained("trained_here", here=True)
    _fail(pair, pair.folder / "resumed")
    resumed, _ = trained("resumed", here=True)
    yield Check("train: time on the CPU / on the accelerator", cpu_s / here_s)
    yield Check("train: F1 within 1 sample, accelerator / CPU", _f1(pair, bundle) / _f1(pair, on_cpu), 0.9, 1.1)
    yield Check("resume: largest difference of a weight from an undisturbed training", _apart(bundle, resumed))
    yield Check("resume: F1 / that of an undisturbed training", _f1(pair, resumed) / _f1(pair, bundle), 0.95, 1.05)
    return bundle


def _fail(pair: Pair, out: Path) -> None:
    """Train, and fail between two checkpoints."""
    reports = [None] * FAILS_AFTER
    run = TrainingRun([Store(pair.store)], out, "unet", NETWORK, pair.training(here=True))
    try:
        run.fit(lambda *_: reports.pop())
    except IndexError:
        return
    sys.exit(f"{out}: the training ended before it was to fail")


def _f1(pair: Pair, bundle: Path) -> float:
    config = EvaluateConfig(inference=pair.inference(here=False))
    return evaluate(bundle, pair.store, baselines=[], config=config).scores[MODEL]["f1_1"]


def _apart(one: Path, other: Path) -> float:
    first, second = (weights_of(load_bundle(bundle)[0]) for bundle in (one, other))
    return max(float((first[name] - second[name]).abs().max()) for name in first)


def _exporting(pair: Pair, bundle: Path) -> Iterator[Check]:
    exported = pair.folder / "exported.onnx"
    difference = export(bundle, out=exported)
    tables = {}
    for model in (bundle, exported):
        tables[model] = pair.folder / f"{model.stem}.events.parquet"
        accelerator = pair.accelerator if model == bundle else "cpu"  # ONNX Runtime has often no CUDA
        config = LabelConfig(inference=InferenceConfig(accelerator=accelerator, precision="32"))
        label(model, pair.signal, out=tables[model], config=config)
    yield Check("export: largest difference of a probability", difference.largest, most=1e-3)
    yield Check("export: events that both have", _shared_events(*tables.values()), least=0.999)


def print_checks(found: Iterable[Check]) -> list[Check]:
    """Print checks, each as it comes, and return them.

    Args:
        found: Taken one at a time.
    """
    printed = []
    for check in found:
        print_line(str(check))
        printed.append(check)
    return printed


def main(arguments: Sequence[str] | None = None) -> None:
    """Compare, print and write.

    Args:
        arguments: Of the command line; default: those of this process.

    Raises:
        SystemExit: Something is not as expected.
    """
    parser = study_parser("check_gpu", __doc__)
    parser.add_argument("--accelerator", default="cuda", help="what is compared with the CPU; default: cuda")
    parser.add_argument("--reads", type=int, default=80, help="number of simulated reads; default: 80")
    chosen = parser.parse_args(arguments)
    device = default_device(chosen.accelerator)
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else str(device)
    print_line(name)
    with TemporaryDirectory() as folder:
        found, took_s = timed(lambda: print_checks(checks(Pair(chosen.accelerator, Path(folder), chosen.reads))))
    figures = {check.what: check.value for check in found}
    print_line(json.dumps({"device": name, "seconds": round(took_s), "figures": figures}, indent=1))
    write_results(chosen, {"device": name, "seconds": took_s, "checks": found})
    wrong = [check.what for check in found if not check.fine]
    if wrong:
        sys.exit(f"{len(wrong)} of {len(found)} checks are wrong: {'; '.join(wrong)}")


if __name__ == "__main__":
    main()
