"""Pages that are made from the code: nothing of it is missing."""

import inspect
from pathlib import Path
from types import SimpleNamespace

import pytest
from docutils import nodes

import poreconv
from poreconv.cli.help import is_hidden
from poreconv.cli.main import COMMANDS, build_parser
from poreconv.cli.usage import arguments_of, leaf_of
from poreconv.models.shipped import shipped_paths
from scripts.site import pages
from scripts.site.architecture import architecture_pages, floors_of, import_contracts
from scripts.site.commands import OF_EVERY_COMMAND, command_page, in_markdown, subcommands
from scripts.site.mathml import formula
from scripts.site.models import model_pages
from scripts.site.python_reference import python_pages


@pytest.mark.parametrize("name", COMMANDS)
def test_every_flag_of_a_command_is_on_its_page(name: str) -> None:
    """Those of commands inside it, too."""
    parser, page = leaf_of(build_parser([name], [name]), [name]), command_page(name)
    arguments = {
        flag: action for each in (parser, *subcommands(parser).values()) for flag, action in arguments_of(each).items()
    }
    shown = [flag for flag, action in arguments.items() if flag.startswith("--") and not is_hidden(action)]

    assert [flag for flag in shown if flag not in OF_EVERY_COMMAND and flag not in page] == []


def test_help_keeps_its_words_in_markdown() -> None:
    """Marks that mean something else there are escaped; code stays, and flags become code."""
    assert in_markdown("`a*b` is <not> *bold*, see --split.by.") == "`a*b` is \\<not\\> \\*bold\\*, see `--split.by`."


def test_every_export_is_described_once() -> None:
    """On one page of the Python reference."""
    text = "".join(python_pages().values())
    named = [name for name in poreconv.__all__ if not inspect.ismodule(getattr(poreconv, name)) and name[0] != "_"]

    assert [name for name in named if text.count(f":: poreconv.{name}\n") != 1] == []


def test_the_drawing_has_every_room() -> None:
    """Each package is in it, and on the floor that `pyproject.toml` gives it."""
    drawing = architecture_pages()["pictures/architecture.svg"]
    rooms = [room for floor in floors_of(import_contracts()) for room in floor]

    assert [room for room in rooms if f">{room}</text>" not in drawing] == []
    assert {path.stem for path in (pages.ROOT / "poreconv").iterdir() if path.stem[0] not in "_."} - {"py"} == {*rooms}


def test_every_shipped_model_has_its_card() -> None:
    """By name."""
    assert {f"models/{name}.md" for name in shipped_paths()} < model_pages().keys()


@pytest.mark.parametrize("node", [nodes.math, nodes.math_block])
def test_formulas_are_mathml(node: type[nodes.math | nodes.math_block]) -> None:
    """Browsers draw that without a program from elsewhere."""
    writer = SimpleNamespace(body=[])
    with pytest.raises(nodes.SkipNode):
        formula(writer, node("", r"\frac{a}{b}"))

    assert writer.body[0].startswith("<math")


def test_a_page_that_is_no_longer_made_goes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And one that stays the same is not written again, so that nothing is built anew for it."""
    monkeypatch.setattr(pages, "GENERATED", tmp_path)
    pages.write_pages({"a/one.md": "1", "two.md": "2"})
    before = (tmp_path / "two.md").stat().st_mtime_ns
    pages.write_pages({"two.md": "2"})

    assert [path.name for path in tmp_path.rglob("*.md")] == ["two.md"]
    assert (tmp_path / "two.md").stat().st_mtime_ns == before
