import importlib
import json
import os
import re
import shlex
import subprocess
import sys
from argparse import ArgumentError
from contextlib import suppress
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from poreconv.cli.main import build_parser
from poreconv.cli.usage import with_underscores
from scripts.studies.results import Measurement, study_parser, write_results

ROOT = Path(__file__).parents[2]
SCRIPTS = sorted(path for path in (ROOT / "scripts").iterdir() if path.is_file())
SOURCED = {"environment", "constraints.txt", "__init__.py"}
"""Files that others read: they are not run themselves."""
RUN = [path for path in SCRIPTS if path.name not in SOURCED]
SHELL = [path for path in RUN if "bash" in path.read_text().partition("\n")[0]]

MODULES = {path.stem: path for path in sorted((ROOT / "scripts" / "studies").glob("*.py")) if path.stem != "__init__"}
HELPERS = {
    "bench_inputs", "boundary_training", "broken_files", "known_places", "made_reads", "processes", "regions",
    "regions_training", "results",
    "sets", "studio_person", "tail_lengths", "timing", "trial_losses", "trial_stores",
}  # fmt: skip
"""Modules that studies share; all others are studies."""
STUDIES = sorted(MODULES.keys() - HELPERS)

SCRIPT_LINE = re.compile(r"^\s*(?:run\s+)?(poreconv .*)$")
"""A command in a script, plain or through its function ``run``."""


@pytest.mark.parametrize("path", RUN, ids=lambda path: path.name)
def test_script_can_be_typed(path: Path) -> None:
    """It is executable, and its first line says what runs it."""
    assert os.access(path, os.X_OK)
    assert path.read_text().startswith("#!/usr/bin/env ")


@pytest.mark.parametrize("path", [*SHELL, ROOT / "scripts/environment"], ids=lambda path: path.name)
def test_bash_accepts_the_script(path: Path) -> None:
    """Its syntax is right."""
    done = subprocess.run(["bash", "-n", str(path)], capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("name", MODULES)
def test_module_of_studies_only_defines(name: str) -> None:
    """Importing it does nothing that shows, its docstring describes it, and no shebang or mode makes it a program."""
    module = importlib.import_module(f"scripts.studies.{name}")

    assert module.__doc__
    assert not os.access(MODULES[name], os.X_OK)
    assert not MODULES[name].read_text().startswith("#!")


@pytest.mark.parametrize("name", sorted(HELPERS))
def test_helper_is_no_study(name: str) -> None:
    """What has a `main` is a study, and is checked as one."""
    assert not hasattr(importlib.import_module(f"scripts.studies.{name}"), "main")


@pytest.mark.parametrize("name", STUDIES)
def test_study_has_help(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    """`--help` prints how it is run, which its docstring states, and where its results go."""
    study = importlib.import_module(f"scripts.studies.{name}")

    with pytest.raises(SystemExit) as exit_:
        study.main(["--help"])

    usage = f"Usage: python -m scripts.studies.{name}"
    assert exit_.value.code == 0
    assert usage in study.__doc__
    assert usage in capsys.readouterr().out


@pytest.mark.parametrize("name", STUDIES)
def test_study_writes_json(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Its results go to the file that `--json` names; a default is documented."""
    with pytest.raises(SystemExit):
        importlib.import_module(f"scripts.studies.{name}").main(["--help"])

    assert "--json FILE" in (shown := capsys.readouterr().out)
    assert f"default: {name}.json" in " ".join(shown.split())


def test_results_are_json_with_the_options_and_the_machine(tmp_path: Path) -> None:
    """Numbers, arrays and dataclasses are written as JSON types, what is not a number as null."""
    out = tmp_path / "results.json"
    chosen = study_parser("some_study", "A study.").parse_args(["--json", str(out)])

    write_results(chosen, [Measurement("time", float("nan"), "s"), {"array": np.arange(2), "path": Path("a")}])

    written = json.loads(out.read_text())
    assert written["study"] == "some_study"
    assert written["machine"]["processor"]["cores"] >= 1
    assert date.fromisoformat(written["date"])
    assert re.fullmatch(r"[0-9a-f]{10,}\+?|", written["commit"])
    assert written["results"] == [
        {"what": "time", "value": None, "unit": "s", "bar": ""},
        {"array": [0, 1], "path": "a"},
    ]


def test_study_runs_as_a_module(tmp_path: Path) -> None:
    """A study runs as a module from the repository's root, as its usage states."""
    command = [sys.executable, "-m", "scripts.studies.bench_simulate", "2", "--json", str(tmp_path / "found.json")]
    subprocess.run(command, cwd=ROOT, capture_output=True, check=True)

    assert len(json.loads((tmp_path / "found.json").read_text())["results"]) == 8


def joined(text: str) -> list[str]:
    """Lines, those that end in a backslash made one with the next."""
    return text.replace("\\\n", " ").splitlines()


def commands_of_scripts() -> list[str]:
    """All ``poreconv`` commands in the shell scripts."""
    matches = [SCRIPT_LINE.match(line) for path in SHELL for line in joined(path.read_text())]
    return [match[1] for match in matches if match]


def words_of(command: str) -> list[str]:
    """What the command would be given, without ``poreconv``, pipes, redirections, comments and the like."""
    words = shlex.split(command, comments=True)[1:]
    end = next((i for i, word in enumerate(words) if word in {"|", "&&", "||", ">", "2>", "&"}), len(words))
    return words[:end]


def test_scripts_are_searched_for_commands() -> None:
    """The demo shows every command, so that the next test tests something."""
    demo = [match[1] for line in joined((ROOT / "scripts/demo").read_text()) if (match := SCRIPT_LINE.match(line))]

    assert {words_of(command)[0] for command in demo} == {
        "simulate", "inspect", "prepare", "train", "evaluate", "label",
    }  # fmt: skip


@pytest.mark.parametrize("command", dict.fromkeys(commands_of_scripts()))
def test_command_that_we_show_parses(command: str) -> None:
    """Every command in the scripts has options that exist, with values of their types."""
    words = with_underscores(words_of(command))

    with suppress(SystemExit):  # of a flag that prints something, and ends the program
        build_parser(words[:1]).parse_args(words)


def test_a_wrong_option_would_be_found() -> None:
    """The parser refuses what no command has."""
    with pytest.raises(ArgumentError, match="no_such_option"):
        build_parser(["train"]).parse_args(["train", "store", "--out", "run", "--no_such_option", "1"])
