import os
import re
import shlex
import subprocess
from pathlib import Path

import pytest

from poreconv.cli.main import build_parser

ROOT = Path(__file__).parents[2]
SCRIPTS = sorted(path for path in (ROOT / "scripts").iterdir() if path.is_file())
SOURCED = {"environment", "constraints.txt", "shared.py"}
"""Files that other scripts read: they are not run themselves."""
RUN = [path for path in SCRIPTS if path.name not in SOURCED]
SHELL = [path for path in RUN if "bash" in path.read_text().partition("\n")[0]]

README_LINE = re.compile(r"^\$ +(poreconv .*)$")
"""A command in a ``console`` block of the README."""
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


def joined(text: str) -> list[str]:
    """Lines, those that end in a backslash made one with the next."""
    return text.replace("\\\n", " ").splitlines()


def commands_of_readme() -> list[str]:
    """All ``poreconv`` commands in the README's console blocks."""
    blocks = re.findall(r"^```console\n(.*?)^```", (ROOT / "README.md").read_text(), re.DOTALL | re.MULTILINE)
    matches = [README_LINE.match(line) for block in blocks for line in joined(block)]
    return [match[1] for match in matches if match]


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


@pytest.mark.parametrize("command", dict.fromkeys([*commands_of_readme(), *commands_of_scripts()]))
def test_command_that_we_show_parses(command: str) -> None:
    """Every command in the README and the scripts has options that exist, with values of their types."""
    words = words_of(command)

    build_parser(words[0]).parse_args(words)


def test_a_wrong_option_would_be_found(capsys: pytest.CaptureFixture[str]) -> None:
    """The parser refuses what no command has."""
    with pytest.raises(SystemExit):
        build_parser("train").parse_args(["train", "store", "--out", "run", "--no_such_option", "1"])

    assert "no_such_option" in capsys.readouterr().err
