"""Options that several commands share, and the class of a command."""

from argparse import _VersionAction
from collections.abc import Callable, Collection, Mapping, Sequence
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
    " (poreconv models)."
)
"""Help of every option that names a model."""

AUTO_HELP = "auto: for each read the shipped model that fits."
"""Help of an option that also lets a command choose."""


def add_paths(parser: ArgumentParser, help_text: str = "Signal files, and folders of them.") -> None:
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
        help=f"Label source: {', '.join(LABEL_SOURCES)}; or your own, my.py:Mine. If several, {several}.",
    )
    parser.add_argument(
        "--labels_from",
        nargs="+",
        type=str,
        default=[],
        metavar="FILE",
        help="Files of the source, if its labels are not in the signal files; SOURCE=FILE if several sources read"
        " files; CLASS=PATH for path_class.",
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
        help="BAM or sequencing summary with mean quality and reference of reads, for --filter.min_quality and"
        " --split.by reference.",
    )


def add_out(
    parser: ArgumentParser, help_text: str, *, required: bool = True, metavar: str = "FILE", replaces: str = ""
) -> None:
    """Add the output.

    Args:
        parser: Of the command.
        help_text: What the output is.
        required: Whether it must be given.
        metavar: ``FILE``, or ``FOLDER``.
        replaces: What ``--overwrite`` replaces; empty: the command has no such flag, since it always replaces its
            output.
    """
    parser.add_argument("--out", "-o", required=required, type=Path, metavar=metavar, help=help_text)
    if replaces:
        text = f"Replace {replaces}, once the new one is complete; start anew where a command was killed."
        parser.add_argument("--overwrite", action="store_true", help=text)


def add_table_out(parser: ArgumentParser, *more: str) -> None:
    """Add an output whose suffix names its format.

    Args:
        parser: Of the command.
        *more: Formats besides those of ``WRITERS``.
    """
    formats = ", ".join([*WRITERS, *more])
    text = f"Table of events; the suffix names the format ({formats}). The drop ledger is written beside it."
    add_out(parser, text, replaces="a table that exists")


def add_messages(parser: ArgumentParser) -> None:
    """Add how much is written on stderr.

    Args:
        parser: Of the command.
    """
    parser.add_argument(
        "-v", "--verbose", action="store_true", help="Also show the settings, and each file that is read."
    )
    parser.add_argument(
        "-q", "--quiet", action="store_true", help="Show nothing but errors; on stdout, no names of files."
    )


class PrintVersion(_VersionAction):
    """The flag that prints the version, and ends the program."""

    def __call__(self, parser: Any, namespace: Any, values: Any, option_string: str | None = None) -> None:
        """Look it up, which takes a while, and print it."""
        from poreconv.runtime.version import __version__

        self.version = f"poreconv {__version__}"
        super().__call__(parser, namespace, values, option_string)


def add_config(parser: ArgumentParser, *kinds: type[Any], helps: Mapping[str, str] = MappingProxyType({})) -> None:
    """Add every setting of some config dataclasses, and of the groups in them, as an option.

    Args:
        parser: Of the command.
        *kinds: The dataclasses.
        helps: Setting -> its help text, where that is made of a table; other settings have their field's docstring.
    """
    parser.add_argument("--config", action="config", metavar="FILE", help="YAML file with any of these settings.")
    for kind in kinds:
        _add_settings(parser, kind(), helps)


def _add_settings(parser: ArgumentParser, defaults: Any, helps: Mapping[str, str]) -> None:
    """Add the settings of a config dataclass, with their defaults in ``defaults``, under a heading."""
    kind = type(defaults)
    groups = [field.name for field in fields(kind) if FLAT in field.metadata]
    flags = [field.name for field in fields(kind) if field.type is bool and field.default is False]
    listed = parser.add_argument_group(str(kind.__doc__).partition("\n")[0].rstrip("."))
    listed.add_class_arguments(
        kind, None, as_group=False, skip={*groups, *flags, *(helps.keys() & vars(defaults).keys())}
    )
    for name in helps.keys() & vars(defaults).keys():
        listed.add_argument(f"--{name}", type=str, default=getattr(defaults, name), help=helps[name])
    texts = {param.arg_name: param.description for param in parse_from_object(kind).params}
    for name in flags:
        listed.add_argument(f"--{name}", action="store_true", help=texts[name])
    for name in groups:
        _add_settings(parser, getattr(defaults, name), helps)
    parser.set_defaults(
        {field.name: getattr(defaults, field.name) for field in fields(kind) if _differs(field, defaults)}
    )


def _differs(field: Field[Any], defaults: Any) -> bool:
    """Whether a plain setting has another default in a group than in its own dataclass."""
    return field.default is not MISSING and field.default != getattr(defaults, field.name)


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
    not_shown: Callable[[Sequence[str]], Collection[str]] = lambda words: ()
    """Called with the words of the command line; returns groups of settings that its help leaves out."""
