"""The ``poreconv`` command: one thin function per subcommand, everything heavy imported inside it."""

import sys
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Literal, TypeVar

from jsonargparse import ArgumentParser, Namespace, set_parsing_settings
from rich.console import Console

from poreconv.baselines import BASELINES
from poreconv.config import (
    ARCHITECTURES,
    EvaluateConfig,
    FilesConfig,
    FlowCellConfig,
    HeartbeatConfig,
    LabelConfig,
    LabelFilesConfig,
    PrepareConfig,
    RefineConfig,
    SimulateConfig,
    SquiggleConfig,
    TailsConfig,
    TrainConfig,
)
from poreconv.errors import PoreconvError
from poreconv.labels import LABEL_SOURCES
from poreconv.ledger import Ledger
from poreconv.writers import WRITERS

set_parsing_settings(docstring_parse_attribute_docstrings=True)

T = TypeVar("T")

UNWATCHED_WIDTH = 200
"""Columns of output that goes to a file or a pipe, where nothing limits a table."""

console = Console(width=None if sys.stdout.isatty() else UNWATCHED_WIDTH)
errors = Console(stderr=True)

FLAGS = {
    "skip_bad_files": "pass over files that cannot be opened, and say so in the ledger, instead of stopping",
    "move_margin": "ignore one stride on each side of each move, which is right to about that (bam_moves, fast5_moves)",
    "allow_mixed": "let stores of different chemistries train together",
    "equal_stores": "draw as many training windows from each store, whatever its size",
    "compile": "let torch compile the network, which takes a minute or so first",
    "ordered": "decode each class once at most, in the order in which the training reads have them (task segment)",
    "turn_kmers": "read the table's k-mers backwards: some tables of RNA name them in the signal's order, 3' to 5'",
}
"""Settings that are given without a value."""

MODEL_HELP = (
    "model.safetensors that poreconv train wrote, what poreconv export made of it, or the name of a shipped model"
    " (poreconv models)"
)

SIMULATED: dict[str, type[Any]] = {"heartbeat": HeartbeatConfig, "squiggle": SquiggleConfig}
"""Simulator -> its settings."""


@dataclass(frozen=True)
class Command:
    """One subcommand."""

    add_arguments: Callable[[ArgumentParser], None]
    run: Callable[[Namespace], None]
    help: str
    example: str


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one command; a `PoreconvError` becomes one line on stderr and exit code 1.

    Args:
        arguments: Default: those of the process.
    """
    given = sys.argv[1:] if arguments is None else list(arguments)
    name = next((word for word in given if word in COMMANDS), "")
    parser = build_parser(name)
    try:
        chosen = parser.instantiate(parser.parse_args(given))
        with warnings.catch_warnings():
            warnings.showwarning = _show_warning
            COMMANDS[name].run(chosen[name])
    except PoreconvError as exc:
        errors.print(f"poreconv {name}: {exc}", style="red", markup=False, highlight=False, soft_wrap=True)
        sys.exit(1)
    except KeyboardInterrupt:
        errors.print(f"poreconv {name}: interrupted; the same command goes on where it was", soft_wrap=True)
        sys.exit(130)


def _show_warning(message: Warning | str, *_: Any, **__: Any) -> None:
    """A warning is one line, as an error is."""
    errors.print(f"poreconv: warning: {message}", style="yellow", markup=False, highlight=False, soft_wrap=True)


def build_parser(chosen: str) -> ArgumentParser:
    """The command line, with all options of the chosen command; the others' would only slow its start."""
    parser = ArgumentParser(prog="poreconv", description="Label every sample of a nanopore squiggle.")
    subcommands = parser.add_subcommands(dest="command")
    for name, command in COMMANDS.items():
        sub = ArgumentParser(description=f"{command.help} Example: {command.example}")
        subcommands.add_subcommand(name, sub, help=command.help)
        if name == chosen:
            command.add_arguments(sub)
    return parser


def _add_paths(parser: ArgumentParser, what: str = "signal files, and folders of them") -> None:
    parser.add_argument("paths", nargs="+", type=Path, metavar="PATH", help=what)


