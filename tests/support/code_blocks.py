"""The code blocks of a page in Markdown, run one after the other as its reader would.

Those of ``bash`` and ``python`` are run, and ``text`` directly behind one is compared with what it prints, as doctest
does with ELLIPSIS and NORMALIZE_WHITESPACE. A ``{code-block}`` with ``:caption: FILE`` is saved as that file, one with
``:class: not-run`` only listed, and a ``{code-block} text`` is an illustration.
"""

import doctest
import io
import os
import re
import shlex
import subprocess
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from types import ModuleType

from markdown_it import MarkdownIt

from poreconv.cli.main import main

COMPARED = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
NO_LINES = re.compile(r"^\.\.\.\n", re.MULTILINE)
DIRECTIVE = re.compile(r"\{([\w-]+)\}\s*(.*)")
OPTION = re.compile(r":([\w-]+):\s*(.*)")
FOR_A_SHELL = re.compile(r"[|&;<>$`*?~]")
"""What makes of a line with ``poreconv`` one for the shell."""
OWN_ERROR = re.compile(r"^poreconv( \w+)*: ", re.MULTILINE)
"""The line that a command ends with when it fails."""


@dataclass(frozen=True)
class Block:
    """A code block."""

    line: int
    """Of the page, from 1, at which its fence stands."""
    language: str
    """``bash``, ``python``, or for a file any."""
    text: str
    """What stands in it."""
    file: str = ""
    """Name of the file that it is saved as."""
    is_run: bool = True
    """Whether it is for the test, too."""
    output: str | None = None
    """What it prints, if the page shows that."""


@dataclass(frozen=True)
class Fence:
    """A code block as it is written."""

    line: int
    info: str
    """What stands behind its backticks."""
    lines: list[str]
    follows: int = -1
    """The line at which another fence ended, if nothing stands between."""
    end: int = 0


def fences_of(markdown: str, first_line: int = 1) -> Iterator[Fence]:
    """Yield the fenced blocks of a text, those inside admonitions and tabs too.

    Args:
        markdown: The text.
        first_line: Number of its first line.
    """
    end = -1
    for token in MarkdownIt().parse(markdown):
        if token.type == "fence" and token.map is not None:
            start, stop = token.map
            fence = Fence(first_line + start, token.info.strip(), token.content.splitlines(), end, first_line + stop)
            directive = DIRECTIVE.fullmatch(fence.info)
            if directive and directive[1] != "code-block":
                yield from fences_of(token.content, fence.line + 1)
            else:
                yield fence
            end = fence.end
        elif token.block and token.type not in {"list_item_open"} and not token.type.endswith("_close"):
            end = -1


def blocks_of(markdown: str) -> list[Block]:
    """Return the blocks of a page that are run, saved or listed, in order.

    Args:
        markdown: Of the page.

    Raises:
        ValueError: A block is of no known kind.
    """
    blocks = list[Block]()
    run_before = False
    for fence in fences_of(markdown):
        if fence.info == "text":
            if fence.follows < 0 or not run_before:
                raise ValueError(f"line {fence.line}: the output of what? An illustration is a {{code-block}} text")
            before = blocks.pop()
            blocks.append(Block(before.line, before.language, before.text, output="\n".join(fence.lines) + "\n"))
        elif block := block_of(fence):
            blocks.append(block)
        run_before = fence.info in {"bash", "python"}
    return blocks


def block_of(fence: Fence) -> Block | None:
    """Return what a fence is for; None if it is an illustration.

    Args:
        fence: Any but a plain ``text``.

    Raises:
        ValueError: It is of no known kind.
    """
    directive = DIRECTIVE.fullmatch(fence.info)
    options, lines = split_options(fence.lines) if directive else ({}, fence.lines)
    language, text = directive[2] if directive else fence.info, "\n".join(lines) + "\n"
    if "caption" in options:
        return Block(fence.line, language, text, file=options["caption"])
    if "not-run" in options.get("class", ""):
        return Block(fence.line, language, text, is_run=False)
    if directive and language == "text":
        return None
    if not directive and language in {"bash", "python"}:
        return Block(fence.line, language, text)
    raise ValueError(f"line {fence.line}: ```{fence.info}: neither run, nor a file, nor an illustration")


