"""Commands that read signal files and labels, and write data."""

from pathlib import Path
from typing import Any

from jsonargparse import ArgumentParser, Namespace

from poreconv.cli.options import (
    Command,
    add_config,
    add_labels,
    add_messages,
    add_out,
    add_paths,
    add_read_info,
    add_table_out,
    config_of,
)
from poreconv.cli.terminal import console, print_ledger, print_line, print_summary, print_written
from poreconv.config import (
    ConvertConfig,
    FilesConfig,
    HeartbeatConfig,
    KmersConfig,
    PrepareConfig,
    RefineConfig,
    SimulateConfig,
    SquiggleConfig,
)
from poreconv.events.tasks import TASKS

SIMULATED: dict[str, type[Any]] = {"heartbeat": HeartbeatConfig, "squiggle": SquiggleConfig}
"""Simulator -> its settings."""

SIMULATED_OUT = "Folder for the reads, events.tsv and, for squiggles, regions.tsv."


def _inspect_arguments(parser: ArgumentParser) -> None:
    add_paths(parser)
    add_config(parser, FilesConfig)


def _inspect(chosen: Namespace) -> None:
    from poreconv.commands.inspect import inspect, next_steps, render

    inspection = inspect(chosen.paths, config=config_of(FilesConfig, chosen))
    console.print(render(inspection))
    for line in next_steps(inspection):
        print_line(line)


def _simulate_arguments(parser: ArgumentParser) -> None:
    about = "poreconv simulate SIMULATOR --help describes one."
    kinds = parser.add_subcommands(dest="simulator", title="simulators", description=about, metavar="SIMULATOR")
    for name, settings in SIMULATED.items():
        summary = str(settings.__doc__).partition("\n")[0]
        sub = ArgumentParser(description=f"{summary}\nExample: poreconv simulate {name} --reads 100 --out simulated")
        kinds.add_subcommand(name, sub, help=summary)
        sub.prog = f"poreconv simulate {name}"
        add_out(sub, SIMULATED_OUT, metavar="FOLDER", replaces="what poreconv simulate wrote there before")
        add_messages(sub)
        add_config(sub, SimulateConfig, settings)


def _simulate(chosen: Namespace) -> None:
    from poreconv.commands.simulate import simulate

    name, options = chosen.simulator, chosen[chosen.simulator]
    common, config = config_of(SimulateConfig, options), config_of(SIMULATED[name], options)
    simulate(name, out=options.out, common=common, config=config, overwrite=options.overwrite)
    print_summary(f"{options.out}: {common.reads:,} reads")


def _prepare_arguments(parser: ArgumentParser) -> None:
    add_paths(parser)
    add_labels(parser, required=True)
    add_read_info(parser)
    add_out(parser, "Folder of the store.", metavar="FOLDER", replaces="a store that exists")
    asked = "; ".join(f"{name}: {task.question}" for name, task in TASKS.items())
    add_config(parser, PrepareConfig, helps={"task": f"What the model is to predict of every sample. {asked}"})


def _prepare(chosen: Namespace) -> None:
    from poreconv.commands.prepare import prepare, render

    config = config_of(PrepareConfig, chosen)
    store = prepare(
        chosen.paths,
        labels=chosen.labels,
        labels_from=chosen.labels_from,
        read_info=chosen.read_info,
        out=chosen.out,
        config=config,
        overwrite=chosen.overwrite,
    )
    print_summary(render(store))
    print_ledger(store.info.ledger)


def _refine_arguments(parser: ArgumentParser) -> None:
    add_paths(parser)
    add_labels(parser, required=True)
    parser.add_argument(
        "--pore_model",
        required=True,
        type=Path,
        metavar="FILE",
        help="K-mer levels: nanopolish, f5c, ONT, uncalled4; or a shipped table: dna_r9.4.1, dna_r10.4.1, rna002.",
    )
    add_table_out(parser)
    add_config(parser, RefineConfig)


def _refine(chosen: Namespace) -> None:
    from poreconv.commands.refine import refine

    ledger = refine(
        chosen.paths,
        labels=chosen.labels,
        labels_from=chosen.labels_from,
        pore_model=chosen.pore_model,
        out=chosen.out,
        config=config_of(RefineConfig, chosen),
        overwrite=chosen.overwrite,
    )
    print_written(chosen.out, ledger)


def _convert_arguments(parser: ArgumentParser) -> None:
    add_paths(parser)
    add_labels(parser, required=True)
    add_table_out(parser, ".fast5 with the signal")
    add_config(parser, ConvertConfig)


def _convert(chosen: Namespace) -> None:
    from poreconv.commands.convert import convert

    ledger = convert(
        chosen.paths,
        labels=chosen.labels,
        labels_from=chosen.labels_from,
        out=chosen.out,
        config=config_of(ConvertConfig, chosen),
        overwrite=chosen.overwrite,
    )
    print_written(chosen.out, ledger)


def _kmers_arguments(parser: ArgumentParser) -> None:
    add_paths(parser)
    add_labels(parser, required=True)
    parser.add_argument("--k", type=int, required=True, help="Bases that set one level: 5 RNA002, 6 R9.4.1, 9 R10.4.1.")
    text = "model.txt: nanopolish and f5c text with noise, dwell and support; or .levels, .npz."
    add_out(parser, text, replaces="a table that exists")
    add_config(parser, KmersConfig)


def _kmers(chosen: Namespace) -> None:
    from poreconv.commands.kmers import kmers, render

    model, ledger = kmers(
        chosen.paths,
        labels=chosen.labels,
        labels_from=chosen.labels_from,
        k=chosen.k,
        out=chosen.out,
        config=config_of(KmersConfig, chosen),
        overwrite=chosen.overwrite,
    )
    print_summary(render(model))
    print_written(chosen.out, ledger)


COMMANDS = {
    "inspect": Command(
        _inspect_arguments,
        _inspect,
        "List what files contain and what lies beside them: reads, chemistry, labels, models.",
        "poreconv inspect run_folder",
    ),
    "simulate": Command(
        _simulate_arguments,
        _simulate,
        "Simulate reads whose true events are known.",
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
}