def _add_labels(
    parser: ArgumentParser, *, required: bool, several: str = "the first that has a label for a read counts"
) -> None:
    parser.add_argument(
        "--labels",
        required=required,
        nargs="+",
        type=str,
        metavar="SOURCE",
        help=f"label source: {', '.join(LABEL_SOURCES)}; of several, {several}",
    )
    parser.add_argument(
        "--labels_from",
        nargs="+",
        type=str,
        default=[],
        metavar="FILE",
        help="the source's files, if not in the reads'; SOURCE=FILE where several sources read files;"
        " CLASS=PATH for path_class",
    )


def _add_read_info(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--read_info",
        nargs="+",
        type=Path,
        default=[],
        metavar="FILE",
        help="BAM or sequencing summary: mean quality and reference of reads (filter.min_quality, split.by)",
    )


def _add_out(parser: ArgumentParser, what: str, *, required: bool = True) -> None:
    parser.add_argument("--out", required=required, type=Path, help=what)


def _add_table_out(parser: ArgumentParser, *more: str) -> None:
    """An output whose suffix tells its format; ``more``: formats besides those of events alone."""
    _add_out(parser, f"events, in the format of the suffix ({', '.join([*WRITERS, *more])}); drop ledger beside it")


def _add_config(parser: ArgumentParser, *kinds: type[Any]) -> None:
    """Every field of some config dataclasses as an option."""
    parser.add_argument("--config", action="config", help="YAML file with any of these settings")
    for kind in kinds:
        flags = {field.name for field in fields(kind)} & FLAGS.keys()
        parser.add_class_arguments(kind, None, skip=flags)
        for name in sorted(flags):
            parser.add_argument(f"--{name}", f"--{name.replace('_', '-')}", action="store_true", help=FLAGS[name])


def _config(kind: type[T], chosen: Namespace) -> T:
    """A config dataclass of what was chosen."""
    return kind(**{field.name: chosen[field.name] for field in fields(kind)})  # type: ignore[arg-type]  # a dataclass


def _print_ledger(ledger: Ledger) -> None:
    _say(ledger.summary(), to=errors)


def _say(line: str, *, to: Console = console) -> None:
    """Print one line as it is: brackets in it are no markup, and it is not wrapped."""
    to.print(line, markup=False, highlight=False, soft_wrap=True)


def _inspect_arguments(parser: ArgumentParser) -> None:
    _add_paths(parser)
    parser.add_argument("--skip_bad_files", "--skip-bad-files", action="store_true", help=FLAGS["skip_bad_files"])


def _inspect(chosen: Namespace) -> None:
    from poreconv.commands.inspect import inspect, render

    console.print(render(inspect(chosen.paths, skip_bad_files=chosen.skip_bad_files)))


def _simulate_arguments(parser: ArgumentParser) -> None:
    kinds = parser.add_subcommands(dest="simulator")
    for name, settings in SIMULATED.items():
        summary = str(settings.__doc__).partition("\n")[0]
        sub = ArgumentParser(description=summary)
        kinds.add_subcommand(name, sub, help=summary)
        _add_out(sub, "folder for the reads, events.tsv and, of squiggles, regions.tsv")
        _add_config(sub, SimulateConfig, settings)


def _simulate(chosen: Namespace) -> None:
    from poreconv.commands.simulate import simulate

    name, options = chosen.simulator, chosen[chosen.simulator]
    common, config = _config(SimulateConfig, options), _config(SIMULATED[name], options)
    _say(f"{simulate(name, out=options.out, common=common, config=config)}: {common.reads:,} reads")


def _prepare_arguments(parser: ArgumentParser) -> None:
    _add_paths(parser)
    _add_labels(parser, required=True)
    _add_read_info(parser)
    _add_out(parser, "folder of the store")
    _add_config(parser, PrepareConfig)


def _prepare(chosen: Namespace) -> None:
    from poreconv.commands.prepare import prepare, render

    config = _config(PrepareConfig, chosen)
    store = prepare(
        chosen.paths,
        labels=chosen.labels,
        labels_from=chosen.labels_from,
        read_info=chosen.read_info,
        out=chosen.out,
        config=config,
    )
    console.print(render(store))
    _print_ledger(Ledger.from_dict(store.info.ledger))


def _refine_arguments(parser: ArgumentParser) -> None:
    _add_paths(parser)
    _add_labels(parser, required=True)
    parser.add_argument(
        "--pore_model",
        required=True,
        type=Path,
        metavar="FILE",
        help="k-mer levels: nanopolish, f5c, ONT, uncalled4; or a shipped table: dna_r9.4.1, dna_r10.4.1, rna002",
    )
    _add_table_out(parser)
    _add_config(parser, RefineConfig)


