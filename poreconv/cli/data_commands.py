"""Commands that read signal files and labels, and write data."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from jsonargparse import ArgumentParser, Namespace

from poreconv.cli.options import (
    AUTO_HELP,
    MODEL_HELP,
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
    CompareConfig,
    ConvertConfig,
    FilesConfig,
    HealthConfig,
    HeartbeatConfig,
    KmersConfig,
    PrepareConfig,
    RefineConfig,
    SimulateConfig,
    SquiggleConfig,
    StudioConfig,
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
    from poreconv.labels.project import is_project

    if all(map(is_project, chosen.paths)):
        _inspect_projects(chosen.paths)
        return
    inspection = inspect(chosen.paths, config=config_of(FilesConfig, chosen))
    console.print(render(inspection))
    for line in next_steps(inspection):
        print_line(line)


def _inspect_projects(paths: Sequence[Path]) -> None:
    from poreconv.commands.project import next_steps, project, render

    for path in paths:
        found = project(path)
        console.print(render(found))
        for line in next_steps(found):
            print_line(line)


def _health_arguments(parser: ArgumentParser) -> None:
    add_paths(parser)
    text = (
        "Table, .tsv or .parquet: one row per read. The page is written beside it, as .html, and the drop ledger."
        " Default: only the summary is printed."
    )
    add_out(parser, text, required=False, replaces="a table and a page that exist")
    add_config(parser, HealthConfig)


def _health(chosen: Namespace) -> None:
    from poreconv.commands.health import health, render

    run = health(chosen.paths, out=chosen.out, config=config_of(HealthConfig, chosen), overwrite=chosen.overwrite)
    console.print(render(run))
    if chosen.out is not None:
        print_summary(f"{chosen.out}")
    print_ledger(run.ledger)


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
        help="K-mer levels: nanopolish, f5c, ONT, uncalled4; or shipped ones: dna_r9.4.1, dna_r10.4.1, rna002, rna004.",
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
    text = "BAM or SAM files of the called sequences, for --coordinates reference: the primary alignments are used."
    parser.add_argument("--alignments", nargs="+", type=Path, default=[], metavar="FILE", help=text)
    text = "FASTA of the reference, for its k-mers in reference coordinates. Default: the records' tag MD."
    parser.add_argument("--reference", type=Path, metavar="FILE", help=text)
    add_table_out(parser, ".fast5 with the signal")
    add_config(parser, ConvertConfig)


def _convert(chosen: Namespace) -> None:
    from poreconv.commands.convert import convert

    ledger = convert(
        chosen.paths,
        labels=chosen.labels,
        labels_from=chosen.labels_from,
        alignments=chosen.alignments,
        reference=chosen.reference,
        out=chosen.out,
        config=config_of(ConvertConfig, chosen),
        overwrite=chosen.overwrite,
    )
    print_written(chosen.out, ledger)


def _compare_arguments(parser: ArgumentParser) -> None:
    for name, text in (("first", "condition a"), ("second", "condition b")):
        help_text = f"Table of {text}, written by poreconv convert --coordinates reference."
        parser.add_argument(name, type=Path, metavar="FILE", help=help_text)
    text = "Table of the differences, .tsv or .parquet. Default: the strongest are only printed."
    add_out(parser, text, required=False, replaces="a table that exists")
    text = "Picture of a region, .png, .svg, .pdf or .html; replaced if it exists."
    parser.add_argument("--plot", type=Path, metavar="FILE", help=text)
    add_config(parser, CompareConfig)


def _compare(chosen: Namespace) -> None:
    from poreconv.commands.compare import compare, render

    comparison = compare(
        chosen.first,
        chosen.second,
        out=chosen.out,
        picture=chosen.plot,
        config=config_of(CompareConfig, chosen),
        overwrite=chosen.overwrite,
    )
    console.print(render(comparison))
    for path in (chosen.out, chosen.plot):
        if path is not None:
            print_summary(f"{path}")


def _kmers_arguments(parser: ArgumentParser) -> None:
    add_paths(parser)
    add_labels(parser, required=True)
    text = "Number of bases that set one level: 5 for RNA002, 6 for R9.4.1, 9 for R10.4.1 and RNA004."
    parser.add_argument("--k", type=int, required=True, help=text)
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


def _studio_arguments(parser: ArgumentParser) -> None:
    add_paths(parser)
    text = "Folder that keeps what is marked; made if it does not exist. --labels studio --labels_from FOLDER reads it."
    parser.add_argument("--project", required=True, type=Path, metavar="FOLDER", help=text)
    add_labels(parser, required=False, several="each is drawn as a lane, whose events can be accepted as marks")
    text = f"Also find the events of a model, and draw them as a lane: {MODEL_HELP} {AUTO_HELP}"
    parser.add_argument("--model", type=Path, metavar="MODEL", help=text)
    text = "Your own network, to learn from the marks, and of a --model that was trained with one: my.py:Net (a file)"
    parser.add_argument("--network", type=str, metavar="NAME", help=f"{text} or package.module:Net.")
    add_config(parser, StudioConfig)


def _studio(chosen: Namespace) -> None:
    from poreconv.studio import studio

    studio(
        chosen.paths,
        project=chosen.project,
        labels=chosen.labels or (),
        labels_from=chosen.labels_from,
        model=chosen.model,
        config=config_of(StudioConfig, chosen),
        networks=chosen.network,
        ready=print_line,
    )


COMMANDS = {
    "inspect": Command(
        _inspect_arguments,
        _inspect,
        "List what files contain and what lies beside them: reads, chemistry, labels, models; or a studio's project.",
        "poreconv inspect run_folder",
    ),
    "health": Command(
        _health_arguments,
        _health,
        "How a run went, from its signal alone: speed, open-pore current, noise, stalls and blockades, over time.",
        "poreconv health run_folder --out run_health.parquet",
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
    "compare": Command(
        _compare_arguments,
        _compare,
        "Two tables in reference places -> where the levels of two conditions differ.",
        "poreconv compare wild_type.parquet mutant.parquet --out differences.tsv --plot differences.html",
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
    "studio": Command(
        _studio_arguments,
        _studio,
        "Look at squiggles and mark them, in the browser; a network learns from the marks.",
        "poreconv studio run_folder --project marks",
    ),
}
