"""Measure everything that the docs state on poreconv's speed and memory, in one run.

Usage: python -m scripts.studies.bench [--only SECTION...] [--seconds 20] [--json bench.json]

Sections: read, prepare, train, networks, backends, start, label, stream, accuracy; default: all. Most are studies of
their own (bench_read, bench_prepare, bench_train, bench_networks, bench_backends, bench_label, bench_stream). Prints
each measurement, and writes all of a section when it is done. The reads are lambda and E. coli, some nine million
samples, looked for in $PORECONV_DATA, else in ../shared/data, and copied under new read ids to 4 and 16 times as many;
without them, reads are simulated, and what needs true labels is left out. Takes about 25 minutes on two idle cores.

What is compared is measured in turns, so that it shares the machine's load; ratios are what to trust, seconds are one
machine's. What the project expects stands in brackets.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial

from poreconv.cli.terminal import print_line
from poreconv.commands.evaluate import evaluate
from poreconv.config import EvaluateConfig, InferenceConfig
from poreconv.evaluation.result import MODEL
from scripts.studies import (
    bench_backends,
    bench_label,
    bench_networks,
    bench_prepare,
    bench_read,
    bench_stream,
    bench_train,
)
from scripts.studies.bench_inputs import BEST, FAST, TIMES, Inputs
from scripts.studies.bench_memory import prepare_short
from scripts.studies.results import Measurement, data_folder, print_measurements, study_parser, write_results
from scripts.studies.sets import LAMBDA

SHORT_READS = 2000


def _preparing(inputs: Inputs) -> Iterator[Measurement]:
    """`prepare` beside bare loops; then time per read and memory at 1, 4 and 16 times as many short simulated reads."""
    yield from bench_prepare.measure()
    for times in TIMES:
        cost = prepare_short(SHORT_READS * times, inputs.folder / f"short{times}")
        what = f"prepare, POD5 and TSV, {times} x {SHORT_READS:,} short reads"
        each_ms = 1000 * cost.seconds / (SHORT_READS * times)
        yield Measurement(f"{what}: time per read, start-up included", each_ms, "ms")
        yield Measurement(f"{what}: peak memory, all processes together", cost.together_mb, "MB")


def _accuracy() -> Iterator[Measurement]:
    """F1 within one sample on lambda reads that training never saw: what precision and the fast model cost."""
    if not data_folder().is_dir():
        return
    ways = {
        f"{BEST}, fp32": (BEST, InferenceConfig(precision="32")),
        f"{BEST}, bf16": (BEST, InferenceConfig(precision="bf16")),
        f"{FAST}, int8": (FAST, InferenceConfig()),
    }
    f1 = {name: _f1(model, inference) for name, (model, inference) in ways.items()}
    for name, score in f1.items():
        yield Measurement(f"{name}: F1 within 1 sample, lambda", score)
    for name, bar in ((f"{BEST}, bf16", ""), (f"{FAST}, int8", "<= 0.03")):
        yield Measurement(f"{name}: F1, less than in fp32", f1[f"{BEST}, fp32"] - f1[name], "", bar)


def _f1(model: str, inference: InferenceConfig) -> float:
    config = EvaluateConfig(inference=inference)
    judged = evaluate(model, LAMBDA.reads_path(), labels=LAMBDA.labels, baselines=["changepoint"], config=config)
    return judged.scores[MODEL]["f1_1"]


SECTIONS = ("read", "prepare", "train", "networks", "backends", "start", "label", "stream", "accuracy")


def _measures(inputs: Inputs, seconds: float) -> dict[str, Callable[[], Iterable[Measurement]]]:
    """Section -> what measures it."""
    return {
        "read": bench_read.measure,
        "prepare": partial(_preparing, inputs),
        "train": bench_train.measure,
        "networks": partial(bench_networks.measure, inputs),
        "backends": bench_backends.measure,
        "start": partial(bench_label.measure_start, inputs),
        "label": partial(bench_label.measure, inputs),
        "stream": partial(bench_stream.measure, inputs, seconds),
        "accuracy": _accuracy,
    }


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure what is asked for, print and write.

    Args:
        arguments: Of the command line; default: those of this process.
    """
    parser = study_parser("bench", __doc__)
    parser.add_argument("--only", nargs="+", choices=SECTIONS, default=SECTIONS, metavar="SECTION", help="default: all")
    parser.add_argument("--seconds", type=float, default=20, help="of signal that is streamed; default: 20")
    chosen = parser.parse_args(arguments)
    measured = {}
    with Inputs.temporary() as inputs:
        measures = _measures(inputs, chosen.seconds)
        for section in chosen.only:
            print_line(f"\n{section}")
            measured[section] = print_measurements(measures[section]())
            write_results(chosen, measured)


if __name__ == "__main__":
    main()
