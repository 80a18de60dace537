"""What every study needs around its measuring: options, the folder of real reads, tables, results as JSON.

Nothing heavy is imported here: `bench_memory` starts processes that must not begin with this one's memory.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import asdict, dataclass, is_dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from poreconv.cli.terminal import print_line
from poreconv.runtime.files import whole_file
from poreconv.runtime.processor import processor

FOLDERS = ("out", "runs")
"""Options that are left out of the JSON: where a study works is a matter of the machine, and decides nothing."""

ROOT = Path(__file__).resolve().parents[2]
"""The repository."""

LIBRARIES = ("poreconv", "torch", "onnxruntime", "numpy")
"""Those whose versions stand beside the results."""


def study_parser(study: str, usage: str | None) -> argparse.ArgumentParser:
    """Make the parser of a study's options, with the one that every study has: where its JSON goes.

    Args:
        study: Name of its module, such as ``bench_read``.
        usage: The module's docstring; it is the help text.
    """
    parser = argparse.ArgumentParser(
        prog=f"python -m scripts.studies.{study}",
        description=usage,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    where = f"where the results go as JSON; default: {study}.json in the current folder"
    parser.add_argument("--json", type=Path, default=Path(f"{study}.json"), metavar="FILE", help=where)
    parser.set_defaults(study=study)
    return parser


def write_results(chosen: argparse.Namespace, results: Any) -> None:
    """Write results as JSON, with options, date, commit and machine; the file exists whole or not at all.

    Args:
        chosen: What the parser of `study_parser` returned.
        results: Of dicts, lists, dataclasses, numbers (NaN becomes null), arrays and text.
    """
    options = {name: value for name, value in vars(chosen).items() if name not in {"study", "json", *FOLDERS}}
    origin = {"date": datetime.now(UTC).date().isoformat(), "commit": commit(), "machine": machine()}
    described = {"study": chosen.study, "options": options, **origin, "results": results}
    without_nan = json.loads(json.dumps(described, default=_as_json), parse_constant=lambda _: None)
    with whole_file(chosen.json) as partial:
        partial.write_text(json.dumps(without_nan, indent=1) + "\n")


def _as_json(value: Any) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    return value.tolist() if hasattr(value, "tolist") else str(value)


def commit() -> str:
    """Return the commit that is checked out, with a ``+`` after it where files differ from it; empty outside git."""
    asked = ["git", "-C", str(ROOT), "describe", "--always", "--abbrev=10", "--dirty=+"]
    return subprocess.run(asked, capture_output=True, text=True, check=False).stdout.strip()


def machine() -> dict[str, Any]:
    """Describe what a study ran on: processor, cores, memory, load, versions."""
    return {
        "processor": processor(),
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
        "load": os.getloadavg()[0],
        "versions": {"python": platform.python_version()} | {name: version(name) for name in LIBRARIES},
    }


def data_folder() -> Path:
    """Return the folder of real reads, which may not exist: ``$PORECONV_DATA``, else ``../shared/data``."""
    return Path(os.environ.get("PORECONV_DATA", ROOT.parent / "shared" / "data"))


def required_data(*sets: str) -> Path:
    """Return the folder of real reads; without it, or one of the sets in it, the program ends with a message.

    Args:
        sets: Names of the sets that are needed.

    Raises:
        SystemExit: A folder is missing.
    """
    folder = data_folder()
    for needed in (folder, *(folder / name for name in sets)):
        if not needed.is_dir():
            sys.exit(f"{needed}: no such folder of real reads; set PORECONV_DATA to the folder of the sets")
    return folder


class MarkdownTable:
    """A table in Markdown that is printed row by row, as results come.

    Args:
        columns: Their heads.
    """

    def __init__(self, *columns: str) -> None:
        self.add(*columns)
        self.add(*["---"] * len(columns))

    def add(self, *cells: object) -> None:
        """Print one row of cells."""
        print_line(f"| {' | '.join(map(str, cells))} |")


@dataclass(frozen=True)
class Measurement:
    """One thing measured."""

    what: str
    value: float
    unit: str = ""
    bar: str = ""
    """What the project expects of it, such as ``>= 0.95``."""


def print_measurements(measured: Iterable[Measurement]) -> list[Measurement]:
    """Print measurements, each as it comes, and return them.

    Args:
        measured: Taken one at a time.
    """
    printed = []
    for one in measured:
        bar = f" (expected: {one.bar})" if one.bar else ""
        print_line(f"{one.what}: {one.value:,.4g} {one.unit}".rstrip() + bar)
        printed.append(one)
    return printed
