"""Options that several commands share, and the class of a command."""

from collections.abc import Callable, Mapping
from dataclasses import MISSING, Field, dataclass, fields
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeVar

from docstring_parser import parse_from_object
from jsonargparse import ArgumentParser, Namespace

from poreconv.config import FLAT, from_flat
from poreconv.events.writers import WRITERS
from poreconv.labels.sources import LABEL_SOURCES

T = TypeVar("T")


MODEL_HELP = (
    "model.safetensors written by poreconv train, a file written by poreconv export, or the name of a shipped model"
    " (poreconv models)"
)
"""Help of every option that names a model."""


def add_paths(parser: ArgumentParser, help_text: str = "signal files, and folders of them") -> None:
    """Add the files that a command reads.

    Args:
        parser: Of the command.
        help_text: What the files are.
    """
    parser.add_argument("paths", nargs="+", type=Path, metavar="PATH", help=help_text)


def add_labels(
    parser: ArgumentParser, *, required: bool, several: str = "for each read the first that has a label is used"
) -> None:
    """Add label sources and their files.

    Args:
        parser: Of the command.
        required: Whether the command needs a source.
        several: How several sources are used, for the help.
    """
    parser.add_argument(
        "--labels",
        required=required,
        nargs="+",
        type=str,
        metavar="SOURCE",
        help=f"label source: {', '.join(LABEL_SOURCES)}; if several, {several}",
    )
    parser.add_argument(
        "--labels_from",
        nargs="+",
        type=str,
        default=[],
        metavar="FILE",
        help="files of the source, if its labels are not in the signal files; SOURCE=FILE if several sources read"
        " files; CLASS=PATH for path_class",
    )


def add_read_info(parser: ArgumentParser) -> None:
    """Add files with mean quality and reference of reads.

    Args:
        parser: Of the command.
    """
    parser.add_argument(
        "--read_info",
        nargs="+",
        type=Path,
        default=[],
        metavar="FILE",
        help="BAM or sequencing summary with mean quality and reference of reads (for filter.min_quality, split.by)",
    )


def add_out(parser: ArgumentParser, help_text: str, *, required: bool = True) -> None:
    """Add the output.

    Args:
        parser: Of the command.
        help_text: What the output is.
        required: Whether it must be given.
    """
    parser.add_argument("--out", required=required, type=Path, help=help_text)


def add_table_out(parser: ArgumentParser, *more: str) -> None:
    """Add an output whose suffix names its format.

    Args:
        parser: Of the command.
        *more: Formats besides those of ``WRITERS``.
    """
    add_out(
        parser, f"table of events; the suffix names the format ({', '.join([*WRITERS, *more])}); drop ledger beside it"
    )


def add_config(parser: ArgumentParser, *kinds: type[Any], helps: Mapping[str, str] = MappingProxyType({})) -> None:
    """Add every setting of some config dataclasses, and of the groups in them, as an option.

    Args:
        parser: Of the command.
        *kinds: The dataclasses.
        helps: Setting -> its help text, where that is made of a table; other settings have their field's docstring.
    """
    parser.add_argument("--config", action="config", help="YAML file with any of these settings")
    for kind in kinds:
        _add_settings(parser, kind(), helps)


def _add_settings(parser: ArgumentParser, defaults: Any, helps: Mapping[str, str]) -> None:
    """Add the settings of a config dataclass, with their defaults in ``defaults``."""
    kind = type(defaults)
    groups = [field.name for field in fields(kind) if FLAT in field.metadata]
    flags = [field.name for field in fields(kind) if field.type is bool and field.default is False]
    parser.add_class_arguments(kind, None, skip={*groups, *flags, *(helps.keys() & vars(defaults).keys())})
    for name in helps.keys() & vars(defaults).keys():
        parser.add_argument(f"--{name}", type=str, default=getattr(defaults, name), help=helps[name])
    for name in flags:
        add_flag(parser, kind, name)
    for name in groups:
        _add_settings(parser, getattr(defaults, name), helps)
    parser.set_defaults(
        {field.name: getattr(defaults, field.name) for field in fields(kind) if _differs(field, defaults)}
    )


def _differs(field: Field[Any], defaults: Any) -> bool:
    """Whether a plain setting has another default in a group than in its own dataclass."""
    return field.default is not MISSING and field.default != getattr(defaults, field.name)


def add_flag(parser: ArgumentParser, kind: type[Any], name: str) -> None:
    """Add one setting that is an option without a value; its help is the field's docstring.

    Args:
        parser: Of the command.
        kind: The config dataclass.
        name: Name of the field.
    """
    helps = {param.arg_name: param.description for param in parse_from_object(kind).params}
    parser.add_argument(f"--{name}", f"--{name.replace('_', '-')}", action="store_true", help=helps[name])


def config_of(kind: type[T], chosen: Namespace) -> T:
    """Make a config dataclass of the parsed options.

    Args:
        kind: The dataclass.
        chosen: Parsed options of the command; others than its fields are ignored.

    Raises:
        ConfigError: A value is out of range.
    """
    return from_flat(kind, vars(chosen))


@dataclass(frozen=True)
class Command:
    """One subcommand."""

    add_arguments: Callable[[ArgumentParser], None]
    run: Callable[[Namespace], None]
    help: str
    """One sentence."""
    example: str
    """A command line."""