def _refine(chosen: Namespace) -> None:
    from poreconv.commands.refine import refine

    ledger = refine(
        chosen.paths,
        labels=chosen.labels,
        labels_from=chosen.labels_from,
        pore_model=chosen.pore_model,
        out=chosen.out,
        config=_config(RefineConfig, chosen),
    )
    _say(f"{chosen.out}")
    _print_ledger(ledger)


def _convert_arguments(parser: ArgumentParser) -> None:
    _add_paths(parser)
    _add_labels(parser, required=True)
    _add_table_out(parser, ".fast5 with the signal")
    _add_config(parser, FilesConfig)


def _convert(chosen: Namespace) -> None:
    from poreconv.commands.convert import convert

    config = _config(FilesConfig, chosen)
    ledger = convert(chosen.paths, labels=chosen.labels, labels_from=chosen.labels_from, out=chosen.out, config=config)
    _say(f"{chosen.out}")
    _print_ledger(ledger)


def _kmers_arguments(parser: ArgumentParser) -> None:
    _add_paths(parser)
    _add_labels(parser, required=True)
    parser.add_argument("--k", type=int, required=True, help="bases that set one level: 5 RNA002, 6 R9.4.1, 9 R10.4.1")
    _add_out(parser, "model.txt: nanopolish and f5c text with noise, dwell and support; or .levels, .npz")
    _add_config(parser, LabelConfig)
    parser.add_argument("--skip_bad_files", "--skip-bad-files", action="store_true", help=FLAGS["skip_bad_files"])


def _kmers(chosen: Namespace) -> None:
    from poreconv.commands.kmers import kmers, render

    model, ledger = kmers(
        chosen.paths,
        labels=chosen.labels,
        labels_from=chosen.labels_from,
        k=chosen.k,
        out=chosen.out,
        config=FilesConfig(
            outside=chosen.outside, move_margin=chosen.move_margin, skip_bad_files=chosen.skip_bad_files
        ),
    )
    console.print(render(model))
    _say(f"{chosen.out}")
    _print_ledger(ledger)


def _train_arguments(parser: ArgumentParser) -> None:
    _add_paths(parser, "stores that poreconv prepare made")
    parser.add_argument("--model", type=str, default="unet", help=f"architecture: {', '.join(ARCHITECTURES)}")
    _add_out(parser, "folder of the run: model.safetensors, report.html, logs")
    parser.add_argument("--no_report", action="store_true", help="do not judge the model when it is done")
    _add_config(parser, TrainConfig)
    for name, settings in ARCHITECTURES.items():
        parser.add_class_arguments(settings, name)


def _train(chosen: Namespace) -> None:
    from poreconv.commands.train import train
    from poreconv.processes import is_first

    config, settings = _config(TrainConfig, chosen), chosen.get(chosen.model)
    bundle = train(
        chosen.paths,
        out=chosen.out,
        model=chosen.model,
        settings=settings,
        config=config,
        with_report=not chosen.no_report,
    )
    if is_first():
        _say(f"{bundle}")


def _evaluate_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("model", type=Path, metavar="MODEL", help=MODEL_HELP)
    _add_paths(parser, "one store; or signal files and folders, with --labels")
    _add_labels(parser, required=False)
    _add_read_info(parser)
    parser.add_argument(
        "--baselines",
        nargs="*",
        type=str,
        metavar="NAME",
        help=f"of {', '.join(BASELINES)}; default: all that make sense for the model's task",
    )
    _add_out(parser, "result.json: the result; result.html, a page that tells of it, goes beside it", required=False)
    _add_config(parser, EvaluateConfig)


def _evaluate(chosen: Namespace) -> None:
    from poreconv.commands.evaluate import evaluate, render

    result = evaluate(
        chosen.model,
        chosen.paths,
        labels=chosen.labels,
        labels_from=chosen.labels_from,
        read_info=chosen.read_info,
        baselines=chosen.baselines,
        out=chosen.out,
        config=_config(EvaluateConfig, chosen),
    )
    console.print(render(result))
    _print_ledger(result.ledger)


