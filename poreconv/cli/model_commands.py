"""Commands that train, evaluate and run models."""

from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal

from jsonargparse import ArgumentParser, Namespace

from poreconv.cli.options import (
    AUTO_HELP,
    MODEL_HELP,
    Command,
    add_config,
    add_labels,
    add_out,
    add_paths,
    add_read_info,
    add_table_out,
    config_of,
)
from poreconv.cli.own import add_baselines, add_metrics, add_own_network, add_own_training, own_settings
from poreconv.cli.terminal import console, errors, print_ledger, print_line, print_summary, print_written
from poreconv.config import (
    EvaluateConfig,
    FlowCellConfig,
    LabelConfig,
    PlotConfig,
    TailsConfig,
    TrainConfig,
    require,
)
from poreconv.events.writers import WRITERS
from poreconv.models.architectures import ARCHITECTURES
from poreconv.runtime.ledger import Ledger
from poreconv.runtime.registry import is_own


def _train_arguments(parser: ArgumentParser) -> None:
    add_paths(parser, "Stores written by poreconv prepare.")
    architectures = (
        f"Architecture: {', '.join(ARCHITECTURES)}; --network NAME --help describes its settings. Or your own:"
        " my.py:Net (a file) or package.module:Net. Default: that of --start_from, else that of --preset."
    )
    parser.add_argument("--network", type=str, metavar="NAME", help=architectures)
    text = "Settings of your own network, by keyword: numbers, text, true, false, or lists, as JSON."
    parser.add_argument("--network_settings", nargs="+", type=str, default=[], metavar="KEY=VALUE", help=text)
    text = "Folder of the training run: model.safetensors, report.html, logs."
    add_out(parser, text, metavar="FOLDER", replaces="a training run that exists")
    add_own_training(parser)
    add_baselines(parser, "Baselines in the report")
    add_metrics(parser)
    parser.add_argument("--no_report", action="store_true", help="Do not evaluate the finished model.")
    add_config(parser, TrainConfig)
    for name, architecture in ARCHITECTURES.items():
        parser.add_class_arguments(architecture.settings, name)


def _other_networks(words: Sequence[str]) -> list[str]:
    """Return the architectures that are not named on the command line."""
    values = [value for flag, value in pairwise([*words, ""]) if flag == "--network"]
    values += [word.partition("=")[2] for word in words if word.startswith("--network=")]
    return [name for name in ARCHITECTURES if name not in values]


def _train(chosen: Namespace) -> None:
    from poreconv.commands.evaluate import tables
    from poreconv.commands.train import train
    from poreconv.training.distributed import is_first

    config, settings = config_of(TrainConfig, chosen), _network_settings(chosen)
    trained = train(
        chosen.paths,
        out=chosen.out,
        network=chosen.network,
        settings=settings,
        config=config,
        loss=chosen.loss,
        transforms=chosen.transforms,
        callbacks=chosen.callbacks,
        loggers=chosen.loggers,
        baselines=chosen.baselines,
        metrics=chosen.metrics,
        with_report=not chosen.no_report,
        overwrite=chosen.overwrite,
    )
    if is_first():
        print_summary(f"{trained.bundle}")
        for caution in trained.cautions:
            print_summary(caution, to=errors)
        if config.folds and trained.evaluation is not None:
            for table in tables(trained.evaluation):
                print_summary(table, to=errors)


def _network_settings(chosen: Namespace) -> Any:
    """Return the settings of the network that is asked for; None: its defaults, or those of the model to start from."""
    network = chosen.network or ""
    own = is_own(network)
    require(
        own or not chosen.network_settings, "--network_settings: only of your own network; give --network my.py:Net"
    )
    changed = [name for name, architecture in ARCHITECTURES.items() if chosen[name] != architecture.settings()]
    unused = next((name for name in changed if name != network), "")
    require(not unused, f"--{unused}: settings of a network that is not asked for; give --network {unused}")
    return own_settings(chosen.network_settings) if own else chosen[network] if changed else None


def _evaluate_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("model", type=Path, metavar="MODEL", help=MODEL_HELP)
    add_paths(parser, "One store; or signal files and folders, with --labels or --judge levels.")
    add_labels(parser, required=False)
    text = "With --judge levels and --labels that contain bases: table of k-mer levels, or the name of a shipped one."
    parser.add_argument("--pore_model", type=Path, metavar="TABLE", help=text)
    add_read_info(parser)
    add_baselines(parser, "Baselines beside the model")
    add_metrics(parser)
    add_own_network(parser)
    text = "result.json: the result. The report is written beside it, as result.html; both are replaced if they exist."
    add_out(parser, text, required=False)
    add_config(parser, EvaluateConfig)


def _evaluate(chosen: Namespace) -> None:
    from poreconv.commands.evaluate import evaluate, tables

    result = evaluate(
        chosen.model,
        chosen.paths,
        labels=chosen.labels,
        labels_from=chosen.labels_from,
        pore_model=chosen.pore_model,
        read_info=chosen.read_info,
        baselines=chosen.baselines,
        metrics=chosen.metrics,
        out=chosen.out,
        config=config_of(EvaluateConfig, chosen),
        networks=chosen.network,
    )
    for table in tables(result):
        console.print(table)
    print_ledger(result.ledger)


def _report_arguments(parser: ArgumentParser) -> None:
    help_text = "Folder written by poreconv train, or JSON written by poreconv evaluate --out."
    parser.add_argument("source", type=Path, metavar="RUN_OR_JSON", help=help_text)
    add_out(parser, "The report, .html; replaced if it exists.")


def _report(chosen: Namespace) -> None:
    from poreconv.commands.report import report

    print_summary(f"{report(chosen.source, out=chosen.out)}")


def _label_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("model", type=Path, metavar="MODEL", help=f"{MODEL_HELP} {AUTO_HELP}")
    add_paths(parser)
    add_table_out(parser)
    add_own_network(parser)
    add_config(parser, LabelConfig)


def _label(chosen: Namespace) -> None:
    from poreconv.commands.label import label

    _write_table(label, LabelConfig, chosen)


def _write_table(command: Callable[..., Ledger], kind: type[Any], chosen: Namespace) -> None:
    """Run a command that takes a model and signal files, and writes a table.

    Args:
        command: The Python API behind it.
        kind: Dataclass of its settings.
        chosen: Its options.
    """
    ledger = command(
        chosen.model,
        chosen.paths,
        out=chosen.out,
        config=config_of(kind, chosen),
        networks=chosen.network,
        overwrite=chosen.overwrite,
    )
    print_written(chosen.out, ledger)


def _stream_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("model", type=Path, metavar="MODEL", help=MODEL_HELP)
    add_paths(parser)
    text = f"Table of events of reads that ended ({', '.join(WRITERS)}). The drop ledger is written beside it."
    add_out(parser, text, required=False, replaces="a table that exists")
    add_own_network(parser)
    add_config(parser, FlowCellConfig)


def _stream(chosen: Namespace) -> None:
    from poreconv.commands.stream import render, stream

    config = config_of(FlowCellConfig, chosen)
    streamed = stream(
        chosen.model,
        chosen.paths,
        out=chosen.out,
        config=config,
        networks=chosen.network,
        overwrite=chosen.overwrite,
    )
    console.print(render(streamed))
    print_ledger(streamed.ledger)


def _tails_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("model", type=Path, metavar="MODEL", help=f"With a class polya: {MODEL_HELP} {AUTO_HELP}")
    add_paths(parser)
    add_out(
        parser,
        "Table, .tsv or .parquet: one row per read. The drop ledger is written beside it.",
        replaces="a table that exists",
    )
    add_own_network(parser)
    add_config(parser, TailsConfig)


def _tails(chosen: Namespace) -> None:
    from poreconv.commands.tails import tails

    _write_table(tails, TailsConfig, chosen)


