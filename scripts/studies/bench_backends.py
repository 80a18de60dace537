"""Measure every backend and precision on one core, and what `auto` takes among them, start-up counted.

Usage: python -m scripts.studies.bench_backends [--models MODEL...] [--json bench_backends.json]

Each way is opened once, which gives its start-up: load, export or compile, and the first chunks. Then all take turns;
the fastest turn counts.
Of `auto`, with an empty cache, for amounts of work that take the fastest way so many seconds: the way that it takes,
how long choosing takes (loading, measuring, an export), and how its time compares with that of the best way, start-ups
counted. Compiling takes up to a minute for each model and precision.
"""

import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from tempfile import TemporaryDirectory

from poreconv.cli.terminal import print_line
from poreconv.config import InferenceConfig
from poreconv.inference.backends import BACKENDS, Backend
from poreconv.inference.choosing import Choosing, Way, measured
from poreconv.inference.worker_model import EXPORT_PAYS_S
from poreconv.models.header import ONNX
from poreconv.models.shipped import find_bundle
from poreconv.runtime.processor import processor
from poreconv.runtime.registry import lookup
from scripts.studies.bench_inputs import BEST, FAST
from scripts.studies.results import Measurement, print_measurements, study_parser, write_results
from scripts.studies.timing import ROUNDS, ROWS, SAMPLES, on_chunks, seconds

MODELS = (BEST, "rna002_regions", FAST)

WAYS = tuple(Way(backend, precision) for backend in ("torch", "compile", "onnx") for precision in ("32", "bf16"))
"""All ways; those that a model or this machine does not have are left out."""

AS_EXPORTED = (Way("onnx", "auto"),)
"""The way of an exported model."""

WORK_S = (5, 60, 3600)
"""Amounts of work: seconds that the fastest way takes, on one core."""

FOR_CPU = InferenceConfig(accelerator="cpu")

RATE = "million samples/s and core"


def measure(models: Sequence[str] = MODELS) -> Iterator[Measurement]:
    """Measure models one after the other.

    Args:
        models: Shipped models, or files.
    """
    here = processor()
    print_line(f"{here.name}, {here.cores} cores: {' '.join(here.flags)}")
    return chain.from_iterable(map(_model, models))


def _model(model: str) -> Iterator[Measurement]:
    start_s, opened = _open_all(model)
    several = [measured(opened, ROWS, SAMPLES) for _ in range(ROUNDS)]
    rates = {name: max(some[name] for some in several) for name in opened}
    for name, rate in rates.items():
        yield Measurement(f"{model}, {name}", rate / 1e6, RATE)
        yield Measurement(f"{model}, {name}: start-up", start_s[name], "s")
    for work_s in WORK_S:
        n_samples = work_s * max(rates.values())
        way, choosing_s = _auto(model, n_samples)
        took = {name: start_s[name] + n_samples / rate for name, rate in rates.items()}
        best = min(took, key=lambda name: took[name])
        yield Measurement(f"{model}, auto for {work_s:,} s of work: chooses {way.name}", choosing_s, "s")
        what = f"{model}, auto for {work_s:,} s of work: time of the best way ({best}) / its own"
        yield Measurement(what, took[best] / took[way.name], "", ">= 0.9")


def _auto(model: str, n_samples: float) -> tuple[Way, float]:
    """What `auto` takes for so many samples on one core with nothing remembered, and the seconds of finding out."""

    def is_long(rate: float) -> bool:
        return n_samples > EXPORT_PAYS_S * rate

    choosing, found = Choosing(find_bundle(model), FOR_CPU, is_long=is_long), list[Way]()
    with empty_cache():
        took_s = seconds(lambda: found.append(choosing.way()))
    return found[0], took_s


def _open_all(model: str) -> tuple[dict[str, float], dict[str, Backend]]:
    """Open every way: seconds until the first chunks are done, and the backends, by name."""
    path, start_s, opened = find_bundle(model), dict[str, float](), dict[str, Backend]()
    for way in AS_EXPORTED if path.suffix == ONNX else WAYS:
        kind: type[Backend] = lookup(BACKENDS, way.backend, kind="backend")
        if way.precision not in (*kind.precisions("cpu"), "auto"):
            continue
        with empty_cache():
            started = time.perf_counter()
            backend = kind.open(path, way(FOR_CPU), "cpu", 1)
            on_chunks(backend)()
            start_s[way.name], opened[way.name] = time.perf_counter() - started, backend
    return start_s, opened


CACHES = ("XDG_CACHE_HOME", "TORCHINDUCTOR_CACHE_DIR")
"""Variables that name the cache folders of poreconv, and of torch's compiler."""


@contextmanager
def empty_cache() -> Iterator[None]:
    """Let nothing be remembered of before, nor for later."""
    before = {name: os.environ.get(name) for name in CACHES}
    with TemporaryDirectory() as folder:
        os.environ |= {name: str(Path(folder) / name) for name in CACHES}
        try:
            yield
        finally:
            for name, value in before.items():
                del os.environ[name]
                if value is not None:
                    os.environ[name] = value


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, print and write.

    Args:
        arguments: Of the command line; default: those of this process.
    """
    parser = study_parser("bench_backends", __doc__)
    parser.add_argument("--models", nargs="+", default=MODELS, metavar="MODEL", help=f"default: {' '.join(MODELS)}")
    chosen = parser.parse_args(arguments)
    write_results(chosen, print_measurements(measure(chosen.models)))


if __name__ == "__main__":
    main()