def _report_arguments(parser: ArgumentParser) -> None:
    what = "folder that poreconv train wrote, or the JSON that poreconv evaluate --out wrote"
    parser.add_argument("source", type=Path, metavar="RUN_OR_JSON", help=what)
    _add_out(parser, "the page, .html")


def _report(chosen: Namespace) -> None:
    from poreconv.commands.report import report

    _say(f"{report(chosen.source, out=chosen.out)}")


def _label_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("model", type=Path, metavar="MODEL", help=MODEL_HELP)
    _add_paths(parser)
    _add_table_out(parser)
    parser.add_argument("--skip_bad_files", "--skip-bad-files", action="store_true", help=FLAGS["skip_bad_files"])
    _add_config(parser, LabelFilesConfig)


def _label(chosen: Namespace) -> None:
    from poreconv.commands.label import label

    config = _config(LabelFilesConfig, chosen)
    ledger = label(chosen.model, chosen.paths, out=chosen.out, config=config, skip_bad_files=chosen.skip_bad_files)
    _say(f"{chosen.out}")
    _print_ledger(ledger)


def _stream_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("model", type=Path, metavar="MODEL", help=MODEL_HELP)
    _add_paths(parser)
    _add_out(parser, f"events of the reads that ended ({', '.join(WRITERS)}); drop ledger beside it", required=False)
    parser.add_argument("--skip_bad_files", "--skip-bad-files", action="store_true", help=FLAGS["skip_bad_files"])
    _add_config(parser, FlowCellConfig)


def _stream(chosen: Namespace) -> None:
    from poreconv.commands.stream import render, stream

    config = _config(FlowCellConfig, chosen)
    streamed = stream(chosen.model, chosen.paths, out=chosen.out, config=config, skip_bad_files=chosen.skip_bad_files)
    console.print(render(streamed))
    _print_ledger(streamed.ledger)


def _tails_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("model", type=Path, metavar="MODEL", help=f"with a class polya: {MODEL_HELP}")
    _add_paths(parser)
    _add_out(parser, "table, .tsv or .parquet: one row per read; drop ledger beside it")
    parser.add_argument("--skip_bad_files", "--skip-bad-files", action="store_true", help=FLAGS["skip_bad_files"])
    _add_config(parser, TailsConfig)


def _tails(chosen: Namespace) -> None:
    from poreconv.commands.tails import tails

    config = _config(TailsConfig, chosen)
    ledger = tails(chosen.model, chosen.paths, out=chosen.out, config=config, skip_bad_files=chosen.skip_bad_files)
    _say(f"{chosen.out}")
    _print_ledger(ledger)


def _plot_arguments(parser: ArgumentParser) -> None:
    _add_paths(parser)
    parser.add_argument("--read_id", type=str, metavar="ID", help="which read; default: the first")
    _add_labels(parser, required=False, several="each is a track of its own")
    parser.add_argument("--model", type=Path, help=f"draw what it finds, and how sure it is: {MODEL_HELP}")
    parser.add_argument("--start", type=int, metavar="N", help="first sample of the part to draw larger")
    parser.add_argument("--end", type=int, metavar="N", help="sample after its last")
    _add_out(parser, "picture for paper, .png, .svg or .pdf, or a page to zoom and drag in, .html")
    _add_config(parser, LabelConfig)


def _plot(chosen: Namespace) -> None:
    from poreconv.commands.plot import plot_read

    plot_read(
        chosen.paths,
        read_id=chosen.read_id,
        labels=chosen.labels or [],
        labels_from=chosen.labels_from,
        model=chosen.model,
        start=chosen.start,
        end=chosen.end,
        out=chosen.out,
        config=_config(LabelConfig, chosen),
    )
    _say(f"{chosen.out}")


def _models_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("model", nargs="?", type=Path, metavar="MODEL", help=f"whose card to print: {MODEL_HELP}")
    parser.add_argument(
        "--architectures",
        action="store_true",
        help="list what can be trained instead: weights, receptive field, alignment, multiply-adds per sample of each",
    )


def _models(chosen: Namespace) -> None:
    from poreconv.commands.models import architectures, card_of, render, render_architectures, shipped_models

    if chosen.architectures:
        console.print(render_architectures(architectures()))
    elif chosen.model is not None:
        _say(card_of(chosen.model).rstrip())
    elif models := shipped_models():
        console.print(render(models))
    else:
        _say("no model comes with this version of poreconv; poreconv train makes one")