def split_options(lines: list[str]) -> tuple[dict[str, str], list[str]]:
    """Split the lines of a directive into options and text.

    Args:
        lines: Between the fences.
    """
    options = dict[str, str]()
    while lines and (option := OPTION.fullmatch(lines[0])):
        options[option[1]] = option[2]
        lines = lines[1:]
    return options, lines[1:] if options and lines and not lines[0] else lines


@dataclass(frozen=True)
class Session:
    """A Python in which the blocks of one page are run, in the current folder."""

    module: ModuleType
    """Holds the names that Python blocks define."""

    def run(self, block: Block) -> None:
        """Run a block, or save it.

        Args:
            block: Not one that is only listed.

        Raises:
            AssertionError: It fails, or prints something else than the page shows.
        """
        if block.file:
            Path(block.file).parent.mkdir(parents=True, exist_ok=True)
            Path(block.file).write_text(block.text)
            return
        found = self.printed_by_python(block) if block.language == "python" else printed_by_shell(block)
        if block.output is not None and not fits(block.output, found):
            raise AssertionError(f"line {block.line}: the page shows\n{block.output}\nand this was printed\n{found}")

    def printed_by_python(self, block: Block) -> str:
        """Run a Python block; return what it prints.

        Args:
            block: The block.
        """
        code = compile("\n" * block.line + block.text, "page", "exec")
        with printed() as file:
            exec(code, vars(self.module))  # a page of this repository
        return file.read()


def fits(shown: str, found: str) -> bool:
    """Return whether something was printed as a page shows it.

    Args:
        shown: ``...`` stands for anything, and as a line of its own for any lines, or none.
        found: What was printed.
    """
    return doctest.OutputChecker().check_output(NO_LINES.sub("...", shown), found, COMPARED)


@contextmanager
def printed() -> Iterator[io.TextIOWrapper]:
    """Give a file that takes what is written to stdout and stderr meanwhile, in the order in which it comes."""
    file = io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True)
    with redirect_stdout(file), redirect_stderr(file):
        yield file
    file.seek(0)


def printed_by_shell(block: Block) -> str:
    """Run the lines of a shell block, commands of poreconv in this process; return what they print.

    Args:
        block: The block.

    Raises:
        AssertionError: A line fails, and the page shows no error of poreconv.
    """
    found, may_fail = "", OWN_ERROR.search(block.output or "")
    for is_ours, lines in groupby(whole_lines(block.text), key=runs_here):
        for line in lines if is_ours else ["\n".join(lines)]:
            code, text = run_here(line) if is_ours else run_in_bash(line)
            found += text
            if code and not may_fail:
                raise AssertionError(f"line {block.line}: exit code {code} of\n{line}\n{text}")
    return found


def whole_lines(script: str) -> list[str]:
    """Return the lines of a script, those that a backslash continues as one, without empty ones and comments.

    Args:
        script: For bash.
    """
    lines = re.sub(r"\\\n\s*", "", script).splitlines()
    return lines if "<<" in script else [line for line in lines if line.strip() and not line.startswith("#")]


def runs_here(line: str) -> bool:
    """Return whether a line is a command of poreconv and nothing else.

    Args:
        line: Of a script.
    """
    return line.startswith("poreconv ") and not FOR_A_SHELL.search(line)


def run_here(line: str) -> tuple[int, str]:
    """Run a command of poreconv in this process; return its exit code and what it prints.

    Args:
        line: As it is typed.
    """
    code = 0
    with printed() as file, warnings.catch_warnings():
        warnings.filterwarnings("default", module="poreconv")  # a page may show one
        try:
            main(shlex.split(line, comments=True)[1:])
        except SystemExit as exc:
            code = int(exc.code or 0)
    return code, file.read()


def run_in_bash(script: str) -> tuple[int, str]:
    """Run lines in a shell that stops at an error; return its exit code and what it prints.

    Args:
        script: The lines.
    """
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-e", "-o", "pipefail", "-c", script],
        env=os.environ | {"PATH": path},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout
