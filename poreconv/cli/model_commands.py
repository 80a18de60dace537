"""Commands that train, evaluate and run models."""

from pathlib import Path
from typing import Literal

from jsonargparse import ArgumentParser, Namespace

from poreconv.cli.options import (
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
from poreconv.cli.terminal import console, errors, print_ledger, print_line
from poreconv.config import (
    EvaluateConfig,
    FlowCellConfig,
    LabelConfig,
    SourceConfig,
    TailsConfig,
    TrainConfig,
)
from poreconv.evaluation.baselines import BASELINES
from poreconv.events.writers import WRITERS
from poreconv.models.architectures import ARCHITECTURES


def _train_arguments(parser: ArgumentParser) -> None:
    add_paths(parser, "stores written by poreconv prepare")
    parser.add_argument("--network", type=str, default="unet", help=f"architecture: {', '.join(ARCHITECTURES)}")
    add_out(parser, "folder of the training run: model.safetensors, report.html, logs")
    parser.add_argument("--no_report", action="store_true", help="do not evaluate the finished model")
    add_config(parser, TrainConfig)
    for name, architecture in ARCHITECTURES.items():
        parser.add_class_arguments(architecture.settings, name)


def _train(chosen: Namespace) -> None:
    from poreconv.commands.train import train
    from poreconv.training.distributed import is_first

    config, settings = config_of(TrainConfig, chosen), chosen.get(chosen.network)
    bundle = train(
        chosen.paths,
        out=chosen.out,
        network=chosen.network,
        settings=settings,
        config=config,
        with_report=not chosen.no_report,
    )
    if is_first():
        print_line(f"{bundle}")


def _evaluate_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("model", type=Path, metavar="MODEL", help=MODEL_HELP)
    add_paths(parser, "one store; or signal files and folders, with --labels")
    add_labels(parser, required=False)
    add_read_info(parser)
    parser.add_argument(
        "--baselines",
        nargs="*",
        type=str,
        metavar="NAME",
        help=f"any of {', '.join(BASELINES)}; default: all that suit the model's task",
    )
    add_out(parser, "result.json: the result; the report is written beside it, as result.html", required=False)
    add_config(parser, EvaluateConfig)


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
        config=config_of(EvaluateConfig, chosen),
    )
    console.print(render(result))
    print_ledger(result.ledger)


def _report_arguments(parser: ArgumentParser) -> None:
    help_text = "folder written by poreconv train, or JSON written by poreconv evaluate --out"
    parser.add_argument("source", type=Path, metavar="RUN_OR_JSON", help=help_text)
    add_out(parser, "the report, .html")


def _report(chosen: Namespace) -> None:
    from poreconv.commands.report import report

    print_line(f"{report(chosen.source, out=chosen.out)}")


def _label_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("model", type=Path, metavar="MODEL", help=MODEL_HELP)
    add_paths(parser)
    add_table_out(parser)
    add_config(parser, LabelConfig)


def _label(chosen: Namespace) -> None:
    from poreconv.commands.label import label

    config = config_of(LabelConfig, chosen)
    ledger = label(chosen.model, chosen.paths, out=chosen.out, config=config)
    print_line(f"{chosen.out}")
    print_ledger(ledger)


def _stream_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("model", type=Path, metavar="MODEL", help=MODEL_HELP)
    add_paths(parser)
    add_out(
        parser, f"table of events of reads that ended ({', '.join(WRITERS)}); drop ledger beside it", required=False
    )
    add_config(parser, FlowCellConfig)


def _stream(chosen: Namespace) -> None:
    from poreconv.commands.stream import render, stream

    config = config_of(FlowCellConfig, chosen)
    streamed = stream(chosen.model, chosen.paths, out=chosen.out, config=config)
    console.print(render(streamed))
    print_ledger(streamed.ledger)


def _tails_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("model", type=Path, metavar="MODEL", help=f"with a class polya: {MODEL_HELP}")
    add_paths(parser)
    add_out(parser, "table, .tsv or .parquet: one row per read; drop ledger beside it")
    add_config(parser, TailsConfig)


def _tails(chosen: Namespace) -> None:
    from poreconv.commands.tails import tails

    config = config_of(TailsConfig, chosen)
    ledger = tails(chosen.model, chosen.paths, out=chosen.out, config=config)
    print_line(f"{chosen.out}")
    print_ledger(ledger)


def _plot_arguments(parser: ArgumentParser) -> None:
    add_paths(parser)
    parser.add_argument("--read_id", type=str, metavar="ID", help="id of the read; default: the first read")
    add_labels(parser, required=False, several="each is drawn as a track")
    parser.add_argument("--model", type=Path, help=f"draw its events and probabilities: {MODEL_HELP}")
    parser.add_argument("--start", type=int, metavar="N", help="first sample of the enlarged part")
    parser.add_argument("--end", type=int, metavar="N", help="sample after its last")
    add_out(parser, "picture, .png, .svg or .pdf, or page to zoom and drag, .html")
    add_config(parser, SourceConfig)


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
        config=config_of(SourceConfig, chosen),
    )
    print_line(f"{chosen.out}")


def _models_arguments(parser: ArgumentParser) -> None:
    parser.add_argument(
        "model", nargs="?", type=Path, metavar="MODEL", help=f"print the card of this model: {MODEL_HELP}"
    )
    parser.add_argument(
        "--architectures",
        action="store_true",
        help="list the architectures instead: weights, receptive field, alignment, multiply-adds per sample",
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
    parser.add_argument("--format", type=Literal["onnx"], default="onnx", help="format of the file; default: onnx")
    parser.add_argument(
        "--int8",
        nargs="+",
        type=Path,
        default=[],
        metavar="PATH",
        help="compute in int8, scaled by these signal files (64 reads are enough): several times faster on a CPU;"
        " poreconv evaluate measures the loss of accuracy. Default: fp32, with the bundle's own results",
    )
    add_out(parser, "model.onnx; label, evaluate and stream accept it as they accept a bundle")


def _export(chosen: Namespace) -> None:
    from poreconv.commands.export import export

    difference = export(chosen.model, out=chosen.out, kind=chosen.format, int8_from=chosen.int8)
    print_line(f"{chosen.out}")
    numbers = f"mean {difference.mean:.2g}, largest {difference.largest:.2g}"
    print_line(f"outputs differ from the bundle's in fp32: {numbers}", to=errors)


COMMANDS = {
    "train": Command(
        _train_arguments,
        _train,
        "Stores -> a trained model.",
        "poreconv train store --network tcn --max_time 00:00:10:00 --out run",
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
        "A picture of one read: its current, its labels, and the events that a model finds.",
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