def _export_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("model", type=Path, metavar="MODEL", help=MODEL_HELP)
    parser.add_argument("--format", type=Literal["onnx"], default="onnx", help="what it becomes; default: onnx")
    parser.add_argument(
        "--int8",
        nargs="+",
        type=Path,
        default=[],
        metavar="PATH",
        help="compute in int8, scaled by these signal files (64 reads are enough): several times faster on a CPU;"
        " poreconv evaluate tells what it costs. Default: fp32, the bundle's own results",
    )
    _add_out(parser, "model.onnx; label, evaluate and stream take it as they take a bundle")


def _export(chosen: Namespace) -> None:
    from poreconv.commands.export import export

    agreement = export(chosen.model, out=chosen.out, kind=chosen.format, int8_from=chosen.int8)
    _say(f"{chosen.out}")
    differs = f"mean {agreement.mean:.2g}, largest {agreement.largest:.2g}"
    _say(f"probabilities differ from the bundle's in fp32: {differs}", to=errors)


COMMANDS = {
    "inspect": Command(
        _inspect_arguments,
        _inspect,
        "What is in these files: reads, chemistry, labels.",
        "poreconv inspect run_folder",
    ),
    "simulate": Command(
        _simulate_arguments,
        _simulate,
        "Reads whose true events are known.",
        "poreconv simulate squiggle --reads 100 --seed 1 --out simulated",
    ),
    "prepare": Command(
        _prepare_arguments,
        _prepare,
        "Signal files and labels -> a store to train on.",
        "poreconv prepare run_folder --labels tombo --task boundary --out store",
    ),
    "convert": Command(
        _convert_arguments,
        _convert,
        "Labels from any source -> one table of events, or what other programs read.",
        "poreconv convert run_folder --labels tombo --out labels.parquet",
    ),
    "refine": Command(
        _refine_arguments,
        _refine,
        "Coarse labels, such as a move table -> exact ones.",
        "poreconv refine reads.pod5 --labels bam_moves --labels_from calls.bam --pore_model dna_r10.4.1 --out x.tsv",
    ),
    "kmers": Command(
        _kmers_arguments,
        _kmers,
        "Labelled reads -> a pore model: level, noise and dwell of each k-mer.",
        "poreconv kmers run_folder --labels tombo --k 6 --out model.txt",
    ),
    "train": Command(
        _train_arguments,
        _train,
        "Stores -> a trained model.",
        "poreconv train store --model tcn --max_time 00:00:10:00 --out run",
    ),
    "evaluate": Command(
        _evaluate_arguments,
        _evaluate,
        "How good a model is, beside detectors that learnt nothing.",
        "poreconv evaluate run/model.safetensors store --split test --out result.json",
    ),
    "report": Command(
        _report_arguments,
        _report,
        "A run or an evaluation -> one HTML page: how good the model is, beside what, and where it fails.",
        "poreconv report run --out run.html",
    ),
    "label": Command(
        _label_arguments,
        _label,
        "A model and signal files -> a table of events.",
        "poreconv label run/model.safetensors run_folder --out events.tsv",
    ),
    "stream": Command(
        _stream_arguments,
        _stream,
        "Reads played as a live flow cell: how many channels this machine labels, and how soon.",
        "poreconv stream dna_r9.4.1_boundary run_folder --channels 128 --speed max",
    ),
    "tails": Command(
        _tails_arguments,
        _tails,
        "A model of a read's regions and signal files -> where each poly(A) tail is, and how long.",
        "poreconv tails run/model.safetensors run_folder --out tails.tsv",
    ),
    "plot": Command(
        _plot_arguments,
        _plot,
        "A picture of one read: its current, its labels, what a model finds in it.",
        "poreconv plot run_folder --labels tombo --model dna_r9.4.1_boundary --out read.html",
    ),
    "export": Command(
        _export_arguments,
        _export,
        "A trained model -> ONNX, in fp32 or int8, for other programs and for labelling without torch.",
        "poreconv export run/model.safetensors --format onnx --out model.onnx",
    ),
    "models": Command(
        _models_arguments,
        _models,
        "The models that come with poreconv; one model's card: its data, its scores, its limits; or the architectures.",
        "poreconv models",
    ),
}
