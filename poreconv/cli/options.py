"""Options that several commands share, and what a command is."""

from collections.abc import Callable
from dataclasses import MISSING, Field, dataclass, fields
from pathlib import Path
from typing import Any, TypeVar

from docstring_parser import parse_from_object
from jsonargparse import ArgumentParser, Namespace

from poreconv.config import FLAT, from_flat
from poreconv.events.writers import WRITERS
from poreconv.labels.sources import LABEL_SOURCES

T = TypeVar("T")


MODEL_HELP = (
    "model.safetensors that poreconv train wrote, what poreconv export made of it, or the name of a shipped model"
    " (poreconv models)"
)


def add_paths(parser: ArgumentParser, what: str = "signal files, and folders of them") -> None:
    """Add the files that a command reads; ``what`` describes them."""
    parser.add_argument("paths", nargs="+", type=Path, metavar="PATH", help=what)


def add_labels(
    parser: ArgumentParser, *, required: bool, several: str = "the first that has a label for a read counts"
) -> None:
    """Add label sources and their files; ``several`` describes what becomes of several."""
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


def add_read_info(parser: ArgumentParser) -> None:
    """Add files with facts on reads."""
    parser.add_argument(
        "--read_info",
        nargs="+",
        type=Path,
        default=[],
        metavar="FILE",
        help="BAM or sequencing summary: mean quality and reference of reads (filter.min_quality, split.by)",
    )


def add_out(parser: ArgumentParser, what: str, *, required: bool = True) -> None:
    """Add the output; ``what`` describes it."""
    parser.add_argument("--out", required=required, type=Path, help=what)


def add_table_out(parser: ArgumentParser, *more: str) -> None:
    """An output whose suffix tells its format; ``more``: formats besides those of events alone."""
    add_out(parser, f"events, in the format of the suffix ({', '.join([*WRITERS, *more])}); drop ledger beside it")


def add_config(parser: ArgumentParser, *kinds: type[Any]) -> None:
    """Add every setting of some config dataclasses, and of the groups in them, as an option."""
    parser.add_argument("--config", action="config", help="YAML file with any of these settings")
    for kind in kinds:
        _add_settings(parser, kind())


def _add_settings(parser: ArgumentParser, defaults: Any) -> None:
    """Add the settings of a config dataclass, with the defaults that they have in ``defaults``."""
    kind = type(defaults)
    groups = [field.name for field in fields(kind) if FLAT in field.metadata]
    flags = [field.name for field in fields(kind) if field.type is bool and field.default is False]
    parser.add_class_arguments(kind, None, skip={*groups, *flags})
    for name in flags:
        add_flag(parser, kind, name)
    for name in groups:
        _add_settings(parser, getattr(defaults, name))
    parser.set_defaults(
        {field.name: getattr(defaults, field.name) for field in fields(kind) if _differs(field, defaults)}
    )


def _differs(field: Field[Any], defaults: Any) -> bool:
    """Whether a plain setting has another default in a group than in its own dataclass."""
    return field.default is not MISSING and field.default != getattr(defaults, field.name)


def add_flag(parser: ArgumentParser, kind: type[Any], name: str) -> None:
    """Add one setting that is given without a value; its field's docstring is its help."""
    helps = {each.arg_name: each.description for each in parse_from_object(kind).params}
    parser.add_argument(f"--{name}", f"--{name.replace('_', '-')}", action="store_true", help=helps[name])


def config_of(kind: type[T], chosen: Namespace) -> T:
    """A config dataclass of what was chosen."""
    return from_flat(kind, vars(chosen))


@dataclass(frozen=True)
class Command:
    """One subcommand."""

    add_arguments: Callable[[ArgumentParser], None]
    run: Callable[[Namespace], None]
    help: str
    example: str