def _plot_arguments(parser: ArgumentParser) -> None:
    add_paths(parser)
    parser.add_argument("--read_id", type=str, metavar="ID", help="Id of the read. Default: the first read.")
    add_labels(parser, required=False, several="each is drawn as a track")
    text = f"Draw its events and probabilities: {MODEL_HELP} {AUTO_HELP}"
    parser.add_argument("--model", type=Path, metavar="MODEL", help=text)
    parser.add_argument("--start", type=int, metavar="N", help="First sample of the enlarged part.")
    parser.add_argument("--end", type=int, metavar="N", help="Sample after its last.")
    text = (
        "Picture of one read, .png, .svg or .pdf; or a page to zoom and drag, .html, of all reads that --limit or"
        " --read_ids choose; replaced if it exists."
    )
    add_out(parser, text)
    add_own_network(parser)
    add_config(parser, PlotConfig)


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
        config=config_of(PlotConfig, chosen),
        networks=chosen.network,
    )
    print_summary(f"{chosen.out}")


def _models_arguments(parser: ArgumentParser) -> None:
    parser.add_argument(
        "model", nargs="?", type=Path, metavar="MODEL", help=f"Print the card of this model: {MODEL_HELP}"
    )
    parser.add_argument(
        "--architectures",
        action="store_true",
        help="List the architectures instead: weights, receptive field, alignment, multiply-adds per sample.",
    )


def _models(chosen: Namespace) -> None:
    from poreconv.commands.models import architectures, card_of, render, render_architectures, shipped_models

    if chosen.architectures:
        console.print(render_architectures(architectures()))
    elif chosen.model is not None:
        print_line(card_of(chosen.model).rstrip())
    elif models := shipped_models():
        console.print(render(models))
    else:
        print_line("no model comes with this version of poreconv; train one with poreconv train")


def _export_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("model", type=Path, metavar="MODEL", help=MODEL_HELP)
    add_own_network(parser)
    parser.add_argument("--format", type=Literal["onnx"], default="onnx", help="Format of the file.")
    parser.add_argument(
        "--int8",
        nargs="+",
        type=Path,
        default=[],
        metavar="PATH",
        help="Compute in int8, scaled by these signal files (64 reads are enough): several times faster on a CPU;"
        " poreconv evaluate measures the loss of accuracy. Default: fp32, with the bundle's own results.",
    )
    text = "model.onnx; label, evaluate and stream accept it as they accept a bundle."
    add_out(parser, text, replaces="a file that exists")


def _export(chosen: Namespace) -> None:
    from poreconv.commands.export import export

    difference = export(
        chosen.model,
        out=chosen.out,
        kind=chosen.format,
        int8_from=chosen.int8,
        networks=chosen.network,
        overwrite=chosen.overwrite,
    )
    print_summary(f"{chosen.out}")
    numbers = f"mean {difference.mean:.2g}, largest {difference.largest:.2g}"
    print_summary(f"outputs differ from the bundle's in fp32: {numbers}", to=errors)


COMMANDS = {
    "train": Command(
        _train_arguments,
        _train,
        "Stores -> a trained model.",
        "poreconv train store --network tcn --max_time 10m --out run",
        _other_networks,
    ),
    "evaluate": Command(
        _evaluate_arguments,
        _evaluate,
        "Scores of a model, beside those of baselines.",
        "poreconv evaluate run/model.safetensors store --split test --out result.json",
    ),
    "report": Command(
        _report_arguments,
        _report,
        "A training run or an evaluation -> one HTML page: the model's scores, beside baselines, and its errors.",
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
        "Reads played as a live flow cell -> how many channels this machine can label, and how soon.",
        "poreconv stream dna_r9.4.1_boundary run_folder --channels 128 --speed max",
    ),
    "tails": Command(
        _tails_arguments,
        _tails,
        "A model of a read's regions and signal files -> place and length of each poly(A) tail.",
        "poreconv tails run/model.safetensors run_folder --out tails.tsv",
    ),
    "plot": Command(
        _plot_arguments,
        _plot,
        "A picture of a read, or a page of several: current, labels, and the events that a model finds.",
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
        "List the models that come with poreconv, print a model's card (data, scores, limits), or list architectures.",
        "poreconv models",
    ),
}
